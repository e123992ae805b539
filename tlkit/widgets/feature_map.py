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

MOST = 300  # images that one can still tell apart


class FeatureMap(Widget, script="feature_map.js"):
    """A map of images by their features, on which each shows its `k` nearest; no kernel is needed afterwards.

    `frames` are features of the images of `split`: of one network, [n, d] or what `tl.extract_features` gives, or of
    several moments of its training, `{step: features}`, then a slider runs through them. `predictions` are class
    numbers [n], or `{step: class numbers}` for the same steps; for one frame `network` will do as well (anything that
    `tl.evaluate` takes). Only with them can images be coloured by prediction and error. `colours` names up to four
    classes to be coloured at first. Without labels, neighbours are shown and nothing is said of classes.

    Neighbours are those in the features, by the cosine distance; `method`, "t-SNE" or "PCA", only places the images
    (see `tl.representations.placed`). Of more than 300 images, or 3 MB of them, some are drawn at random.

    >>> import tlkit as tl
    >>> images = tl.data.digits().test[:100]
    >>> pixels = tl.extract_features(torch.nn.Flatten(), images)
    >>> tl.widgets.FeatureMap(images, pixels, method="PCA", title="Before any network")
    100 images placed by their features; 78.8 % of their 5 nearest share the label

    Raises TypeError for what is no Split or has no pictures. Raises ValueError for images that are neither grey nor
    RGB, features or predictions of other images, steps that do not rise, an unknown class or method, if there are not
    `k` others, or for a `frame` or `selected` image that is not there.
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
        if network is not None:
            predictions = answers(network, split)[0]
        steps = training_steps(frames) if isinstance(frames, Mapping) else [0]
        features = [_features(one, at, total) for at, one in _by_step(frames, steps, "features")]
        asked = [] if predictions is None or known is None else _by_step(predictions, steps, "predictions")
        said = [_said(one, at, total, len(classes)) for at, one in asked]
        count = min(total, MOST, max(1, BYTES // prod(shape)))
        drawn = torch.randperm(total, generator=torch.Generator().manual_seed(0))[:count].sort().values
        features = [one[drawn] for one in features]
        nearest = torch.stack([neighbours(one, k) for one in features])
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
            "said": [one[drawn].tolist() for one in said] or None,
            "colours": _colours(colours, classes),
            "words": [f"{count} images placed by their features{at}" for at, _ in _by_step(frames, steps, "features")],
        }
        selected = 0
        if known is not None:
            labels = known.cpu()[drawn]
            own = 100 * (labels[nearest] == labels[:, None]).double().mean(2)  # per cent, of each frame and image
            sizes = labels.bincount(minlength=len(classes))
            selected = int(own[-1].argmin())  # the one that the last features tell least
            view |= {
                "labels": labels.tolist(),
                "shares": own.mean(1).tolist(),
                "chance": 100 * float((sizes * (sizes - 1)).sum()) / (count * (count - 1)),
                "colours": view["colours"] or sizes.nonzero()[:4, 0].tolist(),
                "words": [
                    f"{words}; {share:.1f} % of their {k} nearest share the label"
                    for words, share in zip(view["words"], own.mean(1).tolist(), strict=True)
                ],
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
        """How many images there are, and how many of their neighbours share the label in the present frame."""
        return self.view["words"][self.frame]


def _by_step(given: Any, steps: list[int], name: str) -> list[tuple[str, Any]]:
    """What was given for each step, with the words " at step 30"; of a single frame the one thing that was given."""
    if isinstance(given, Mapping) and list(given) == steps:
        return [(f" at step {step}", given[step]) for step in steps]
    if isinstance(given, Mapping) or len(steps) > 1:
        raise ValueError(f"features are of the steps {steps}; give {name} of the same, as in {{{steps[0]}: ...}}")
    return [("", given)]


def _features(given: Tensor | Features, at: str, total: int) -> Tensor:
    values = given.values if isinstance(given, Features) else torch.as_tensor(given)
    if values.ndim != 2 or len(values) != total:
        shape = list(values.shape)
        raise ValueError(f"the features{at} have the shape {shape}, but there are {total} images; give [{total}, d]")
    if not values.isfinite().all():
        raise ValueError(f"some features{at} are no finite numbers; train the network anew with a lower learning rate")
    return values.detach().float().cpu()


def _said(given: Any, at: str, total: int, classes: int) -> Tensor:
    said = torch.as_tensor(given).cpu()
    if said.shape != (total,) or said.is_floating_point() or not ((said >= 0) & (said < classes)).all():
        raise ValueError(
            f"the predictions{at} are not one class number, 0 to {classes - 1}, for each of the {total} images; "
            "of logits give logits.argmax(1)"
        )
    return said


def _colours(names: Sequence[str], classes: Sequence[str]) -> list[int]:
    if len(names) > 4 or not set(names) <= set(classes):
        raise ValueError(f"colours={names!r}; name at most four of the classes {', '.join(classes)}")
    return [classes.index(name) for name in names]
