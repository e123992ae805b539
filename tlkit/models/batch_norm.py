"""Batch-norm statistics: what a network takes its inputs to be like, and how to replace it by what others are like."""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from tlkit.data.kinds import Kind, as_precise, checked
from tlkit.data.tasks import as_split
from tlkit.models.copying import copied
from tlkit.models.modes import evaluating
from tlkit.models.networks import evaluation_batch, precision_of

Anything = TypeVar("Anything", bound=nn.Module)


def adapt_batchnorm(network: Anything, inputs: Any) -> Anything:
    """A copy of a network whose batch-norm statistics are those of other inputs: no label, no training.

    Args:
        network: any network with batch norm, or a Run; it stays as it is.
        inputs: `[n, ...]`, or a Split or what `tl.data.as_split` takes, whose labels are not looked at; the more, the
            better, and at least 2.

    Returns:
        A network with the same weights and new running means and variances, in the mode of the old one.

    Raises:
        ValueError: if the network keeps no batch-norm statistics, there are fewer than 2 inputs, or one is not finite.
        TypeError: if the inputs are neither examples nor a split.

    Source: Li et al., Revisiting Batch Normalization for Practical Domain Adaptation, 2016 (AdaBN).

    All inputs go through the network once, in random order, since the statistics of a batch of one class are not those
    of the task. Where they do not fit into one batch the statistics are the means over the batches. Dropout is off.

    >>> import tlkit as tl
    >>> adapted = adapt_batchnorm(tl.models.SmallCNN(), tl.data.digits().train)
    >>> adapted
    SmallCNN of 40,618 weights: block1, block2, block3, features, head
    """
    network = getattr(network, "tested", network)  # of a Run
    if not isinstance(inputs, Tensor) and not hasattr(inputs, "part"):
        inputs = as_split(inputs).inputs
    inputs = checked(inputs, Kind() if inputs.dtype.is_floating_point else None)[0]
    adapted = copied(network)
    norms = [part for part in adapted.modules() if isinstance(part, _BatchNorm) and part.running_mean is not None]
    if not norms:
        raise ValueError(
            f"this {type(network).__name__} keeps no batch-norm statistics, so there is nothing to adapt; align its "
            "features instead, with tl.objectives.CORAL, or learn from its own labels, tl.balanced_pseudo_labels"
        )
    if len(inputs) < 2:
        raise ValueError(f"a variance needs at least 2 inputs, but there are {len(inputs)}; give all that you have")
    device = next(adapted.buffers()).device
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
    parts = -(-len(inputs) // max(evaluation_batch(network, inputs, device), 32))
    before = [(norm.momentum, copied(norm).state_dict()) for norm in norms]
    with evaluating(adapted):
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over the batches
            norm.train()
        for chosen in order.tensor_split(parts):
            part = inputs[chosen] if isinstance(inputs, Tensor) else inputs.part(chosen)[:]
            adapted(as_precise(part.to(device), precision_of(network)))
    for norm, (momentum, state) in zip(norms, before, strict=True):
        norm.momentum = momentum
        if not norm.num_batches_tracked:  # the inputs do not pass through it
            norm.load_state_dict(state)
    return adapted


def call_unmoved(network: nn.Module, inputs: Tensor, state_of: nn.Module | None = None) -> Tensor:
    """The outputs of a network whose buffers, such as running statistics, stay as they are, whatever its mode.

    Args:
        network: its structure and its modes are used.
        inputs: `[n, ...]`.
        state_of: whose weights and buffers are used; by default the network's own. Gradients reach them.

    Returns:
        What the network returns.
    """
    weights = dict(state_of.named_parameters()) if state_of else {}
    buffers = {name: buffer.clone() for name, buffer in (state_of or network).named_buffers()}
    return functional_call(network, weights | buffers, inputs)
