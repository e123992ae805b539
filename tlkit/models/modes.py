"""Training and evaluation mode: which a network is in, and how it is put into another and back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn


def has_own_train(module: nn.Module) -> bool:
    """Whether a module's class does more than set a flag when it changes its mode."""
    return type(module).train is not nn.Module.train


def modes_of(network: nn.Module) -> dict[nn.Module, bool]:
    """Whether each module of a network is in training mode, a module before those inside it."""
    return {module: module.training for module in network.modules()}


def set_modes(modes: Mapping[nn.Module, bool]) -> None:
    """Put each module into training (True) or evaluation mode, through its class's own `train` if it has one.

    Layers that merge weights when they are evaluated do so in their `train`. Elsewhere the flag is set directly: a
    plan does this in each step, and `train` takes ten times as long.

    Args:
        modes: the modes by module, a module before those inside it.
    """
    for module, mode in modes.items():
        if module.training == mode:
            continue
        if has_own_train(module):
            module.train(mode)
        elif "training" in vars(module):
            vars(module)["training"] = mode
        else:  # a scripted module keeps it elsewhere
            module.training = mode


@contextmanager
def as_in_training(module: nn.Module) -> Iterator[None]:
    """Training mode for parts with a `train` of their own, whose weights may be others while they are evaluated."""
    own = [part for part in module.modules() if has_own_train(part)]
    modes = modes_of(module) if own else {}
    set_modes(dict.fromkeys(own, True))
    try:
        yield
    finally:
        set_modes(modes)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every module is in the mode it was in.

    Not `torch.inference_mode`: what a network keeps from a first pass made in it, such as the weights of lazy modules,
    could never learn.
    """
    modes = modes_of(network)
    set_modes(dict.fromkeys(modes, False))
    try:
        with torch.no_grad():
            yield
    finally:
        set_modes(modes)
