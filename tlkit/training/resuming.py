"""A run that goes on from a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from tlkit.freezing import FreezePlan
from tlkit.objectives.objective import Objective
from tlkit.objectives.supervised import as_objective
from tlkit.training import checkpoint
from tlkit.training.keeping import frozen_in
from tlkit.training.provenance import made_with
from tlkit.training.run import Run
from tlkit.words import listed


def resume(
    path: str | PathLike[str],
    network: nn.Module,
    objective: Objective | Callable[[Any, Any], Tensor],
    data: Any,
    *,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.AdamW,
    device: torch.device | str | None = None,
) -> Run:
    """The run that `run.save(path)` wrote: it goes on from its step as if it had never been interrupted.

    Args:
        path: the file that `run.save` wrote.
        network: a network made like that of the run; its weights come from the file.
        objective: an objective made like that of the run.
        data: the data of the run.
        optimizer: the optimizer of the run; AdamW by default.
        device: where to go on; by default `tl.hardware().device`, the best one here.

    Returns:
        The run. Its steps, learning rate, schedule, plan, average, seed, batch size, precision and history come from
        the file too.

    Raises:
        ValueError: before any weight is changed, if the file is damaged or not a run; if its weights do not fit (listed
            by name), or a frozen network inside the objective has others; or if the data, the objective's settings, the
            optimizer or what you froze yourself are not as they were.

    >>> import tempfile, tlkit as tl
    >>> def parts():
    ...     return tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits()
    >>> run = tl.Run(*parts(), steps=3, device="cpu")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run.save(f"{folder}/run.safetensors")
    ...     tl.resume(f"{folder}/run.safetensors", *parts(), device="cpu").finish()
    Run finished at step 3 of 3 on cpu
    """
    about = checkpoint.read(path)
    state, before = about["run"], about["made with"]
    _require_same_weights("network", network, state["now"][0])
    objective = as_objective(objective)
    plan = None if about["plan"] is None else FreezePlan.from_json(about["plan"])
    options = {**about["settings"], "lr": state["lr"], "batch_size": before["batch size"] or 64, "plan": plan}
    with _frozen_as_at_first(network, before["frozen by you"], state):
        run = Run(network, objective, data, optimizer=optimizer, device=device, **options)
        _require_same_weights("objective", run.objective, state["now"][1])  # it has all of them once it has begun
        shared = {id(weight) for weight in objective.parameters()} - {id(weight) for weight in network.parameters()}
        held = {name: weight for name, weight in run.objective.named_parameters() if id(weight) in shared}
        if changed := [name for name, weight in held.items() if not weight.equal(state["now"][1][name].to(weight))]:
            words = "give the objective the frozen network that it had"
            raise ValueError(f"{path} was saved with other values of {listed(changed)}, which do not learn; {words}")
        now = made_with(run)["made with"]
        sizes = (state["now"][2]["param_groups"], run.optimizer.param_groups)
        before["weights in the optimizer's groups"], now["weights in the optimizer's groups"] = (
            [len(group["params"]) for group in groups] for groups in sizes
        )
        pairs = {name: (str(before.get(name, "not there")), str(now.get(name, "not there"))) for name in before | now}
        other = [f"{name}: {then} then, {here} now" for name, (then, here) in pairs.items() if then != here]
        if other:
            raise ValueError(f"{path} is of a run made with something else ({'; '.join(other)}); make it as it was")
    run.load_state_dict(state)
    return run


@contextmanager
def _frozen_as_at_first(network: nn.Module, at_first: Sequence[str], state: Mapping[str, Any]) -> Iterator[None]:
    """Freeze a network as it was when the run was made, if it is frozen as it was then or as it was when saved.

    The optimizer is then made of the same weights. When the block fails, the network is as it was.
    """
    flags = {weight: weight.requires_grad for weight in network.parameters()}
    saved = state["frozen"][0] if "frozen" in state else at_first
    if frozen_in(network) in ([*at_first], [*saved]):
        for name, weight in network.named_parameters():
            weight.requires_grad_(name not in at_first)
    try:
        yield
    except BaseException:
        for weight, flag in flags.items():
            weight.requires_grad_(flag)
        raise


def _require_same_weights(part: str, module: nn.Module, saved: Mapping[str, Any]) -> None:
    """Refuse a state whose tensors have other names or shapes than those of the module."""
    here, there = (
        {name: f"{list(value.shape)}" for name, value in state.items() if isinstance(value, Tensor)}
        for state in (module.state_dict(), saved)
    )
    buffers = [(f"{at}." * bool(at), part._buffers) for at, part in module.named_modules()]
    later = {at + name for at, own in buffers for name, buffer in own.items() if buffer is None}
    there = {name: shape for name, shape in there.items() if name not in later}  # those are made in the first pass
    wrong = [name for name in {**there, **here} if here.get(name) != there.get(name)]
    if wrong:
        shown = (f"{name} ({there.get(name, 'none')} in the file, {here.get(name, 'none')} here)" for name in wrong)
        raise ValueError(f"the weights in the file are not those of this {part}: {listed(shown)}")
