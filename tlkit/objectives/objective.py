"""What every objective is: a module that turns a network and a batch into a loss, and what a run calls it for."""

import re
import zlib
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from tlkit.models.copying import copied
from tlkit.models.moving_average import MovingAverage


class Objective(nn.Module):
    """What a run minimises: a subclass defines `forward`, and overrides of the rest what it needs.

    A `Run` works on a copy of its own (`run.objective`), so that one objective can be given to several runs. It owns
    what is thrown away after training: a decoder, a projector, heads of further tasks. Their weights learn beside the
    network's, by default at the run's learning rate; a plan may have rules for them (`tl.freezing.objective_groups`).

    >>> class Squares(Objective):
    ...     '''Logits near zero.'''
    ...     def forward(self, network, batch):
    ...         return {"loss": network(batch.inputs).square().mean()}
    >>> import tlkit as tl
    >>> tl.Run(tl.models.SmallCNN(), Squares(), tl.data.digits(), steps=2, device="cpu").finish()
    Run finished at step 2 of 2 on cpu
    """

    def __init__(self):
        super().__init__()

    def forward(self, network: nn.Module, batch: Any) -> dict[str, Tensor]:
        """The loss of a batch, and what else a run records.

        Args:
            network: the network that learns.
            batch: what the data of the run give in this step.

        Returns:
            "loss", a tensor `[]` with its gradient, and any other values `[]` by name.
        """
        raise NotImplementedError

    def begin(self, network: nn.Module, batches: Any) -> None:
        """Begin anew; a run calls it once, before its first step.

        Args:
            network: the run's network.
            batches: the run's data: `batches[step]` is a batch.
        """

    def after_step(self, network: nn.Module) -> None:
        """Follow the network, whose weights have just been updated; a run calls it after each step.

        Args:
            network: the run's network.

        Whatever it moves, make in `begin`.
        """

    @property
    def averaged(self) -> nn.Module | None:
        """The network to test in the place of the one that learns; None, the default, if there is no such network."""
        return None

    def settings(self) -> dict[str, Any]:
        """What it was made with, as plain values: a run is resumed only with an objective that has the same.

        A function is represented by its name and an object by its repr: what those do not show is not compared.
        """
        children = {name: part for name, part in self.named_children() if not name.startswith("_")}
        augmentations = {name: plain(part) for name, part in children.items() if not part.state_dict()}
        parts = {name: part.settings() for name, part in self.named_children() if isinstance(part, Objective)}
        return {"objective": type(self).__name__} | settings_of(self) | augmentations | parts


def own_copy(objective: Objective, network: nn.Module) -> Objective:
    """A copy of an objective for one run.

    Args:
        objective: the objective that a user gave the run.
        network: the network of the run.

    Returns:
        The copy. It shares the parts that belong to `network`, and other networks that are frozen: a copied network
        would be trained in the place of the run's own, and a frozen teacher need not be in memory twice. A teacher that
        `after_step` moves is not frozen: a `MovingAverage` is copied, and anything else is made in `begin`.
    """
    shared: list[Any] = [*network.modules(), *network.parameters(), *network.buffers()]
    own = {inner for part in objective.modules() if isinstance(part, MovingAverage) for inner in part.modules()}
    for part in {*objective.modules()} - own - {objective}:
        weights = [*part.parameters()]
        if weights and not own.intersection(part.modules()) and not any(weight.requires_grad for weight in weights):
            shared += part.modules()
    return copied(objective, shared)


def settings_of(module: nn.Module) -> dict[str, Any]:
    """The public attributes and buffers of a module, as plain values."""
    own = {**vars(module), **module._buffers}
    return {name: plain(value) for name, value in own.items() if not name.startswith("_") and name != "training"}


def plain(value: Any) -> Any:
    """A setting as JSON takes it."""
    if isinstance(value, partial):
        named = sorted([k, plain(v)] for k, v in value.keywords.items())
        return [plain(value.func), *map(plain, value.args), *named]
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return [[str(key), plain(part)] for key, part in value.items()]
    if isinstance(value, Tensor | np.ndarray | np.generic):
        large = np.asarray(value.cpu() if isinstance(value, Tensor) else value)
        return value.tolist() if large.size <= 1_000 else f"{[*large.shape]}, {zlib.crc32(large.tobytes()):08x}"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return getattr(value, "__qualname__", None) or re.sub(r" at 0x\w+", "", repr(value))
