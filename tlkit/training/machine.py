"""Which device, which precision, how many threads, and what `Run(fast=True)` chooses for them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from tlkit.data.batches import mixed_seed


@dataclass(frozen=True)
class Hardware:
    """Where tlkit trains on this machine; printed, it says why.

    Args:
        device: the device.
        precision: the recommended one, "float32" or "bfloat16".
        threads: how many threads torch uses on the CPU.
        words: all of it in a sentence.
    """

    device: torch.device
    precision: str
    threads: int
    words: str

    def __str__(self) -> str:
        return self.words


def hardware() -> Hardware:
    """The best device of this machine: CUDA, else Apple's MPS, else Intel's XPU, else the CPU.

    It only looks: nothing is changed, and nothing is set for the whole process.
    """
    threads = torch.get_num_threads()
    device, words = _best_device()
    precision = "bfloat16" if hardware_multiplies_bfloat16(device) else "float32"
    plural = "thread" if threads == 1 else "threads"
    return Hardware(device, precision, threads, f"{words}; {threads} CPU {plural}; it multiplies {precision} itself")


def _best_device() -> tuple[torch.device, str]:
    """The device, and in words which one it is."""
    if torch.cuda.is_available():
        return torch.device("cuda"), f"{torch.cuda.get_device_name()}, through CUDA"
    if torch.backends.mps.is_available():
        return torch.device("mps"), "this Mac's GPU, through MPS"
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        return torch.device("xpu"), "an Intel GPU, through XPU"
    return torch.device("cpu"), "this computer's CPU, since no CUDA, MPS or XPU device was found"


def generators(device: torch.device) -> list[torch.Generator]:
    """The default generators that a step draws from.

    Args:
        device: where the step is computed.

    Returns:
        The generator of the CPU, and that of the device if it has one of its own.
    """
    found = [torch.default_generator]
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        found.append(torch.cuda.default_generators[index])
    elif device.type == "xpu":
        found.append(torch.xpu.default_generators[device.index or 0])
    elif device.type == "mps":
        found.append(torch.mps._get_default_mps_generator())
    return found


@contextmanager
def seeded_step(device: torch.device, seed: int, step: int, elsewhere: bool = False) -> Iterator[None]:
    """All noise of a step comes from its seed and its number; afterwards the generators are as they were before.

    Args:
        device: where the step is computed.
        seed: the seed of the run.
        step: the step, from 0.
        elsewhere: whether the generators of Python and NumPy are seeded too. That takes 0.2 ms, torch's own 0.002.
    """
    drawn_from, own = generators(device), mixed_seed(seed, step)
    before = [generator.get_state() for generator in drawn_from]
    others = (random.getstate(), np.random.get_state()) if elsewhere else None
    for generator in drawn_from:
        generator.manual_seed(own)
    if others:
        random.setstate(random.Random(own).getstate())
        np.random.set_state(np.random.RandomState(own).get_state())
    try:
        yield
    finally:
        for generator, state in zip(drawn_from, before, strict=True):
            generator.set_state(state)
        if others:
            random.setstate(others[0])
            np.random.set_state(others[1])


def draws_elsewhere(objective: nn.Module, batches: Any) -> bool:
    """Whether a step may draw from other generators than torch's: what the user wrote, as an augmentation, may."""
    parts = [part for module in objective.modules() for part in (module, *vars(module).values())]
    parts += [inner for part in parts if isinstance(part, list | tuple) for inner in part]
    code = [part.func if isinstance(part, partial) else part for part in parts if callable(part)]
    data = getattr(batches, "loader", batches)
    while hasattr(data, "dataset"):  # of a loader, and of a part of a data set
        data = data.dataset
    code.append(data)
    homes = {str(getattr(part, "__module__", type(part).__module__)).partition(".")[0] for part in code}
    return bool(homes - {"tlkit", "torch", "kornia", "builtins"})


def device_of(network: nn.Module) -> torch.device | None:
    """The one device that a network is on.

    Args:
        network: any network.

    Returns:
        The device of its weights and buffers; None if it has neither.

    Raises:
        ValueError: if it is spread over several devices.
    """
    places = {tensor.device for tensor in [*network.parameters(), *network.buffers()]}
    if len(places) > 1:
        names, first = " and ".join(sorted(map(str, places))), min(map(str, places))
        raise ValueError(f"this network is spread over {names}; move it to one device first: network.to({first!r})")
    return next(iter(places), None)


def fast_choice(device: torch.device, network: nn.Module, batch: Any) -> tuple[torch.memory_format, str, str]:
    """What `Run(fast=True)` chooses, by rule: nothing is timed here.

    Args:
        device: where the network trains.
        network: its convolutions matter.
        batch: the first batch, for the size of its images.

    Returns:
        The memory layout, the precision, and the choice in words.

    The rule comes from measurements with `benchmarks/loop.py`. The fused optimizer always pays. bfloat16 pays where
    the hardware multiplies it, but not for grouped convolutions on a CPU (1.6 times the time, measured). Channels-last
    pays for convolutions, but not in float32 when the network is deep and its images large.
    """
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    dense = all(convolution.groups == 1 for convolution in convolutions)
    precision = "bfloat16" if hardware_multiplies_bfloat16(device) and (dense or device.type != "cpu") else "float32"
    large_and_deep = batch[0].shape[-1] >= 64 and len(convolutions) > 8
    last = bool(convolutions) and (precision == "bfloat16" or (device.type == "cpu" and not large_and_deep))
    layout = torch.channels_last if last else torch.preserve_format
    return layout, precision, f"fast: {'channels-last' if last else 'contiguous'}, fused optimizer, {precision}"


def hardware_multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 itself; elsewhere it is emulated and slow.

    Args:
        device: the device that multiplies.

    Returns:
        True for CPUs that list the instructions, for GPUs that do it without emulation, and for every XPU.
    """
    if device.type == "cpu":
        try:
            with open("/proc/cpuinfo", encoding="utf-8") as file:
                flags = next((line.split() for line in file if line.startswith("flags")), [])
        except OSError:
            return False
        return "avx512_bf16" in flags or "amx_bf16" in flags
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "xpu"
