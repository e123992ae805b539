"""A run in one file, and a run that goes on from it: tensors as safetensors, all else as JSON in its metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor, nn

from tlkit import __version__
from tlkit.files import whole_file
from tlkit.freezing import FreezePlan
from tlkit.training.run import Run

FORMAT = 1
SETTINGS = ("steps", "schedule", "average", "seed", "precision", "fast")  # what Run takes and keeps under the same name


def save(run: Run, path: str | PathLike[str]) -> None:
    """What `Run.save` does: see there."""
    path, tensors = Path(path), {}
    about = {
        "format": FORMAT,
        "versions": {"tlkit": __version__, "torch": torch.__version__},
        "settings": {name: getattr(run, name) for name in SETTINGS},
        "plan": None if run.plan is None else run.plan.to_json(),
        "made with": _made_with(run),
        "state": _flat(run.state_dict(), "run", tensors),
    }
    try:
        with whole_file(path) as temporary:
            temporary.write_bytes(as_bytes(tensors, {"tlkit": json.dumps(about)}))
    except OSError as error:
        words = f"the run is not saved ({error.strerror}), and what stood at this place is as it was"
        raise OSError(error.errno, words, str(path)) from error


def resume(
    path: str | PathLike[str],
    network: nn.Module,
    objective: nn.Module,
    data: Any,
    *,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.AdamW,
    device: torch.device | str | None = None,
) -> Run:
    """The run that `run.save(path)` wrote: it goes on from its step as if it had never been interrupted.

    Make `network`, `objective`, `data` and `optimizer` as for the run that was saved; the weights come from the file,
    and so do steps, rate, schedule, plan, average, seed, batch size, precision and history.
    Raises ValueError, before any weight is changed, if the file is damaged or not a run, if its weights do not fit
    (listed by name), or if the data, the optimizer or what you froze yourself are not as they were.

    >>> import tempfile, tlkit as tl
    >>> def parts():
    ...     return tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits()
    >>> run = tl.Run(*parts(), steps=3, device="cpu")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run.save(f"{folder}/run.safetensors")
    ...     tl.resume(f"{folder}/run.safetensors", *parts(), device="cpu").finish()
    Run finished at step 3 of 3 on cpu
    """
    about, tensors = _read(Path(path))
    state, before = _whole(about["state"], tensors), about["made with"]
    _require_same_weights("network", network, state["now"][0])
    plan = None if about["plan"] is None else FreezePlan.from_json(about["plan"])
    options = {**about["settings"], "lr": state["lr"], "batch_size": before["batch size"] or 64, "plan": plan}
    run = Run(network, objective, data, optimizer=optimizer, device=device, **options)
    _require_same_weights("objective", objective, state["now"][1])  # it has all of them once it has begun
    now = _made_with(run)
    other = [f"{what}: {then} then, {now[what]} now" for what, then in before.items() if then != now[what]]
    if other:
        raise ValueError(
            f"{path} is of a run that was made with something else ({'; '.join(other)}); make it as it was"
        )
    run.load_state_dict(state)
    return run


def _made_with(run: Run) -> dict[str, Any]:
    """What must be the same again for a run to go on exactly, as far as it can be told."""
    images = [len(getattr(run.batches, part, ())) or None for part in ("split", "labelled", "unlabelled")]
    return {
        **dict(zip(("images", "labelled images", "unlabelled images"), images, strict=True)),
        "batch size": getattr(run.batches, "batch_size", None),
        "unlabelled images for each labelled one": getattr(run.batches, "ratio", None),
        "seed of the batches": getattr(run.batches, "seed", None),
        "optimizer": type(run.optimizer).__name__,
        "frozen by you": [name for name, weight in run.network.named_parameters() if not weight.requires_grad],
    }


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            told = (file.metadata() or {}).get("tlkit")
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged, or not a file that run.save() wrote ({error}); take another copy"
        ) from error
    if told is None:
        raise ValueError(f"{path} holds weights, but no run to go on with; run.save() writes such a file")
    about = json.loads(told)
    if about["format"] > FORMAT:
        raise ValueError(
            f"{path} was written by a newer tlkit ({about['versions']['tlkit']}); install that one to resume"
        )
    return about, tensors


def _require_same_weights(part: str, module: nn.Module, saved: Mapping[str, Any]) -> None:
    here, there = (
        {name: f"{list(value.shape)}" for name, value in state.items() if isinstance(value, Tensor)}
        for state in (module.state_dict(), saved)
    )
    wrong = [name for name in {**there, **here} if here.get(name) != there.get(name)]
    if wrong:
        shown = [f"{name}: {there.get(name, 'none')} in the file, {here.get(name, 'none')} here" for name in wrong[:10]]
        more = f"; and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise ValueError(f"the weights in the file are not those of this {part}: {'; '.join(shown)}{more}")


def _flat(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """A nested state as JSON, its tensors put aside under names; keys that are numbers stay numbers."""
    if isinstance(value, Tensor):
        tensors[name] = value.cpu().contiguous()
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"items": [[key, _flat(part, f"{name}.{key}", tensors)] for key, part in value.items()]}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_flat(part, f"{name}.{number}", tensors) for number, part in enumerate(value)]
    return value


def _whole(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What `_flat` made flat."""
    if isinstance(value, list):
        return [_whole(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    return {key: _whole(part, tensors) for key, part in value["items"]}
