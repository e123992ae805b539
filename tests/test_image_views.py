"""Views without a browser: what is drawn and sent, and how a mistake is answered."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tlkit as tl
from tests.helpers import split, task
from tlkit.data.tasks import Split


def sent(widget):
    return np.frombuffer(widget.images, np.uint8)


def darker(images):
    return images * 0.8


def test_each_image_is_followed_by_its_views_of_every_augmentation():
    widget = tl.widgets.Views(task(train=3), {"same": lambda images: images, "darker": darker})
    assert repr(widget) == "3 images, each with 6 views by same and 6 by darker"
    images = (task(train=3).train.images * 255).round().numpy()
    sent_images = sent(widget).reshape(3, 13, *widget.view["shape"]).astype(float)
    assert (sent_images[:, :7] == images[:, None]).all()
    assert abs(sent_images[:, 7:] - 0.8 * images[:, None]).max() <= 1
    assert widget.view["labels"] == task(train=3).train.labels.tolist()


def test_views_are_drawn_at_random_from_the_seed_and_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    one, again, other = (
        sent(tl.widgets.Views(split(), {"noise": tl.data.noise} | more, seed=seed)).reshape(30, -1, 16)
        for seed, more in [(0, {}), (0, {"weak": tl.data.weak}), (1, {})]
    )
    assert (again[:, :7] == one).all() and (other != one).any()
    assert len(np.unique(one[0], axis=0)) == 7
    assert torch.get_rng_state().equal(before)


def test_an_augmentation_that_writes_into_its_images_spoils_neither_them_nor_the_other_views():
    widget = tl.widgets.Views(split(), {"halved": lambda images: images.mul_(0.5)})
    whole, *views = sent(widget).reshape(30, 7, 16)[0].astype(float)
    assert whole.tolist() == (split().images[0] * 255).round().flatten().tolist()
    assert all(abs(view - whole / 2).max() <= 1 for view in views)


def test_a_handful_of_images_have_views_and_the_subtitle_says_so():
    widget = tl.widgets.Views(split(300), {"weak": tl.data.weak})
    assert widget.view["count"] == 40 and widget.view["subtitle"].startswith("The first 40 of 300.")
    photographs = Split(torch.rand(120, 3, 96, 96), None, ())
    assert len(tl.widgets.Views(photographs, {"weak": tl.data.weak}).images) <= 3_000_000


@pytest.mark.parametrize(
    "augment, message",
    [
        (lambda images: images[:, :, 1:], r'"mine" turned images of the shape \[30, 1, 4, 4\] into \[30, 1, 3, 4\]'),
        (
            lambda images: images - 0.5,
            r"\"mine\" returned values from -0.\d+ to 0.\d+, but images lie in 0..1; .*\.clamp",
        ),
        (lambda images: images * 2, '"mine" returned values from'),
        (lambda images: images / 0, '"mine" returned values'),
        (lambda images: images * float("nan"), '"mine" returned values that are no numbers'),
    ],
)
def test_an_augmentation_that_returns_no_images_is_named(augment, message):
    with pytest.raises(ValueError, match=message):
        tl.widgets.Views(split(), {"mine": augment})


@pytest.mark.parametrize(
    "data, views, error, message",
    [
        (split(), {}, ValueError, "nothing to draw; name an augmentation"),
        (split(0), {"weak": tl.data.weak}, ValueError, "this split is empty: there is no image to show"),
        (split().images, {"weak": tl.data.weak}, TypeError, "Views shows a Split or a Task, not a Tensor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_answered_with_a_sentence(data, views, error, message):
    with pytest.raises(error, match=message):
        tl.widgets.Views(data, views)
