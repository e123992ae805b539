"""Weights files: found or downloaded, opened without running code, loaded into a model or refused by name."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from tlkit.data.downloads import fetch
from tlkit.files import path_named
from tlkit.words import listed

ENDINGS = (".safetensors", ".pth", ".pt", ".th", ".ckpt")
# What wrappers put before all names: DataParallel, torch.compile, and Lightning modules by usual names.
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")


def published(url: str, content: str) -> Path:
    """The file at `url`: from the folder weights in TLKIT_DATA, from torch hub's cache, or downloaded into it.

    Its name ends in the first digits of its sha256, as torch hub's do. Raises OSError that names the `content` and says
    where it was looked for, what went wrong and what to do.
    """
    name = url.rpartition("/")[2]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / name
    data = path_named("TLKIT_DATA")
    for path in ([data / "weights" / name] if data else []) + [cached]:
        if path.is_file():
            return path
    digits = re.search(r"-([0-9a-f]{8,})\.", name)
    assert digits, name
    try:
        return fetch(url, cached, sha256=digits[1])
    except OSError as error:
        raise type(error)(
            f"{content} are neither in TLKIT_DATA ({f'{data}/weights' if data else 'not set'}) nor in torch's cache "
            f"({cached.parent}), and {name} could not be downloaded: {error}. Try another network, put the file into "
            "one of these folders, or start from random weights: weights=None"
        ) from error


def weights_in(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file, by name; code in one is never run.

    They may lie inside "state_dict" or "model"; what wrappers put before all names, such as `module.`, is taken off. Of
    a file of `run.save` they are the network's that was tested: the averaged one, if the run kept one.
    Raises OSError if there is no such file or it cannot be opened, ValueError if it holds no tensors by name.
    """
    from safetensors import safe_open
    from safetensors.torch import load_file

    if path.suffix not in ENDINGS:
        raise ValueError(f"{path} is not named like a weights file, which ends in {', '.join(ENDINGS)}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path.absolute()}; look at its path")
    try:
        safe = path.suffix == ".safetensors"
        state = load_file(path) if safe else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each format has errors of its own
        raise OSError(
            f"{path} cannot be opened as weights: it is cut off, not a weights file, or holds more than tensors, "
            "which could run code. Get it again, or have it saved by torch.save(model.state_dict(), path)"
        ) from error
    lightning = isinstance(state, Mapping) and "state_dict" in state
    for inside in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(inside), Mapping):
            state = state[inside]
    content = state if isinstance(state, Mapping) else {type(state).__name__: None}
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if of_run := [key for key in tensors if key.startswith("run.now.")]:
        with safe_open(path, "pt") as file:
            tested = json.loads((file.metadata() or {}).get("tlkit", "{}")).get("tested", "run.now.0.")
        tensors = {key.removeprefix(tested): tensors[key] for key in of_run if key.startswith(tested)}
    for prefix in PREFIXES if lightning else ():  # beside the model, such a module may hold a loss with weights
        model = {key: value for key, value in tensors.items() if key.startswith(prefix)}
        tensors = model if 2 * len(model) > len(tensors) else tensors
    while tensors and (common := [prefix for prefix in PREFIXES if all(key.startswith(prefix) for key in tensors)]):
        tensors = {key.removeprefix(common[0]): value for key, value in tensors.items()}
    tensors = {_layer(key): value for key, value in tensors.items()}
    if not tensors:
        raise ValueError(
            f"{path} holds no tensors by name, but {listed([str(key) for key in content]) or 'nothing'}; "
            "a weights file is what torch.save(model.state_dict(), path) writes"
        )
    return tensors


def with_head_at(at: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a `Network` under the names of the model that it was made of, whose head stands at `at`.

    Tensors of any other network keep their names.
    """
    if not at or not all(key.startswith(("backbone.", "head.")) for key in tensors):
        return dict(tensors)
    names = {key: key.removeprefix("backbone.") for key in tensors}
    names |= {key: f"{at}{key.removeprefix('head')}" for key in tensors if key.startswith("head.")}
    return {names[key]: value for key, value in tensors.items()}


def load_weights(model: nn.Module, tensors: Mapping[str, Tensor], source: str, without: str = "") -> None:
    """Copy tensors from `source` into a model, except into its module `without`.

    Raises ValueError, before anything is copied, with the names that are missing, superfluous, or of another shape.
    """
    every = model.state_dict()
    own = {key: value for key, value in every.items() if not (without and key.startswith(f"{without}."))}
    shapes = {key: (list(tensors[key].shape), list(value.shape)) for key, value in own.items() if key in tensors}
    checks = {
        # Files from before 2018 do not count batches.
        "missing": [key for key in own if key not in tensors and not key.endswith("num_batches_tracked")],
        # GoogLeNet's and Inception's second heads only helped to train them.
        "unknown here": [key for key in tensors if key not in every and not key.lower().startswith("aux")],
        "of another shape": [f"{key} {it} instead of {mine}" for key, (it, mine) in shapes.items() if it != mine],
    }
    if faults := {kind: names for kind, names in checks.items() if names}:
        words = "; ".join(f"{kind}: {listed(names, 10 // len(faults))}" for kind, names in faults.items())
        raise ValueError(f"{source} does not fit this model. {words}. Is it of another architecture?")
    with torch.no_grad():
        for key, value in own.items():
            value.copy_(tensors.get(key, value))


def _layer(key: str) -> str:
    """The name of a tensor today: DenseNet's layers as they are called now."""
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", key)
