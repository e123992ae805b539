"""Copies of networks, and what a copy needs to follow one that makes buffers in its first pass."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from torch import Tensor, nn

Modules = TypeVar("Modules", bound=nn.Module | tuple[nn.Module, ...])


def copied(of: Modules, shared: Iterable[Any] = ()) -> Modules:
    """A deep copy of a module, or of a tuple of modules that may share parts.

    Args:
        of: the modules; they stay as they are.
        shared: modules and tensors that the copy holds as they are.

    What a module has computed and keeps, such as the weight of `nn.utils.weight_norm`, cannot be copied with its
    history: the copy holds its value until it computes it again.
    """
    memo: dict[int, Any] = {id(part): part for part in shared}
    modules = [inner for module in (of if isinstance(of, tuple) else (of,)) for inner in module.modules()]
    kept = [value for module in modules for value in vars(module).values()]
    kept += [one for value in kept if isinstance(value, list | tuple) for one in value]
    kept += [one for value in kept if isinstance(value, dict) for one in value.values()]
    for value in kept:
        if isinstance(value, Tensor) and value.grad_fn is not None:
            memo[id(value)] = value.detach().clone()
    return copy.deepcopy(of, memo)


def take_buffers(module: nn.Module, state: Mapping[str, Any], declared: Mapping[nn.Module, Any] | None = None) -> None:
    """Let a module have those buffers that a state has, where the first pass makes some.

    Args:
        module: buffers that it lacks are copied from the state; those that the state lacks are taken away.
        state: a state dictionary of such a module.
        declared: the names of the buffers that each part declared when it was made: these become None instead.
    """
    weights = dict(module.named_parameters(remove_duplicate=False))
    buffers = dict(module.named_buffers(remove_duplicate=False))
    for key, value in state.items():
        if isinstance(value, Tensor) and key not in weights and key not in buffers:
            path, _, name = key.rpartition(".")
            module.get_submodule(path)._buffers[name] = value.detach().clone()
    for key in buffers.keys() - state.keys():
        path, _, name = key.rpartition(".")
        part = module.get_submodule(path)
        if name in part._non_persistent_buffers_set:
            continue
        if declared is not None and name in declared.get(part, ()):
            part._buffers[name] = None
        else:
            del part._buffers[name]
