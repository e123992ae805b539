"""Does the network that reads drawings tell new symbols apart from one example each? `python -m benchmarks.teach`

Episodes of five classes that it has never seen: real pen strokes (Omniglot's Korean and Balinese) and scanned digits
(MNIST's), both read from the folder named by TLKIT_DATA. Every method sees the same pictures, centred and scaled.
"""

from __future__ import annotations

import json
import lzma
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import tlkit as tl
from tlkit.data.drawings import SAMPLES, pictures
from tlkit.data.tasks import Split, Task
from tlkit.intervals import Interval
from tlkit.models.networks import predictions
from tlkit.models.teach import THRESHOLD, cosines, untrained_teach
from tools.teach_source import centred, wobble

WAYS, QUERIES = 5, 10
Episode = tuple[Split, Split, Tensor]  # examples, questions, pictures of a class that was not taught


def symbols(name: str) -> list[Tensor]:
    """The pictures [n, 1, 16, 16] of each class of "pen", "digits" or "samples"; the first two need TLKIT_DATA."""
    if name == "samples":
        torch.manual_seed(0)
        return [wobble(image.expand(30, 1, 16, 16)) for image in pictures(SAMPLES.values())]
    if name == "digits":
        test = tl.data.mnist().test[:2500]
        small = centred(F.interpolate(test.images, (48, 48), mode="bilinear"))
        return [small[test.labels == digit] for digit in range(10)]
    with lzma.open(Path(os.environ["TLKIT_DATA"]) / "OMNIGLOT-strokes/development.json.xz") as file:
        alphabets = json.load(file)
    drawn = [drawings for alphabet in alphabets.values() for drawings in alphabet.values()]
    return [
        pictures([[(np.array(s) * (1000 / 105)).tolist() for s in drawing] for drawing in drawings])
        for drawings in drawn
    ]


def episodes(classes: list[Tensor], count: int, shots: int) -> Iterator[Episode]:
    """`count` episodes of five random classes, and a sixth that is not taught; seeds 0 to count - 1."""
    for seed in range(count):
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(classes), generator=generator)[: WAYS + 1].tolist()
        orders = [torch.randperm(len(classes[c]), generator=generator) for c in chosen]
        images = [classes[c][order][: shots + QUERIES] for c, order in zip(chosen, orders, strict=True)]
        names = tuple(map(str, range(WAYS)))
        yield (
            Split(torch.cat([i[:shots] for i in images[:WAYS]]), torch.arange(WAYS).repeat_interleave(shots), names),
            Split(torch.cat([i[shots:] for i in images[:WAYS]]), torch.arange(WAYS).repeat_interleave(QUERIES), names),
            images[WAYS][shots:],
        )


def by_class_means(features: Callable[[Tensor], Tensor], episode: Episode) -> Tensor:
    """The cosines [questions, classes] to the class means of the examples; those not taught come last."""
    examples, questions, untaught = episode
    labels = examples.required_labels("so they have no class")
    means = tl.models.class_means(features(examples.images), labels, WAYS)
    return cosines(features(torch.cat([questions.images, untaught])), means)


def from_scratch(episode: Episode, seed: int, lr: float = 3e-3, steps: int = 60) -> float:
    """The accuracy of the same architecture trained on the examples alone, with augmentation."""
    examples, questions, _ = episode
    many = examples[torch.arange(len(examples)).repeat(-(-20 // len(examples)))]
    network = untrained_teach(classes=WAYS, seed=seed)
    task = Task("episode", many, questions, questions)
    objective = tl.objectives.CrossEntropy(augment=wobble)
    tl.Run(network, objective, task, steps=steps, batch_size=20, lr=lr, schedule="one-cycle", seed=seed).finish()
    return right(predictions(network, questions.images), questions)


def right(answers: Tensor, questions: Split) -> float:
    labels = questions.required_labels("so nobody can judge")
    return 100 * float((answers[: len(questions)] == labels).double().mean())


def measure(name: str, count: int, shots: int = 1, scratch: bool = False) -> dict[str, list[float]]:
    """The accuracy of every method in each episode, in per cent; and how well the taught are told from the untaught."""
    read, random = tl.models.pretrained_teach(), [untrained_teach(seed=seed) for seed in range(3)]
    found: dict[str, list[float]] = defaultdict(list)
    for number, episode in enumerate(episodes(symbols(name), count, shots)):
        ways = {
            "pre-trained": partial(tl.models.drawing_features, read),
            "pixels": lambda images: images.flatten(1),
            "random weights": partial(tl.models.drawing_features, random[number % 3]),
        }
        for method, features in ways.items():
            alike = by_class_means(features, episode)
            found[method].append(right(alike.argmax(1), episode[1]))
            if method == "pre-trained":
                taught, untaught = alike.amax(1).split([len(episode[1]), len(episode[2])])
                found["taught, and known as taught"].append(100 * float((taught >= THRESHOLD).float().mean()))
                found["untaught, and refused"].append(100 * float((untaught < THRESHOLD).float().mean()))
        if scratch:
            found["from scratch"].append(from_scratch(episode, seed=number))
    return found


TIMED = """([drawings, weights]) => {
  const layers = decode(new Uint8Array(weights).buffer);
  const times = Array.from({ length: 200 }, (_, at) => {
    const began = performance.now();
    features(layers, picture(drawings[at % drawings.length]));
    return performance.now() - began;
  });
  return times.slice(20).toSorted((one, other) => one - other);
}"""


def in_the_browser() -> tuple[float, float]:
    """Milliseconds from strokes to features in Chromium, one drawing: median and the slowest of 180."""
    from playwright.sync_api import sync_playwright

    from tlkit.models.teach import WEIGHTS
    from tools.jupyter_browser import WITHOUT_GPU_OR_NETWORK, chromium
    from tools.widget_modules import serve_widgets

    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=chromium(), args=WITHOUT_GPU_OR_NETWORK).new_page()
        serve_widgets(page)
        page.evaluate("async () => Object.assign(window, await import('/drawings.js'), await import('/reader.js'))")
        times = page.evaluate(TIMED, [list(SAMPLES.values()), list(WEIGHTS.read_bytes())])
    return median(times), times[-1]


def main(quick: bool = False) -> None:
    """Print mean and 95 % interval over the episodes, and the paired gain of the pre-trained network."""
    print("one drawing in Chromium: median {:.1f} ms, the slowest {:.1f} ms".format(*in_the_browser()))
    if not os.environ.get("TLKIT_DATA"):
        print("needs the folder named by TLKIT_DATA, with OMNIGLOT-strokes and MNIST")
        return
    for name in ("pen", "digits"):
        for shots in (1,) if quick else (1, 3):
            found = measure(name, 20 if quick else 300, shots, scratch=True)
            print(f"\n{name}: {WAYS} new classes, {shots} example(s) each, {len(found['pixels'])} episodes, %")
            for method, values in found.items():
                words = f"  {method:28} {interval(values)}"
                if method in ("pixels", "random weights", "from scratch"):
                    gain = [a - b for a, b in zip(found["pre-trained"], values, strict=True)]
                    words += f"   pre-trained is ahead by {interval(gain)}"
                print(words)


def interval(values: list[float]) -> str:
    interval = Interval(tuple(values))
    assert interval.low is not None
    return f"{interval.mean:5.1f} +-{interval.mean - interval.low:.1f}"


if __name__ == "__main__":
    main("--quick" in sys.argv)
