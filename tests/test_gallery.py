"""The Gallery without a browser: what is counted, what is sent, and how a mistake is answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import tlkit as tl
from tests.helpers import Knowing, network, split, task
from tlkit.data.tasks import Split, Task


def sent(gallery, name="images"):
    return np.frombuffer(getattr(gallery, name), np.uint8 if name == "images" else np.float32)


def colours(n=3, channels=3, size=4):
    return Split(torch.rand(n, channels, size, size), torch.arange(n) % 3, ("a", "b", "c"))


def test_the_title_counts_the_errors_that_a_report_finds():
    test = task().test
    wrong = 100 - int(tl.evaluate(network(), test).confusion.diagonal().sum())
    assert repr(tl.widgets.Gallery(test, network())) == f"{wrong} of 100 images are misclassified"
    assert repr(tl.widgets.Gallery(split(30), Knowing(29 / 30))) == "1 of 30 images is misclassified"


def test_of_a_task_the_test_images_are_shown():
    gallery = tl.widgets.Gallery(task(test=12), Knowing(0.5))
    assert gallery.view["title"] == repr(gallery) == "6 of 12 test images are misclassified"


def test_a_title_is_shown_and_repr_still_counts_the_errors():
    gallery = tl.widgets.Gallery(split(10), Knowing(0.5), title="Pre-trained", subtitle="One label per class.")
    assert (gallery.view["title"], gallery.view["subtitle"]) == ("Pre-trained", "One label per class.")
    assert repr(gallery) == "5 of 10 images are misclassified"


def test_images_are_sent_as_bytes_and_beliefs_as_float32():
    images = colours(5)
    grey = network()
    grey.preprocess = lambda rgb: rgb[:, :1]
    gallery = tl.widgets.Gallery(images, grey)
    assert gallery.view["shape"] == [3, 4, 4]
    assert sent(gallery).tolist() == (images.images * 255).round().flatten().tolist()
    with torch.no_grad():
        expected = grey.eval()(images.images).softmax(1)
    assert sent(gallery, "beliefs").tolist() == pytest.approx(expected.flatten().tolist())
    assert gallery.view["predicted"] == expected.argmax(1).tolist()


def test_asking_a_network_changes_nothing_in_it():
    trained = network().train()
    trained.backbone.eval()
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    tl.widgets.Gallery(split(), trained)
    assert (trained.training, trained.backbone.training) == (True, False)
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())


def test_a_predictor_without_a_network_has_no_beliefs():
    gallery = tl.widgets.Gallery(split(10), Knowing(0.5))
    assert gallery.beliefs == b""
    assert gallery.view["predicted"] == Knowing(0.5).predict(split(10).images).tolist()


def test_labels_alone_and_predictions_alone_can_be_shown():
    labels = tl.widgets.Gallery(split(10))
    assert (repr(labels), labels.view["predicted"]) == ("10 images of 3 classes", None)
    unlabelled = tl.widgets.Gallery(replace(split(10), labels=None), network())
    assert (repr(unlabelled), unlabelled.view["labels"]) == ("10 images without labels", None)


def test_the_first_images_are_sent_and_the_subtitle_says_so():
    gallery = tl.widgets.Gallery(split(3_000), Knowing(1.0), most=2_000, subtitle="Who errs?")
    assert gallery.view["subtitle"] == "The first 2,000 of 3,000. Who errs?"
    assert repr(gallery) == "0 of 2,000 images are misclassified"
    assert sent(gallery).tolist() == (split(3_000).images[:2_000] * 255).round().flatten().tolist()


def test_photographs_are_shrunk_and_fewer_so_that_a_buffer_stays_below_three_megabytes():
    photographs = Split(torch.full((120, 3, 224, 448), 0.5), torch.zeros(120).long(), ("a",))
    gallery = tl.widgets.Gallery(photographs)
    assert gallery.view["shape"] == [3, 48, 96]
    assert set(sent(gallery)) <= {127, 128} and len(gallery.images) == 120 * 3 * 48 * 96
    gallery = tl.widgets.Gallery(colours(120, size=96))
    assert gallery.view["subtitle"].startswith("The first 108 of 120.")
    assert len(gallery.images) == 108 * 3 * 96 * 96 <= 3_000_000


def test_many_classes_are_fewer_images_so_that_their_beliefs_stay_below_three_megabytes():
    many = replace(split(900), classes=tuple(map(str, range(1_000))))
    wide = tl.widgets.Gallery(many, network().with_new_head(1_000))
    assert len(wide.beliefs) == 750 * 1_000 * 4


def test_file_names_travel_with_their_images():
    named = replace(split(4), files=("a/1.png", "a/2.png", "b/<b>.png", "c/4.png"))
    assert tl.widgets.Gallery(named, most=3).view["files"] == ["a/1.png", "a/2.png", "b/<b>.png"]


def test_the_familys_colour_is_that_of_the_course():
    assert tl.widgets.Gallery(split(), Knowing(1.0), family="from scratch").view["token"] == "s2"


# ---- mistakes ----


@pytest.mark.parametrize(
    "data, options, error, message",
    [
        (split(0), {}, ValueError, "this split is empty: there is no image to show"),
        (replace(split(), labels=None), {}, ValueError, "no labels, .* give a network as well"),
        (
            split(),
            {"network": network().with_new_head(5)},
            ValueError,
            r"distinguishes 5 classes, .* have 3; .*_head\(3\)",
        ),
        (split(), {"network": network().with_new_head(2)}, ValueError, "distinguishes 2 classes"),
        (colours(channels=2), {}, ValueError, "these images have 2 channels, but a page shows 1 .* or 3"),
        (colours(channels=4), {}, ValueError, "these images have 4 channels"),
        (split().images, {}, TypeError, "Gallery shows a Split or a Task, not a Tensor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_answered_with_a_sentence(data, options, error, message):
    with pytest.raises(error, match=message):
        tl.widgets.Gallery(data, **options)


@pytest.mark.parametrize(
    "predicted, message",
    [
        (torch.zeros(3), r"30 images got predictions of shape \[3\]; give one class number each"),
        (torch.arange(30), "predictions run from 0 to 29, but the split has the classes 0 to 2"),
        (torch.full((30,), -1), "predictions run from -1 to -1"),
    ],
)
def test_predictions_that_are_no_classes_are_refused(predicted, message):
    class Wrong:
        def predict(self, images):
            return predicted

    with pytest.raises(ValueError, match=message):
        tl.widgets.Gallery(split(30), Wrong())


def test_a_network_that_has_diverged_is_named_as_such():
    diverged = network()
    torch.nn.init.constant_(diverged.head.bias, float("nan"))
    with pytest.raises(ValueError, match="not all finite; train it again with a lower learning rate"):
        tl.widgets.Gallery(split(), diverged)


def test_a_task_of_other_things_is_refused_too():
    with pytest.raises(ValueError, match="this split is empty"):
        tl.widgets.Gallery(Task("empty", split(), split(), split(0)))
