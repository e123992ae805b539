"""The images of a split, placed by what a network makes of them: who is whose neighbour, and how that came about."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
import traitlets as t
from torch import Tensor

from tlkit.data.tasks import Split
from tlkit.evaluation import answers
from tlkit.features import Features
from tlkit.representations import neighbours, placed
from tlkit.views import BYTES, pictured, sent_pixels, sent_shape
from tlkit.widgets.base import Widget, required_number, training_steps

MOST = 300  # images that one can still distinguish


class FeatureMap(Widget, script="feature_map.js"):
    """Map images by their features, so that similar ones lie close and each shows its nearest neighbours.

    Args:
        split: the images, `n` of them; of sounds, their pictures. Of more than 300, or 3 MB, some are drawn at random.
            Without labels, neighbours are shown and nothing is said of classes.
        frames: the features `[n, d]` of one network, or what `tl.extract_features` gives; or of several moments of its
            training, `{step: features}`, then a slider runs through them.
        predictions: class numbers `[n]`, or `{step: class numbers}` for the same steps; only with them can images be
            coloured by prediction and error.
        network: takes the place of `predictions` for one frame; anything that `tl.evaluate` takes.
        title: stands above the map.
        k: how many nearest neighbours are shown and counted: by the cosine distance of the features, not on the map.
        method: "t-SNE" or "PCA", which only places the images, see `tl.representations.placed`.
        colours: up to four classes that are coloured at first; by default the first four that occur.

    Raises:
        TypeError: if `split` is not a Split, or if its examples have no pictures.
        ValueError: if the images are neither grey nor RGB, if features or predictions are those of other images, if
            steps do not rise, if a class or the method is unknown, if there are not `k` other images, or if `frame` or
            `selected` is set to one that does not exist.

    `frame` (which of the steps is shown) and `selected` (which image) can be read and set. No kernel is needed
    afterwards.

    >>> import tlkit as tl
    >>> images = tl.data.digits().test[:100]
    >>> pixels = tl.extract_features(torch.nn.Flatten(), images)
    >>> tl.widgets.FeatureMap(images, pixels, method="PCA", title="Before any network")
    100 images placed by their features; 78.8 % of their 5 nearest share the label
    """

    view = t.Dict().tag(sync=True)
    frame = t.Int(0).tag(sync=True)
    selected = t.Int(0).tag(sync=True)
    images = t.Bytes().tag(sync=True)
    places = t.Bytes().tag(sync=True)
    nearest = t.Bytes().tag(sync=True)

    def __init__(
        self,
        split: Split,
        frames: Tensor | Features | Mapping[int, Tensor | Features],
        *,
        predictions: Tensor | Mapping[int, Tensor] | None = None,
        network: Any = None,
        title: str = "What the network sees as similar",
        k: int = 5,
        method: str = "t-SNE",
        colours: Sequence[str] = (),
    ):
        if not isinstance(split, Split):
            raise TypeError(f"a FeatureMap shows a Split, not a {type(split).__name__}; of a Task take task.test")
        shown, known = pictured(split), split.one_label_each()
        total, classes, shape = len(split), split.classes, sent_shape(shown.inputs.shape)
        predictions = predictions if network is None else answers(network, split)[0]
        steps = training_steps(frames) if isinstance(frames, Mapping) else [0]
        moments = _by_step(frames, steps, "features")
        features = [_features(values, at, total) for at, values in moments]
        predicted = [] if predictions is None or known is None else _by_step(predictions, steps, "predictions")
        predicted = [_predicted(numbers, at, total, len(classes)) for at, numbers in predicted]
        count = min(total, MOST, max(1, BYTES // prod(shape)))
        drawn = torch.randperm(total, generator=torch.Generator().manual_seed(0))[:count].sort().values
        features = [values[drawn] for values in features]
        nearest = torch.stack([neighbours(values, k) for values in features])
        which = f"{count} of {total:,} images, drawn at random," if count < total else f"{count} images,"
        view: dict[str, Any] = {
            "title": title,
            "subtitle": f"{which} placed by {method} of their features and a little apart. Select one to see its {k} "
            "nearest: in the features (cosine distance), not on the map.",
            "classes": list(classes),
            "shape": shape,
            "count": count,
            "k": k,
            "steps": steps,
            "labels": None,
            "predicted": [numbers[drawn].tolist() for numbers in predicted] or None,
            "colours": _colours(colours, classes),
            "words": [f"{count} images placed by their features{at}" for at, _ in moments],
        }
        selected = 0
        if known is not None:
            labels = known.cpu()[drawn]
            own = 100 * (labels[nearest] == labels[:, None]).double().mean(2)  # per cent, of each frame and image
            sizes, shares = labels.bincount(minlength=len(classes)), own.mean(1).tolist()
            selected = int(own[-1].argmin())  # the one whose neighbours in the last features share least
            found = [f"; {share:.1f} % of their {k} nearest share the label" for share in shares]
            view |= {
                "labels": labels.tolist(),
                "shares": shares,
                "chance": 100 * float((sizes * (sizes - 1)).sum()) / (count * (count - 1)),
                "colours": view["colours"] or sizes.nonzero()[:4, 0].tolist(),
                "words": list(map("".join, zip(view["words"], found, strict=True))),
            }
        super().__init__(
            view=view,
            selected=selected,
            images=sent_pixels(shown.inputs[drawn]),
            places=placed(features, method).numpy().tobytes(),
            nearest=nearest.numpy().astype("<i2").tobytes(),
        )

    @t.validate("frame")
    def _is_a_frame(self, proposal: Any) -> int:
        return required_number("frame", proposal["value"], len(self.view["steps"]))

    @t.validate("selected")
    def _is_an_image(self, proposal: Any) -> int:
        return required_number("image", proposal["value"], self.view["count"])

    def words(self) -> str:
        """How many images there are, and what share of their neighbours has the same label in the present frame."""
        return self.view["words"][self.frame]


def _by_step(data: Any, steps: list[int], name: str) -> list[tuple[str, Any]]:
    """What belongs to each step, with the words " at step 30"; of a single frame the data themselves."""
    if isinstance(data, Mapping) and list(data) == steps:
        return [(f" at step {step}", data[step]) for step in steps]
    if isinstance(data, Mapping) or len(steps) > 1:
        raise ValueError(f"features are of the steps {steps}; give {name} of the same, as in {{{steps[0]}: ...}}")
    return [("", data)]


def _features(data: Tensor | Features, at: str, total: int) -> Tensor:
    values = data.values if isinstance(data, Features) else torch.as_tensor(data)
    if values.ndim != 2 or len(values) != total:
        shape = list(values.shape)
        raise ValueError(f"the features{at} have the shape {shape}, but there are {total} images; give [{total}, d]")
    if not values.isfinite().all():
        raise ValueError(f"some features{at} are no finite numbers; train the network anew with a lower learning rate")
    return values.detach().float().cpu()


def _predicted(data: Any, at: str, total: int, classes: int) -> Tensor:
    numbers = torch.as_tensor(data).cpu()
    if numbers.shape != (total,) or numbers.is_floating_point() or not ((numbers >= 0) & (numbers < classes)).all():
        raise ValueError(
            f"the predictions{at} are not one class number, 0 to {classes - 1}, for each of the {total} images; "
            "of logits give logits.argmax(1)"
        )
    return numbers


def _colours(names: Sequence[str], classes: Sequence[str]) -> list[int]:
    if len(names) > 4 or not set(names) <= set(classes):
        raise ValueError(f"colours={names!r}; name at most four of the classes {', '.join(classes)}")
    return [classes.index(name) for name in names]
