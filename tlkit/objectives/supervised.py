"""Learning from labels: cross-entropy, cross-entropy near the start, and any loss of outputs and labels."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.augmentation import Augment, drawn_for_each
from tlkit.data.batches import Batch, PairedBatch, split_of
from tlkit.models.copying import copied
from tlkit.models.networks import require_one_input, required_logits, unwrapped
from tlkit.objectives.objective import Objective, settings_of


class CrossEntropy(Objective):
    """The supervised objective: L(theta, phi) = 1/M sum_i -log p(y_i | x_i), p the softmax of the network's logits.

    Args:
        augment: any callable from inputs `[batch, ...]` to such inputs; None leaves them as they are. Of several, such
            as (weak, strong), every example is seen once through each in the same step.
        class_weights: how much an example of each class counts, `[classes]`, a tensor or an array; None counts all the
            same. One over a class's share of the examples lets all classes count the same.

    Raises:
        ValueError: if a class weight is negative or not finite, or all are 0.

    With class weights w, L = sum_i w(y_i) (-log p(y_i | x_i)) / sum_i w(y_i), and 0 where no example of a batch counts.

    Of `PairedBatches` it learns from the labelled examples and leaves the others out: the baseline of an objective that
    learns from unlabelled examples too.
    """

    augment: Augment | Sequence[Augment] | None
    class_weights: Tensor | None

    def __init__(self, augment: Augment | Sequence[Augment] | None = None, class_weights: Any = None):
        super().__init__()
        self.augment = drawn_for_each(augment)
        if class_weights is not None:
            class_weights = torch.as_tensor(class_weights, dtype=torch.float32)
            if not ((class_weights >= 0) & class_weights.isfinite()).all() or not class_weights.any():
                raise ValueError(
                    f"class_weights={class_weights.tolist()}, but a weight is a finite number, at least 0, and one of "
                    "them is above 0"
                )
        self.register_buffer("class_weights", class_weights)
        self._expected: tuple[Any, ...] = ()  # how many classes the run's data have, and what an example is called

    def begin(self, network: nn.Module, batches: Any) -> None:
        require_one_input(network)
        split = split_of(batches)
        if split is not None and not isinstance(split.classes, Mapping):
            self._expected = len(split.classes), split.kind.noun

    def forward(self, network: nn.Module, batch: Batch | PairedBatch) -> dict[str, Tensor]:
        """The mean loss over the batch.

        Args:
            network: turns inputs `[batch, ...]` into logits `[batch, classes]`.
            batch: inputs and labels `[batch]`; of a `PairedBatch` the labelled side.

        Returns:
            "loss", `[]`.

        Raises:
            ValueError: if the batch has no labels, labels of several tasks, or other classes than the network or
                `class_weights`.
            TypeError: if the network returns something else than logits.
        """
        inputs, labels = batch[:2]
        if not isinstance(labels, Tensor):
            which = "none" if labels is None else f"those of several tasks ({', '.join(labels)})"
            raise ValueError(f"CrossEntropy needs labels of one task, but this batch has {which}; give it such a split")
        if self.augment:
            views = [self.augment] if callable(self.augment) else self.augment
            inputs, labels = torch.cat([view(inputs) for view in views]), labels.repeat(len(views))
        logits = required_logits(network(inputs), *self._expected)
        if not self._expected and labels.device.type == "cpu" and int(labels.max()) >= logits.shape[1]:
            raise ValueError(
                f"a label is {int(labels.max())}, but the network distinguishes the classes 0 to {logits.shape[1] - 1}"
                "; give it a head for all: network.with_new_head(classes)"
            )
        if self.class_weights is not None and self.class_weights.shape != logits.shape[1:]:
            raise ValueError(
                f"class_weights has the shape {list(self.class_weights.shape)}, but the network distinguishes "
                f"{logits.shape[1]} classes; give one weight for each"
            )
        if self.class_weights is None:
            return {"loss": F.cross_entropy(logits, labels)}  # ①
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        weights = self.class_weights.to(logits.dtype)
        total = (weights[labels.clamp_min(0)] * (labels >= 0)).sum()  # torch leaves out labels of -100
        total = total.clamp_min(torch.finfo(weights.dtype).tiny)
        return {"loss": F.cross_entropy(logits, labels, weights, reduction="sum") / total}


class Criterion(Objective):
    """Any loss of outputs and labels, such as `nn.CrossEntropyLoss()` or a function of your own.

    Args:
        loss: `loss(outputs, labels)` returns a tensor `[]`; its own weights, if it has any, learn too.
        augment: any callable from inputs `[batch, ...]` to such inputs; None leaves them as they are.

    Raises:
        TypeError: if `loss` cannot be called with two arguments.

    A run makes one of a loss that is given to it in the place of an objective.

    >>> import tlkit as tl
    >>> tl.Run(tl.models.SmallCNN(), nn.CrossEntropyLoss(), tl.data.digits(), steps=2, device="cpu").finish()
    Run finished at step 2 of 2 on cpu
    """

    def __init__(self, loss: Callable[[Any, Any], Tensor], augment: Augment | None = None):
        super().__init__()
        if not _takes_two(loss):
            name = loss.__name__ if isinstance(loss, type) else type(loss).__name__
            made = f"; make an object of this class first, {name}(...)" if isinstance(loss, type) else ""
            raise TypeError(
                f"a {name} is not an objective{made}; take one of tl.objectives, such as CrossEntropy(), a function "
                "loss(outputs, labels), or derive your own from tl.objectives.Objective, with "
                'forward(network, batch) -> {"loss": ...}'
            )
        self.loss, self.augment = loss, drawn_for_each(augment)

    def forward(self, network: nn.Module, batch: Batch | PairedBatch) -> dict[str, Tensor]:
        """The loss of the network's outputs and the batch's labels.

        Args:
            network: turns inputs `[batch, ...]` into outputs.
            batch: inputs and labels; of a `PairedBatch` the labelled side.

        Returns:
            "loss", `[]`.

        Raises:
            ValueError: if the loss is not one number.
        """
        inputs, labels = batch[:2]
        outputs = network(self.augment(inputs) if self.augment else inputs)
        try:
            loss = self.loss(outputs, labels)
        except IndexError as error:
            shape = list(getattr(outputs, "shape", ()))
            raise ValueError(
                f"the loss has no place for a label ({error}); the network's outputs are {shape}: does its head have "
                "one for each class?"
            ) from error
        if not isinstance(loss, Tensor) or loss.shape != ():
            what = (
                f"a tensor of the shape {list(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
            )
            raise ValueError(f"the loss of a batch is one number, a tensor [], but this is {what}; take its mean")
        return {"loss": loss}

    def settings(self) -> dict[str, Any]:
        """What it was made with; of a loss that is a module also what that was made with."""
        if not isinstance(self.loss, nn.Module):
            return super().settings()
        return super().settings() | {"loss": f"{type(self.loss).__name__} {settings_of(self.loss)}"}


def as_objective(objective: Any) -> Objective:
    """An objective itself, or the `Criterion` of a loss(outputs, labels). Raises TypeError for anything else."""
    return objective if isinstance(objective, Objective) else Criterion(objective)


def _takes_two(loss: Any) -> bool:
    """Whether something can be called with outputs and labels."""
    if isinstance(loss, type) or not callable(loss):
        return False
    try:
        inspect.signature(loss.forward if isinstance(loss, nn.Module) else loss).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # it has no signature, as some functions of torch
        return True
    return True


class L2SP(Objective):
    """Cross-entropy, with the weights drawn to where they started instead of to zero.

    Args:
        start: the pre-trained network; a frozen copy of it is kept.
        strength: how strongly the pre-trained weights are drawn to `start`, at least 0; alpha in the paper.
        head_strength: how strongly the new weights are drawn to zero, at least 0; beta in the paper.
        augment: see `CrossEntropy`.
        class_weights: how much an example of each class counts, `[classes]`, see `CrossEntropy`.

    Raises:
        ValueError: if a strength is negative.

    Source: Li, Grandvalet and Davoine, Explicit Inductive Bias for Transfer Learning with Convolutional Networks, 2018.

    L = cross-entropy + strength/2 ||theta - theta_start||^2 + head_strength/2 ||phi||^2. theta are the weights that
    `start` has under the same name and with the same shape, its `head` left out; phi are the others: the new head.
    Frozen weights add nothing that could change. It takes the place of weight decay, which draws to zero:
    `optimizer=partial(torch.optim.AdamW, weight_decay=0)`.

    A run also records `cross_entropy`, and `distance`, that from the start: ||theta - theta_start||.
    """

    def __init__(
        self,
        start: nn.Module,
        strength: float = 0.05,
        head_strength: float = 0.01,
        augment: Augment | Sequence[Augment] | None = None,
        class_weights: Any = None,
    ):
        super().__init__()
        if not min(strength, head_strength) >= 0:
            raise ValueError(f"strength={strength} and head_strength={head_strength}, but neither can be below 0")
        self.cross_entropy = CrossEntropy(augment, class_weights)
        self.start = copied(start).requires_grad_(False)
        self.strength, self.head_strength = strength, head_strength

    def begin(self, network: nn.Module, batches: Any) -> None:
        self.cross_entropy.begin(network, batches)

    def forward(self, network: nn.Module, batch: Batch | PairedBatch) -> dict[str, Tensor]:
        """The loss, the cross-entropy of the batch, and the distance from the start.

        Args:
            network: the network that learns, such as a copy of `start` with a new head.
            batch: inputs and labels, see `CrossEntropy.forward`.

        Returns:
            "loss", "cross_entropy" and "distance", `[]` each.

        Raises:
            ValueError: if the network has no weight of `start`, and for what `CrossEntropy.forward` refuses.
        """
        start = {name: w for name, w in unwrapped(self.start).named_parameters() if not name.startswith("head.")}
        moved, new = [], []
        for name, weight in unwrapped(network).named_parameters():
            known = name in start and start[name].shape == weight.shape
            (moved if known else new).append(weight - start[name] if known else weight)
        if not moved:
            raise ValueError("this network has no weight of the start, so nothing can stay near it; start from a copy")
        distance, size = (sum(w.square().sum() for w in weights) for weights in (moved, new))
        loss = self.cross_entropy(network, batch)["loss"]
        return {
            "loss": loss + self.strength / 2 * distance + self.head_strength / 2 * size,  # ①
            "cross_entropy": loss,
            "distance": torch.as_tensor(distance).sqrt(),
        }
