"""Which images a network is sure enough of to learn from its own answers, and which of these answers are wrong."""

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
    """Move the threshold of pseudo-labels and see which are right and which are wrong; no kernel is needed afterwards.

    `split` holds unlabelled images with their hidden labels, such as `few.unlabelled`: the reader sees these labels, a
    network never does. `frames` is a network, or the probabilities [n, classes] that it gives; or `{step: either}`,
    then a slider runs through training. An image is pseudo-labelled where its highest probability is at least
    `threshold`. `name` says what was trained. `threshold` and `frame`, which of the steps is shown, can be set.

    >>> import tlkit as tl
    >>> few = tl.data.digits().few_labels(1)
    >>> tl.widgets.PseudoLabelMonitor(few.unlabelled, tl.models.SmallCNN(), name="Untrained")
    None of 987 images is pseudo-labelled

    Raises TypeError for what is no Split, or has no probabilities. Raises ValueError for a split without images or
    labels, if probabilities have another shape or do not sum to 1, if steps do not rise, or for a frame that is not
    there or a threshold outside (0, 1].
    """

    view = t.Dict().tag(sync=True)
    threshold = t.Float(0.95).tag(sync=True)
    frame = t.Int(0).tag(sync=True)
    images = t.Bytes().tag(sync=True)
    said = t.Bytes().tag(sync=True)
    sure = t.Bytes().tag(sync=True)

    def __init__(self, split: Split, frames: Any, *, threshold: float = 0.95, name: str = ""):
        if not isinstance(split, Split):
            given = type(split).__name__
            raise TypeError(f"a PseudoLabelMonitor shows a Split, not a {given}; of a Task take task.unlabelled")
        if not len(split):
            raise ValueError("this split is empty: there is no image to label; choose another part of the data")
        labels, shown = split.one_label_each(), pictured(split)
        if labels is None:
            raise ValueError(
                "these images have no hidden labels, so nobody can say which pseudo-labels are wrong; keep the labels "
                "for the reader, as task.few_labels(1).unlabelled does"
            )
        steps = training_steps(frames) if isinstance(frames, Mapping) else []
        given = {f" of step {step}": frames[step] for step in steps} or {"": frames}
        tops = [_probabilities(one, split, at).max(1) for at, one in given.items()]
        self._sure, said = torch.stack([top.values for top in tops]), torch.stack([top.indices for top in tops])
        self._right = said == labels.cpu()
        surest = self._sure.masked_fill(self._right, -1).sort(descending=True, stable=True).indices[:, :SHOWN]
        with_picture = surest.unique()  # with any threshold none but these are shown
        view = {
            "name": name,
            "steps": steps,
            "classes": list(split.classes),
            "labels": labels.tolist(),
            "shape": sent_shape(shown.inputs.shape),
            "top": round_top(len(split) / 5),
            "pictured": with_picture.tolist(),
            "surest": surest.tolist(),
        }
        super().__init__(
            view=view,
            threshold=threshold,
            images=sent_pixels(shown.inputs[with_picture]),
            said=said.short().numpy().tobytes(),
            sure=self._sure.numpy().tobytes(),
        )

    @t.validate("threshold")
    def _is_a_share(self, proposal: Any) -> float:
        if not 0 < proposal["value"] <= 1:
            raise ValueError(f"threshold={proposal['value']}, but it is a probability: above 0, at most 1")
        return proposal["value"]

    @t.validate("frame")
    def _is_a_frame(self, proposal: Any) -> int:
        return required_number("frame", proposal["value"], len(self._sure))

    def words(self) -> str:
        """How many images are pseudo-labelled, and what share of them rightly, in a sentence."""
        used = self._sure[self.frame] >= self.threshold
        count, total = int(used.sum()), f"{used.numel():,} images"
        if not count:
            return f"None of {total} is pseudo-labelled"
        right = 100 * int(self._right[self.frame][used].sum()) / count
        return f"{count:,} of {total} {'is' if count == 1 else 'are'} pseudo-labelled, {right:.1f} % of them rightly"


def _probabilities(given: Any, split: Split, at: str) -> Tensor:
    """What a network, or its answers, give each class of each image: [n, classes] float32, on the CPU."""
    if not isinstance(given, Tensor):
        logits = answers(given, split)[1]
        if logits is None:
            raise TypeError(f"a {type(given).__name__} names classes, not how probable they are; give a network")
        given = logits.float().softmax(1)
    given, expected = given.detach().float().cpu(), [len(split), len(split.classes)]
    if list(given.shape) != expected:
        shape = list(given.shape)
        raise ValueError(f"the probabilities{at} have the shape {shape}, but these images and classes need {expected}")
    if not (given >= 0).all() or not torch.allclose(given.sum(1), torch.ones(len(given)), atol=1e-2):
        raise ValueError(
            f"the probabilities{at} are negative, no numbers, or do not sum to 1 for each image; take the softmax of "
            "what the network gives: logits.softmax(1)"
        )
    return given
