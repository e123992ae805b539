"""Copies of the state of what a run trains, to go back to when a value is no longer finite."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tlkit.models.copying import take_buffers
from tlkit.models.modes import as_in_training

State = Sequence[dict[str, Any]]


class Keeper:
    """Copies the state of what a run trains, and puts it back.

    Args:
        parts: the network and the objective, then whatever else has a `state_dict`: the optimizer, an average or None.

    It watches those weights and buffers of network and objective that are finite at the start: a mask may hold
    infinities.
    """

    def __init__(self, *parts: Any):
        self.parts = [part for part in parts if part is not None]
        modules = [part for part in parts[:2] if isinstance(part, nn.Module)]
        trained = [part for part in self.parts if isinstance(part, nn.Module)]
        self._declared = {inner: {*inner._buffers} for part in trained for inner in part.modules()}
        self._buffers = [buffer for module in modules for buffer in module.buffers()]
        weights = [weight for module in modules for weight in module.parameters()]
        self._watched = [tensor for tensor in [*weights, *self._buffers] if tensor.isfinite().all()]
        self.first = self.state()

    def state(self) -> State:
        """A copy of the present state, part by part."""
        with self._as_in_training():
            return tuple(_copied(part.state_dict()) for part in self.parts)

    def restore(self, state: State) -> None:
        """Go back to a state.

        Args:
            state: what `state` returned.
        """
        with self._as_in_training():
            for part, values in zip(self.parts, state, strict=True):
                if isinstance(part, nn.Module):
                    take_buffers(part, values, self._declared)
                part.load_state_dict(_copied(values))

    @contextmanager
    def _as_in_training(self) -> Iterator[None]:
        with ExitStack() as stack:
            for part in self.parts:
                if isinstance(part, nn.Module):
                    stack.enter_context(as_in_training(part))
            yield

    def buffers(self) -> list[Tensor]:
        """A copy of the present buffers: a forward pass may move them before its loss turns out not to be finite."""
        return [buffer.clone() for buffer in self._buffers]

    def put_back(self, buffers: Sequence[Tensor]) -> None:
        """Give the buffers earlier values.

        Args:
            buffers: what `buffers` returned.
        """
        for buffer, value in zip(self._buffers, buffers, strict=True):
            buffer.copy_(value)

    def finite(self) -> bool:
        """Whether every watched value is still a finite number."""
        sums = torch.stack([tensor.sum() for tensor in self._watched])  # finite weights have finite sums: a quick look
        return bool(sums.isfinite().all()) or all(bool(tensor.isfinite().all()) for tensor in self._watched)


def frozen_in(module: nn.Module) -> list[str]:
    """The names of the weights of a module that have `requires_grad=False`."""
    return [name for name, weight in module.named_parameters() if not weight.requires_grad]


def _copied(value: Any) -> Any:
    """A state with copies of its tensors; a deep copy would take four times as long."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value
