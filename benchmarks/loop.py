"""What does `Run` cost, and what does `fast=True` give? Against the twelve lines of lesson 01, on the same batches.

All variants take turns in one process; a row is the median over the rounds of their time for the same steps, divided
by that of the lesson's lines in the same round. `python -m benchmarks.loop [--quick]`
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

import tlkit as tl


def by_hand(network: nn.Module, batches: tl.data.Batches, steps: int) -> None:
    """The lines of lesson 01, unchanged."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    network.train()
    for step in range(steps):
        images, labels = batches[step]
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def tuned(network: nn.Module, batches: tl.data.Batches, steps: int, *, last=False, fused=False, bf16=False) -> None:
    """The same lines with channels-last, the fused optimizer or bfloat16."""
    layout = torch.channels_last if last else torch.contiguous_format
    network.to(memory_format=layout)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, fused=fused or None)
    network.train()
    for step in range(steps):
        images, labels = batches[step]
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(network(images.contiguous(memory_format=layout)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def run(network: nn.Module, batches: tl.data.Batches, steps: int, fast: bool = False) -> Callable[[], object]:
    """`tl.Run` to its end; made beforehand, since what is compared is the loop."""
    return tl.Run(network, tl.objectives.CrossEntropy(), batches, steps=steps, fast=fast).finish


VARIANTS: dict[str, Callable[..., Callable[[], object]]] = {  # each prepares, and returns the loop that is timed
    "by hand": partial(partial, by_hand),
    "Run": run,
    "channels-last": partial(partial, tuned, last=True),
    "fused": partial(partial, tuned, fused=True),
    "bfloat16": partial(partial, tuned, bf16=True),
    "all three": partial(partial, tuned, last=True, fused=True, bf16=True),
    "Run(fast=True)": partial(run, fast=True),
}
SIZES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int, int]] = {  # network, image, batch, steps
    "lesson 01, 8x8": (tl.models.SmallCNN, (1, 8, 8), 64, 100),
    "seed's sizes, 28x28": (
        lambda: tl.models.SmallCNN(widths=(64, 128), features=1000, image_size=28, pool_after=(1, 2)),
        (1, 28, 28),
        64,
        12,
    ),
    "ResNet-18, 64x64": (lambda: torchvision.models.resnet18(num_classes=10), (3, 64, 64), 32, 6),
    "MobileNetV3, 48x48": (lambda: torchvision.models.mobilenet_v3_small(num_classes=10), (3, 48, 48), 32, 10),
    "SqueezeNet 1.1, 64x64 (rule not made for it)": (
        lambda: torchvision.models.squeezenet1_1(num_classes=10),
        (3, 64, 64),
        32,
        8,
    ),
}


def main(quick: bool = False) -> None:
    """Print one row a size."""
    rounds = 9
    device = tl.hardware().device
    print(f"{tl.hardware()}; torch {torch.__version__}; medians of {rounds} rounds; time as a share of `by hand`\n")
    print("| size | by hand, ms a step |" + "".join(f" {name} |" for name in list(VARIANTS)[1:]))
    print("|---|---|" + "---|" * (len(VARIANTS) - 1))
    for size, (make, shape, batch, steps) in list(SIZES.items())[: 1 if quick else None]:
        images = torch.rand(256, *shape, generator=torch.Generator().manual_seed(0))
        split = tl.data.Split(images, torch.arange(256) % 10, tuple("0123456789"))
        batches = tl.data.Batches(split, batch).to(device)
        times: dict[str, list[float]] = {name: [] for name in VARIANTS}
        for number in range(rounds + 1):
            for name, variant in VARIANTS.items():
                loop = variant(make().to(device), batches, steps)
                started = time.perf_counter()
                loop()
                if device.type == "cuda":
                    torch.cuda.synchronize()
                if number:  # the first round warms up
                    times[name].append(time.perf_counter() - started)
        base = times["by hand"]
        cells = [
            statistics.median(t / b for t, b in zip(times[name], base, strict=True)) for name in list(VARIANTS)[1:]
        ]
        row = "".join(f" {cell:.2f} |" for cell in cells)
        print(f"| {size} | {1000 * statistics.median(base) / steps:.2f} |{row}", flush=True)


if __name__ == "__main__":
    main("--quick" in sys.argv)
