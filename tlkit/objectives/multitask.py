"""Several tasks at once: one backbone learns from the labels of all of them."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.augmentation import Augment, drawn_for_each
from tlkit.data.batches import Batch, split_of
from tlkit.models.networks import Network, logits, new_head, required_logits, required_parts, seeded
from tlkit.objectives.objective import Objective


class MultiTask(Objective):
    """Learn several tasks with one backbone and a head a task: L = sum over tasks t of w_t L_t.

    Args:
        first: the name of the first task, whose head is the network's own: it is what `tl.evaluate(run, ...)` tests.
        heads: how many classes each further task has, by its name. Their linear heads belong to the objective, are made
            when a run begins, and are layer groups for a plan: `Rule("objective.heads.parity")`.
        weights: w_t by the name of the task, at least 0; a task that is not named has 1, and None gives 1 to all.
            "uncertainty" learns them.
        augment: any callable from inputs `[batch, ...]` to such inputs; None leaves them as they are.
        seed: the random seed of the further heads' first weights.

    Raises:
        ValueError: if a task is named twice or cannot name a head, or has less than one class, if a weight is negative,
            not finite or for no task, or all are 0.

    Source: Caruana, Multitask Learning, 1997; for "uncertainty" Kendall, Gal and Cipolla, Multi-Task Learning Using
    Uncertainty to Weigh Losses for Scene Geometry and Semantics, 2018, section 3.

    L_t is the mean cross-entropy over those examples of the batch whose label in t is known, that is, not -1; where
    none is, the task adds 0, and its gradient is 0. Features are computed once, for all tasks. With "uncertainty" each
    task has a learnt s_t = log sigma_t^2, 0 at first, in `log_variances`:
    L = sum_t [exp(-s_t) L_t + s_t / 2], smallest for a fixed L_t at sigma_t^2 = 2 L_t. For a plan they are the group
    "objective".

    A run also records, by name of the task, "digit loss" (L_t), "digit known" (the share of the batch whose label in it
    is known), and with "uncertainty" "digit weight" (exp(-s_t)). Tasks of the data that it does not name are left out.

    >>> import tlkit as tl
    >>> MultiTask("digit", {"parity": 2}, weights={"parity": 0.5})
    MultiTask: 1 x digit + 0.5 x parity
    """

    log_variances: nn.Parameter | None

    def __init__(
        self,
        first: str,
        heads: Mapping[str, int],
        weights: Mapping[str, float] | str | None = None,
        augment: Augment | None = None,
        seed: int = 0,
    ):
        super().__init__()
        self.first, self.classes, self.augment, self.seed = first, dict(heads), drawn_for_each(augment), seed
        self.heads = nn.ModuleDict()
        if first in heads:
            raise ValueError(f"{first!r} is the first task, whose head is the network's own; leave it out of heads=")
        for name, classes in heads.items():
            if not name or "." in name or hasattr(self.heads, name):
                raise ValueError(f"{name!r} cannot be the name of a head; choose a word without dots for the task")
            if not classes >= 1:
                raise ValueError(f"the task {name!r} has {classes} classes, but a head distinguishes at least 1")
        if weights == "uncertainty":
            self.weights: Any = weights
            self.log_variances = nn.Parameter(torch.zeros(len(self.tasks)))
            return
        if not isinstance(weights, Mapping | None):
            raise ValueError(f'weights={weights!r}; give {{task: weight}}, "uncertainty", or None for 1 each')
        weights = weights or {}
        if unknown := [name for name in weights if name not in self.tasks]:
            raise ValueError(f"there is a weight for {unknown[0]!r}, but the tasks are {', '.join(self.tasks)}")
        self.weights = dict.fromkeys(self.tasks, 1.0) | dict(weights)
        self.log_variances = None
        for name, weight in self.weights.items():
            if not 0 <= weight < math.inf:
                raise ValueError(f"the weight of {name!r} is {weight}, but a weight is a finite number, at least 0")
        if not any(self.weights.values()):
            raise ValueError("every task has the weight 0, so nothing can learn; give one of them 1")

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of all tasks, the first one first."""
        return self.first, *self.classes

    def begin(self, network: nn.Module, batches: Any) -> None:
        """Make the heads of the further tasks anew, and look whether tasks, heads and data fit.

        Args:
            network: the run's network, a `tl.models.Network`.
            batches: the run's data, whose labels are a dictionary by task: of such a split, or `tl.data.JointBatches`.

        Raises:
            ValueError: if the data have not all of the tasks, no label of one, or other classes than its head.
            TypeError: if the network is not made of a backbone and a head.
        """
        inner = self._parts(network)
        batch, split = batches[0], split_of(batches)
        labels = batch.labels if split is None else split.labels
        if not isinstance(labels, Mapping):
            raise ValueError(
                "MultiTask needs labels of several tasks by name, but these data have "
                f"{'none' if labels is None else 'those of one'}; give the run a split with labels={{task: labels}} "
                "and classes={task: names}, or tl.data.JointBatches({task: split})"
            )
        if unknown := [name for name in self.tasks if name not in labels]:
            known = ", ".join(labels)
            raise ValueError(f"there are no labels of a task {unknown[0]!r}; these data have those of {known}")
        for name in self.tasks if split is not None else ():
            noun, count = split.kind.noun, len(split.classes[name])  # type: ignore[union-attr, call-overload]
            if not (labels[name] >= 0).any():
                raise ValueError(f"no {noun} has a label of the task {name!r}; leave the task out")
            if name == self.first:
                required_logits(logits(network, batch.inputs[:2]), count, noun)
            elif count != self.classes[name]:
                raise ValueError(f"heads= gives {name!r} {self.classes[name]} classes, but the {noun}s have {count}")
        if self.log_variances is not None:
            nn.init.zeros_(self.log_variances)
        with seeded(self.seed):
            self.heads = nn.ModuleDict({name: new_head(inner.backbone, n) for name, n in self.classes.items()})

    def forward(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The weighted sum of the losses of all tasks.

        Args:
            network: a Network, whose features all heads share.
            batch: inputs, and labels `[batch]` by the name of the task, -1 where they are not known.

        Returns:
            "loss", and for each task its loss, the share of known labels, and its weight if that is learnt; `[]` each.

        Raises:
            TypeError: if the network is not made of a backbone and a head.
        """
        inner = self._parts(network)
        features = inner.features(self.augment(batch.inputs) if self.augment else batch.inputs)
        values: dict[str, Tensor] = {}
        total = torch.zeros((), device=features.device)
        for number, name in enumerate(self.tasks):
            labels = batch.labels[name]
            outputs = (inner.head if name == self.first else self.heads[name])(features)
            known = labels >= 0
            each = F.cross_entropy(outputs, labels.clamp(min=-1), reduction="sum", ignore_index=-1)
            loss = each / known.sum().clamp(min=1)  # where none is known the sum is 0
            if self.log_variances is None:
                total = total + self.weights[name] * loss  # ①
            else:
                s = self.log_variances[number]
                total = total + known.any() * ((-s).exp() * loss + s / 2)  # ②
                values[f"{name} weight"] = (-s).exp()
            values |= {f"{name} loss": loss, f"{name} known": known.float().mean()}
        return {"loss": total} | values

    def network_of(self, network: nn.Module, task: str) -> Network:
        """The network of one task: the shared backbone and the head of that task, as it is now.

        Args:
            network: the network of the run, `run.network`.
            task: the name of the task.

        Returns:
            A Network that shares its weights with `network` and with this objective, to be tested as any other.

        Raises:
            ValueError: for an unknown task, or before a run has made the heads.
            TypeError: if the network is not made of a backbone and a head.

        >>> import tlkit as tl
        >>> digits = tl.data.digits().train
        >>> names = {"digit": digits.classes, "parity": ("even", "odd")}
        >>> both = tl.data.Split(digits.images, {"digit": digits.labels, "parity": digits.labels % 2}, names)
        >>> run = tl.Run(tl.models.SmallCNN(), MultiTask("digit", {"parity": 2}), both, steps=100, device="cpu")
        >>> run = run.finish()
        >>> parity = run.objective.network_of(run.network, "parity")
        >>> tl.evaluate(parity, both.of("parity")).accuracy > 0.8
        True
        """
        inner = self._parts(network)
        if task not in self.tasks:
            raise ValueError(f"there is no task {task!r}; the tasks are {', '.join(self.tasks)}")
        if task == self.first:
            return Network(inner.backbone, inner.head, inner.preprocess)
        if task not in self.heads:
            raise ValueError(f"{task!r} has no head yet; a run makes it: take that of the run, run.objective")
        return Network(inner.backbone, self.heads[task], inner.preprocess)

    def _parts(self, network: nn.Module) -> Network:
        return required_parts(network, "MultiTask gives one backbone several heads")

    def __repr__(self) -> str:
        learnt = self.weights == "uncertainty"
        terms = [name if learnt else f"{self.weights[name]:g} x {name}" for name in self.tasks]
        return f"MultiTask: {' + '.join(terms)}" + (", weighted by uncertainty" if learnt else "")
