"""Which images a network is sure enough of to learn from its own predictions, and which of these are wrong."""

from collections.abc import Mapping
from typing import Any

import torch
import traitlets as t
from torch import Tensor

from tlkit.data.tasks import Split
from tlkit.evaluation import answers
from tlkit.views import pictured, round_top, sent_pixels, sent_shape
from tlkit.widgets.base import Widget, required_number, training_steps

SHOWN = 9  # mistakes, the surest


class PseudoLabelMonitor(Widget, script="pseudo_label_monitor.js"):
    """Move the threshold of pseudo-labels and see which of them are right and which are wrong.

    Args:
        split: the unlabelled images, `n` of them, with their hidden labels, such as `few.unlabelled`: the reader sees
            these labels, a network never does.
        frames: a network, or the probabilities `[n, classes]` that it gives; or `{step: either}`, then a slider runs
            through training.
        threshold: an image is pseudo-labelled if its highest probability is at least this, in (0, 1]; 0.95 is
            FixMatch's.
        name: what was trained.

    Raises:
        TypeError: if `split` is not a Split, or if `frames` has no probabilities.
        ValueError: if there are no images or no labels, if probabilities have another shape or do not sum to 1, if
            steps do not rise, if `frame` is set to one that does not exist, or if `threshold` lies outside (0, 1].

    `threshold` and `frame` (which of the steps is shown) can be read and set. No kernel is needed afterwards.

    >>> import tlkit as tl
    >>> few = tl.data.digits().few_labels(1)
    >>> tl.widgets.PseudoLabelMonitor(few.unlabelled, tl.models.SmallCNN(), name="Untrained")
    None of 987 images is pseudo-labelled
    """

    view = t.Dict().tag(sync=True)
    threshold = t.Float(0.95).tag(sync=True)
    frame = t.Int(0).tag(sync=True)
    images = t.Bytes().tag(sync=True)
    predicted = t.Bytes().tag(sync=True)
    confidence = t.Bytes().tag(sync=True)

    def __init__(self, split: Split, frames: Any, *, threshold: float = 0.95, name: str = ""):
        if not isinstance(split, Split):
            kind = type(split).__name__
            raise TypeError(f"a PseudoLabelMonitor shows a Split, not a {kind}; of a Task take task.unlabelled")
        if not len(split):
            raise ValueError("this split is empty: there is no image to label; choose another part of the data")
        labels, shown = split.one_label_each(), pictured(split)
        if labels is None:
            raise ValueError(
                "these images have no hidden labels, so nobody can say which pseudo-labels are wrong; keep the labels "
                "for the reader, as task.few_labels(1).unlabelled does"
            )
        steps = training_steps(frames) if isinstance(frames, Mapping) else []
        moments = {f" of step {step}": frames[step] for step in steps} or {"": frames}
        tops = [_probabilities(source, split, at).max(1) for at, source in moments.items()]
        self._confidence, predicted = (torch.stack(part) for part in zip(*tops, strict=True))
        self._right = predicted == labels.cpu()
        mistakes = self._confidence.masked_fill(self._right, -1).sort(descending=True, stable=True).indices[:, :SHOWN]
        with_picture = mistakes.unique()  # with any threshold none but these are shown
        view = {
            "name": name,
            "steps": steps,
            "classes": list(split.classes),
            "labels": labels.tolist(),
            "shape": sent_shape(shown.inputs.shape),
            "top": round_top(len(split) / 5),
            "pictured": with_picture.tolist(),
            "mistakes": mistakes.tolist(),
        }
        super().__init__(
            view=view,
            threshold=threshold,
            images=sent_pixels(shown.inputs[with_picture]),
            predicted=predicted.short().numpy().tobytes(),
            confidence=self._confidence.numpy().tobytes(),
        )

    @t.validate("threshold")
    def _is_a_share(self, proposal: Any) -> float:
        if not 0 < proposal["value"] <= 1:
            raise ValueError(f"threshold={proposal['value']}, but it is a probability: above 0, at most 1")
        return proposal["value"]

    @t.validate("frame")
    def _is_a_frame(self, proposal: Any) -> int:
        return required_number("frame", proposal["value"], len(self._confidence))

    def words(self) -> str:
        """How many images are pseudo-labelled, and what share of these pseudo-labels is right."""
        used = self._confidence[self.frame] >= self.threshold
        count, total = int(used.sum()), f"{used.numel():,} images"
        if not count:
            return f"None of {total} is pseudo-labelled"
        right = 100 * int(self._right[self.frame][used].sum()) / count
        return f"{count:,} of {total} {'is' if count == 1 else 'are'} pseudo-labelled, {right:.1f} % of them rightly"


def _probabilities(source: Any, split: Split, at: str) -> Tensor:
    """The probability of each class of each image, from a network or a tensor: [n, classes] float32, on the CPU."""
    if not isinstance(source, Tensor):
        logits = answers(source, split)[1]
        if logits is None:
            raise TypeError(f"a {type(source).__name__} names classes, not how probable they are; give a network")
        source = logits.float().softmax(1)
    source, expected = source.detach().float().cpu(), [len(split), len(split.classes)]
    if list(source.shape) != expected:
        shape = list(source.shape)
        raise ValueError(f"the probabilities{at} have the shape {shape}, but these images and classes need {expected}")
    if not (source >= 0).all() or not torch.allclose(source.sum(1), torch.ones(len(source)), atol=1e-2):
        raise ValueError(
            f"the probabilities{at} are negative, no numbers, or do not sum to 1 for each image; take the softmax of "
            "what the network gives: logits.softmax(1)"
        )
    return source
