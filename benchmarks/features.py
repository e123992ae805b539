"""What do cached features save? Twenty epochs of a head through a frozen ResNet-18, and on features computed once.

Both sides in one process, the same batches and optimizer; the time of computing the features is on the cached side.
Then probes of five strengths at once, against scikit-learn's one after the other. `python -m benchmarks.features`
"""

from __future__ import annotations

import statistics
import sys
import time

import torch
import torchvision
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import tlkit as tl

EPOCHS, BATCH, CLASSES = 20, 32, 10
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)


def backbone() -> tl.models.Network:
    """A ResNet-18 with random weights, as a Network with a head for ten classes."""
    torch.manual_seed(0)
    model = torchvision.models.resnet18(weights=None)
    model.fc = nn.Identity()  # type: ignore[assignment]
    return tl.models.Network(model, nn.Linear(512, CLASSES))


def seconds_of(head_on: nn.Module, data: tl.data.Split, plan: tl.freezing.FreezePlan | None) -> float:
    """How long a run of `EPOCHS` epochs takes."""
    steps = EPOCHS * len(tl.data.Batches(data, BATCH))
    run = tl.Run(head_on, tl.objectives.CrossEntropy(), data, steps=steps, batch_size=BATCH, plan=plan)
    return run.finish().seconds


def main(quick: bool = False) -> None:
    """Print both times and their ratio, then those of the probes."""
    count = 64 if quick else 512
    images = torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    split = tl.data.Split(images, torch.arange(count) % CLASSES, tuple(map(str, range(CLASSES))))
    network, slow = backbone(), backbone()
    times = []
    for _ in range(6):  # the first warms up
        started = time.perf_counter()
        features = tl.extract_features(network, split)
        times.append(time.perf_counter() - started)
    computing = statistics.median(times[1:])
    cached = tl.models.Network(nn.Flatten(), network.head)
    training = seconds_of(cached, features, None)
    whole = seconds_of(slow, split, tl.freezing.last_layers(slow, 1))
    apart = max(
        float((cached.head.state_dict()[name] - weight).abs().max()) for name, weight in slow.head.state_dict().items()
    )
    print(f"{tl.hardware()}; torch {torch.__version__}; {count} images of 64 x 64, {EPOCHS} epochs of a head")
    print(f"through the frozen network {whole:.2f} s; features once {computing:.2f} s + head {training:.2f} s")
    print(
        f"cached features are {whole / (computing + training):.1f} times faster; heads differ by {apart:.0e} at most\n"
    )

    generator = torch.Generator().manual_seed(0)
    for examples, numbers in ((50, 64), (500, 64)) if quick else ((50, 64), (500, 64), (500, 1_280), (1_000, 1_280)):
        labels = torch.arange(examples) % CLASSES
        means = torch.rand(CLASSES, numbers, generator=generator)
        values = (means[labels] + torch.randn(examples, numbers, generator=generator)).relu()
        made = tl.Features(values, labels, split.classes)
        started = time.perf_counter()
        probe = tl.linear_probe(made, strengths=STRENGTHS, validation=made)
        ours = time.perf_counter() - started
        started, apart = time.perf_counter(), 0.0
        for strength in STRENGTHS:
            fitted = make_pipeline(StandardScaler(), LogisticRegression(C=1 / strength, max_iter=5_000, tol=1e-6))
            beliefs = fitted.fit(values.double(), labels).predict_proba(values.double())
            apart = max(
                apart, float((probe.heads[strength](values).softmax(1).detach() - torch.tensor(beliefs)).abs().max())
            )
        theirs = time.perf_counter() - started
        print(
            f"{made}: five strengths at once {ours:.2f} s, scikit-learn {theirs:.2f} s; beliefs differ by {apart:.0e}"
        )


if __name__ == "__main__":
    main("--quick" in sys.argv)
