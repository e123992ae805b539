"""Nested states in one file: tensors as safetensors, the rest as JSON in its metadata. It knows only dictionaries."""

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from tlkit import __version__
from tlkit.files import whole_file

FORMAT = 2  # 1 was before a run had an objective of its own


def write(path: str | PathLike[str], about: Mapping[str, Any]) -> None:
    """Write nested mappings and sequences of plain values and tensors: the whole file or nothing.

    Args:
        path: where to write it.
        about: what to write, by name.

    Raises:
        OSError: if it cannot be written; a file that stood there before is then as it was.
    """
    tensors: dict[str, Tensor] = {}
    stamp = {"format": FORMAT, "versions": {"tlkit": __version__, "torch": torch.__version__}}
    plain = {**stamp, **{name: _flat(part, name, tensors) for name, part in about.items()}}
    try:
        with whole_file(path) as temporary:
            temporary.write_bytes(as_bytes(tensors, {"tlkit": json.dumps(plain)}))
    except OSError as error:
        words = f"the run is not saved ({error.strerror}), and what stood at this place is as it was"
        raise OSError(error.errno, words, str(path)) from error


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """What `write` wrote.

    Args:
        path: the file.

    Returns:
        What was written, by name, its tensors on the CPU.

    Raises:
        ValueError: if the file is damaged, if `write` did not write it, or if it has the format of another tlkit.
    """
    path = Path(path).expanduser()
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            written = (file.metadata() or {}).get("tlkit")
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged, or not a file that run.save() wrote ({error}); take a copy") from error
    if written is None:
        raise ValueError(f"{path} holds weights, but no run to go on with; run.save() writes such a file")
    about = json.loads(written)
    if about["format"] != FORMAT:
        age = "a newer" if about["format"] > FORMAT else "an older"
        raise ValueError(
            f"{path} was written by {age} tlkit ({about['versions']['tlkit']}, format {about['format']}; here it is "
            f"{__version__}, format {FORMAT}); resume it with that one, or train anew"
        )
    return {name: _whole(part, tensors) for name, part in about.items() if name not in ("format", "versions")}


def _flat(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """A nested state as JSON takes it, with its tensors put aside under names; keys that are numbers stay numbers."""
    if isinstance(value, Tensor):
        tensors[name] = value.cpu().contiguous()
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"items": [[key, _flat(part, f"{name}.{key}", tensors)] for key, part in value.items()]}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_flat(part, f"{name}.{number}", tensors) for number, part in enumerate(value)]
    return value.item() if isinstance(value, np.generic) else value


def _whole(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The nested state that `_flat` made flat."""
    if isinstance(value, list):
        return [_whole(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    return {key: _whole(part, tensors) for key, part in value["items"]}
