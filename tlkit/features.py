"""Frozen features, computed once, and linear probes: what a network knows, measured with the simplest head."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.kinds import Kind, Stream, Tokens, Vectors, as_precise
from tlkit.data.tasks import Split, by_task
from tlkit.groups import found_groups
from tlkit.models.copying import copied
from tlkit.models.networks import Network, evaluation_batch, precision_of, predictions, unwrapped
from tlkit.training.machine import device_of, hardware
from tlkit.words import meant

STEADY = 1e-4  # how steep the loss may still be, in units of its curvature: probabilities are exact to 1e-5 (measured)
NEWTON_STEPS = 100  # far more than the 4 to 12 that were needed where it was measured


@dataclass(frozen=True)
class FeatureVectors(Vectors):
    """Vectors that a network has computed."""

    noun: ClassVar[str] = "feature"


@dataclass(frozen=True, eq=False, repr=False)
class Features(Split):
    """Features with their labels, and the part of the network that computed them: a Split of vectors.

    Args:
        inputs: the features, `[n, d]`.
        labels: the numbers of the classes, `[n]` int64, or of several tasks by name; None if unknown.
        classes: the class names, in the order of the labels; of several tasks by name.
        kind: what the inputs are: vectors that a network computed.
        files: the path of each example in its folder, `[n]`, if it comes from one.
        groups: who or what each example belongs to, `[n]`, such as a patient or a speaker.
        cut: the frozen network up to the layer; None for features that were not made by `extract_features`.

    A Run, a Task, `few_labels` and `evaluate` take features as they take images:
    `tl.Run(head, objective, features, ...)` trains a head.

    >>> Features(torch.zeros(6, 64), torch.arange(6), tuple("abcdef"))
    6 features of 64 numbers, 6 classes
    """

    kind: Kind = FeatureVectors()
    cut: Cut | None = None

    @property
    def values(self) -> Tensor:
        """The features, `[n, d]`."""
        assert isinstance(self.inputs, Tensor)
        return self.inputs


class Cut(nn.Module):
    """A frozen copy of a network up to a layer: from inputs `[n, ...]` to features `[n, feature_dim]`.

    Args:
        network: it is copied and stays as it is.
        layer: a layer group or a module's dotted name; None for the input of the head.
        grid: places to a side that a layer of `[n, channels, height, width]` is averaged to; see `extract_features`.

    Raises:
        ValueError: for an unknown layer.

    It is a backbone: `Network(features.cut, head)`. It stays in evaluation mode, and no gradient goes through it.
    """

    feature_dim: int
    input_shape: torch.Size  # of one example

    def __init__(self, network: nn.Module, layer: str | None, grid: int | None):
        super().__init__()
        self.network = copied(unwrapped(network)).requires_grad_(False)
        self.layer, self.grid = layer, grid
        parts, self._before = self._chosen()
        names = {module: name for name, module in self.network.named_modules()}
        self._names = [names[part] for part in parts]
        self.eval()

    def train(self, mode: bool = True) -> Cut:
        """Stay in evaluation mode, whatever the mode."""
        return super().train(False)

    def _chosen(self) -> tuple[list[nn.Module], bool]:
        """The modules whose outputs are the layer, in order, and False; or the head, whose input it is, and True."""
        modules = dict(self.network.named_modules())
        try:
            found = found_groups(self.network)
        except ValueError:  # the order of the groups is unknown, but a module's name needs none
            if not self.layer or self.layer not in modules:
                raise
            return [modules[self.layer]], False
        groups = {name: [part for part in parts if isinstance(part, nn.Module)] for name, parts in found.items()}
        if self.layer is None:
            *before, head = groups.values()
            return (head[:1], True) if before or isinstance(self.network, Network) else ([self.network], False)
        if self.layer in groups:
            return groups[self.layer], False
        if not self.layer or self.layer not in modules:
            hint = meant(self.layer, [*groups, *modules], "; a module's dotted name will do as well")
            raise ValueError(f"layer={self.layer!r}, but the layer groups are {', '.join(groups)}{hint}")
        return [modules[self.layer]], False

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Tensor:
        """The features `[n, d]` of inputs `[n, ...]`; the pass through the network ends at the layer."""
        parts, before = [self.network.get_submodule(name) for name in self._names], self._before
        kept: list[Any] = []

        def keep(module: nn.Module, inputs: Any, output: Any = None) -> None:
            value = inputs if before else output  # a tuple from recurrent layers and from attention
            kept.append(value[0] if isinstance(value, tuple) else value)
            if module is parts[-1]:
                raise _Reached

        watch = nn.Module.register_forward_pre_hook if before else nn.Module.register_forward_hook
        hooks = [watch(part, keep) for part in parts]
        try:
            self.network(inputs)
        except _Reached:
            pass
        finally:
            for hook in hooks:
                hook.remove()
        outputs = [output for output in kept if isinstance(output, Tensor)]
        if not outputs:
            raise ValueError(f"layer={self.layer!r} gives no tensor when the network sees these inputs; name another")
        with_places = [output for output in outputs if output[0, 0].ndim == 2 and output[0, 0].numel() > 1]
        values = self._gathered([*outputs, *with_places][-1], inputs)  # a group may end in its own pooling
        return values.float()  # whatever the network's precision

    def _gathered(self, output: Tensor, inputs: Tensor) -> Tensor:
        """A layer's output as `[n, d]`, averaged over places or tokens as `grid` says."""
        if output.ndim == 4 and self.grid:
            height, width = (min(self.grid, side) for side in output.shape[2:])
            return F.adaptive_avg_pool2d(output, (height, width)).flatten(1)
        if output.ndim == 3 and self.grid == 1:
            if inputs.is_floating_point() or output.shape[:2] != inputs.shape:
                return output.mean(1)
            mask = Tokens.mask(inputs)[:, :, None].to(output)
            return (output * mask).sum(1) / mask.sum(1)
        return output.flatten(1)


class _Reached(Exception):
    """The layer has been computed, so the pass can end."""


def extract_features(
    network: nn.Module,
    split: Split,
    layer: str | None = None,
    *,
    grid: int | None = 1,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
) -> Features:
    """Compute the frozen features of a split once, in evaluation mode and without gradients.

    Args:
        network: it stays as it is and where it is; a copy of it computes the features.
        split: the examples; labels, files and groups stay with their features.
        layer: a layer group (`tl.freezing.layer_groups(network)`) or a module's dotted name. None is the input of the
            head; of a network that is nothing but a head it is the output (`nn.Flatten()`: the pixels themselves).
        grid: where the layer's output is `[n, channels, height, width]`, 1 averages over all places, 4 keeps a 4 x 4
            grid of averages, None keeps every place. Where it is `[n, tokens, d]`, 1 averages over the tokens (of a
            text without its padding), anything else keeps them.
        batch_size: examples that pass through the network at once; None for at most 1,000, fewer the larger they are.
        device: where they are computed; None for that of `tl.hardware()`.

    Returns:
        `Features` `[n, d]` on the device. They remember the copy, so that a probe can still predict after the network
        has learnt something else.

    Raises:
        TypeError: if `split` is not a Split.
        ValueError: for an unknown layer or one that gives no tensor, a `grid` or `batch_size` below 1, a split without
            examples, or features that are not finite.

    >>> import tlkit as tl
    >>> tl.extract_features(tl.models.SmallCNN(), tl.data.digits().test, layer="block2", grid=4)
    600 features of 512 numbers, 10 classes
    """
    if not isinstance(split, Split):
        raise TypeError(f"features are computed of a Split, not of a {type(split).__name__}; of a Task take task.train")
    if grid is not None and grid < 1:
        raise ValueError(f"grid={grid}, but a grid has at least 1 x 1 places; None keeps every place")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size={batch_size}, but a batch holds at least 1 {split.kind.noun}")
    if not len(split):
        raise ValueError(f"the split has no {split.kind.noun}s, so there are no features to compute")
    device_of(network)
    device = hardware().device if device is None else torch.device(device)
    cut = Cut(network, layer, grid).to(device)
    batch_size = batch_size or evaluation_batch(network, split.inputs, device)
    parts, dtype = split.inputs.split(batch_size), precision_of(network)
    values = torch.cat([cut(as_precise(inputs.to(device), dtype)) for inputs in parts])
    if not values.isfinite().all():
        raise ValueError("some features are not finite; train the network again with a lower learning rate")
    cut.feature_dim, cut.input_shape = values.shape[1], split.inputs.shape[1:]
    labels = by_task(split.labels, lambda labels: labels.to(device))
    return Features(values, labels, split.classes, files=split.files, groups=split.groups, cut=cut)


# ---- linear probes ----


@dataclass(frozen=True, eq=False, repr=False)
class LinearProbe:
    """A linear classifier on frozen features, one for each of several strengths of regularisation.

    Args:
        heads: from features to logits, by strength.
        strength: the one in use.
        accuracies: on the validation features, by strength, in 0..1; they chose it if there were several. Empty if
            there were no validation features.
        cut: the part of the network that computed the features; None if they were not made by `extract_features`.

    A recipe may return a probe: it has `predict`.
    """

    heads: Mapping[float, nn.Module]
    strength: float
    accuracies: Mapping[float, float]
    cut: Cut | None

    @property
    def head(self) -> nn.Module:
        """From features `[n, d]` to logits `[n, classes]`: `Network(network.backbone, probe.head)` is a whole network.

        An `nn.Linear` into which the scaling is folded; after `scaling="unit length"` an `nn.Sequential` of the two.
        """
        return self.heads[self.strength]

    def predict(self, inputs: Tensor | Stream) -> Tensor:
        """Predict the class of each example, through the network that the features remember.

        Args:
            inputs: examples `[n, ...]`, or their features `[n, d]`.

        Returns:
            The predicted classes, `[n]` int64, on the CPU.

        Raises:
            ValueError: if the features remember no network, or if the inputs may be examples as well as features.
        """
        shape, wide = inputs.shape[1:], (self._linear.in_features,)
        if shape == wide and (self.cut is None or self.cut.input_shape != wide):
            return self.predict_features(inputs[:])
        if self.cut is None:
            raise ValueError("these features were not made by extract_features, so use probe.predict_features")
        if shape == wide:
            raise ValueError(
                f"these may be inputs or features: both are {wide[0]} numbers; use tl.models.Network(probe.cut, "
                "probe.head) for inputs, and probe.head for features"
            )
        return predictions(Network(self.cut, self.head), inputs)

    def predict_features(self, values: Tensor) -> Tensor:
        """Predict the class of each example from its features.

        Args:
            values: features `[n, d]`.

        Returns:
            The predicted classes, `[n]` int64, on the CPU.
        """
        return predictions(self.head, values)

    @property
    def _linear(self) -> nn.Linear:
        """The linear layer of the head."""
        return next(module for module in self.head.modules() if isinstance(module, nn.Linear))

    def __repr__(self) -> str:
        if len(self.accuracies) > 1:
            how = f"chosen of {len(self.accuracies)} on validation ({self.accuracies[self.strength] * 100:.1f} % right)"
        else:
            how = "given"
        linear = self._linear
        what = f"linear probe of {linear.out_features} classes on {linear.in_features:,} numbers"
        return f"{what}, strength {self.strength:g} ({how})"


class UnitLength(nn.Module):
    """Features `[n, d]`, each row divided by its length."""

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features, dim=1)


def linear_probe(
    features: Features,
    *,
    strengths: Sequence[float] | np.ndarray | Tensor = (10.0,),
    validation: Features | None = None,
    scaling: str = "standardised",
) -> LinearProbe:
    """Fit a linear classifier to frozen features, for every strength of regularisation at once.

    Args:
        features: the labelled features `[n, d]` that it learns from, at least one example for each class.
        strengths: strengths of the regularisation, a sequence or an array, each above 0. With several, the most
            accurate one on `validation` is used, of equally accurate ones the strongest. 10 is a good start.
        validation: labelled features that choose the strength, never those of the test.
        scaling: "standardised" (by the mean and standard deviation of these features, folded into the head) or "unit
            length" (the features of each example divided by their length). With a few labelled examples of many
            features standardising costs points: ten examples are too few to estimate a deviation.

    Returns:
        The probe, with one head for each strength.

    Raises:
        ValueError: if there are no labels, there is only one class, a class has no example, `scaling` is neither of
            the two, a strength is not above 0, or there are several strengths and no `validation`.

    For each strength it minimises sum_i -log p(y_i | x_i) + strength / 2 ||W||^2, with p the softmax of W x + b and
    x the scaled features: scikit-learn's `LogisticRegression(C=1 / strength)`. (For two classes, as there, the
    penalty is that of the difference of their weights: strength / 2 ||w_1 - w_0||^2.) It warns if a fit did not
    converge.

    >>> import tlkit as tl
    >>> task, network = tl.data.digits(), tl.models.SmallCNN()
    >>> train, validation = (tl.extract_features(network, part) for part in (task.train, task.validation))
    >>> tl.linear_probe(train)
    linear probe of 10 classes on 64 numbers, strength 10 (given)
    >>> sorted(tl.linear_probe(train, strengths=(1, 10, 100), validation=validation).heads)
    [1, 10, 100]
    """
    if scaling not in ("standardised", "unit length"):
        raise ValueError(f"scaling={scaling!r}; use 'standardised' or 'unit length'")
    if isinstance(strengths, np.ndarray | Tensor):
        strengths = strengths.flatten().tolist()
    if not isinstance(strengths, Sequence) or not strengths or not all(0 < each < math.inf for each in strengths):
        raise ValueError(f"strengths={strengths}, but give at least one, each larger than 0; (10,) is a good start")
    if len(strengths) > 1 and validation is None:
        raise ValueError(f"{len(strengths)} strengths, but no validation= to choose one by; give it, or one strength")
    labels, classes = _labels(features), len(features.classes)
    without = [features.classes[number] for number in (labels.bincount(minlength=classes) == 0).nonzero()[:, 0]]
    if without or classes < 2:
        raise ValueError(
            f'class "{without[0]}" has no example among these features; give each class one, or leave it out of classes'
            if without
            else "there is only one class, so there is nothing to distinguish"
        )
    x = features.values.cpu() if features.values.device.type == "mps" else features.values  # which has no float64
    x = x.double()
    if scaling == "unit length":
        x, mean, deviation = F.normalize(x, dim=1), x.new_zeros(()), x.new_ones(())
    else:
        mean, deviation = x.mean(0), x.std(0, correction=0)
        deviation = deviation.where(deviation > 1e-6 * mean.abs(), 1)  # a constant feature stays as it is
        x = (x - mean) / deviation
    heads = {}
    for strength, weight, bias in zip(strengths, *_fit(x, labels.to(x.device), classes, strengths), strict=True):
        weight = weight / deviation
        linear = nn.utils.skip_init(nn.Linear, x.shape[1], classes, device=features.values.device)  # draws nothing
        linear.load_state_dict({"weight": weight, "bias": bias - (weight * mean).sum(1)})
        heads[strength] = nn.Sequential(UnitLength(), linear) if scaling == "unit length" else linear
    if validation is None:
        return LinearProbe(heads, strengths[0], {}, features.cut)
    labels = _labels(validation).cpu()
    correct = {strength: predictions(head, validation.values) == labels for strength, head in heads.items()}
    accuracies = {strength: float(each.double().mean()) for strength, each in correct.items()}
    best = max(accuracies, key=lambda strength: (accuracies[strength], strength))
    return LinearProbe(heads, best, accuracies, features.cut)


def _labels(features: Features) -> Tensor:
    """The labels of features that a probe learns from or is chosen by."""
    return features.required_labels("so there is nothing to learn from or to choose by")


def _fit(x: Tensor, labels: Tensor, classes: int, strengths: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Weights `[strengths, classes, d]` and biases `[strengths, classes]` of the minima, for x `[n, d]` in float64.

    Newton's method for all strengths at once, each with its own step size. The weights lie in the span of the
    examples, so at most n numbers describe them: below, `examples` are coordinates in that span, and the last
    coordinate is the 1 of the bias. All unknowns have the shape `[coordinates, strengths, classes]`.
    """
    mean = x.mean(0)
    left, sizes, span = torch.linalg.svd(x - mean, full_matrices=False)
    examples = torch.cat([left * sizes, torch.ones_like(x[:, :1])], 1)
    penalty = x.new_tensor(strengths)[:, None].repeat(len(sizes) + 1, 1, 1) * (2 if classes == 2 else 1)
    penalty[-1] = 0
    target, squares = F.one_hot(labels, classes).to(x.dtype)[:, None], examples.square().sum(0)[:, None, None]

    def outputs(weights: Tensor) -> Tensor:
        return (examples @ weights.flatten(1)).view(len(x), *weights.shape[1:])

    def slopes(errors: Tensor) -> Tensor:
        return (examples.mT @ errors.flatten(1)).view(-1, *errors.shape[1:])

    def losses(weights: Tensor, logits: Tensor) -> Tensor:
        each = logits.logsumexp(2, keepdim=True) - (logits * target).sum(2, keepdim=True)
        return each.sum(0, keepdim=True) + _inner(weights, penalty * weights) / 2

    weights = x.new_zeros(len(penalty), len(strengths), classes)
    for _ in range(NEWTON_STEPS):
        logits = outputs(weights)
        p, loss = logits.softmax(2), losses(weights, logits)
        gradient = slopes(p - target) + penalty * weights

        def curvature(direction: Tensor, p: Tensor = p) -> Tensor:
            change = outputs(direction)
            return slopes(p * (change - (p * change).sum(2, keepdim=True))) + penalty * direction

        diagonal = (squares * (p * (1 - p)).mean(0) + penalty).clamp_min(1e-12)
        if _inner(gradient, gradient / diagonal).max() < STEADY**2:
            break
        direction = _solve(curvature, diagonal, -gradient)
        change, expected, step = outputs(direction), _inner(gradient, direction), torch.ones_like(loss)
        for _ in range(40):
            falls = losses(weights + step * direction, logits + step * change) <= loss + 1e-4 * step * expected
            if falls.all():
                break
            step = step.where(falls, step / 2)
        weights = weights + step * direction
    else:
        warnings.warn("the probe did not converge; try larger strengths, or scaling='standardised'", stacklevel=3)
    weights, biases = weights[:-1].permute(1, 2, 0) @ span, weights[-1]
    return weights, biases - weights @ mean


def _solve(curvature: Callable[[Tensor], Tensor], diagonal: Tensor, wanted: Tensor) -> Tensor:
    """The solution of `curvature`(solution) = `wanted`, roughly, by conjugate gradients, each strength by itself.

    A little of the diagonal is added: adding one number to the bias of every class changes nothing, so the loss has no
    curvature in that direction.
    """
    solution, residual, direction = torch.zeros_like(wanted), wanted, wanted / diagonal
    size = _inner(residual, direction)
    enough = 0.01 * size
    for _ in range(200):
        product = curvature(direction) + 1e-6 * diagonal * direction
        step = (size / _inner(direction, product).clamp_min(1e-300)).where(size > enough, 0)
        solution, residual = solution + step * direction, residual - step * product
        before, size = size, _inner(residual, residual / diagonal)
        if (size <= enough).all():
            break
        direction = residual / diagonal + size / before.clamp_min(1e-300) * direction
    return solution


def _inner(one: Tensor, other: Tensor) -> Tensor:
    """The inner product for each strength, `[1, strengths, 1]`."""
    return (one * other).sum((0, 2), keepdim=True)
