"""The Gallery without a browser: what is counted, what is sent, and what a mistake is answered."""

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
    assert repr(tl.widgets.Gallery(test, network())) == f"{wrong} of 100 images are read wrongly"
    assert repr(tl.widgets.Gallery(split(30), Knowing(29 / 30))) == "1 of 30 images is read wrongly"


def test_of_a_task_the_test_images_are_shown():
    gallery = tl.widgets.Gallery(task(test=12), Knowing(0.5))
    assert gallery.view["title"] == repr(gallery) == "6 of 12 test images are read wrongly"


def test_a_title_is_shown_and_the_finding_is_still_said():
    gallery = tl.widgets.Gallery(split(10), Knowing(0.5), title="Pre-trained", subtitle="One label per class.")
    assert (gallery.view["title"], gallery.view["subtitle"]) == ("Pre-trained", "One label per class.")
    assert repr(gallery) == "5 of 10 images are read wrongly"


def test_images_are_sent_as_bytes_and_beliefs_as_float32():
    images = colours(5)
    asked = network()
    asked.preprocess = lambda rgb: rgb[:, :1]
    gallery = tl.widgets.Gallery(images, asked)
    assert gallery.view["shape"] == [3, 4, 4]
    assert sent(gallery).tolist() == (images.images * 255).round().flatten().tolist()
    with torch.no_grad():
        expected = asked.eval()(images.images).softmax(1)
    assert sent(gallery, "beliefs").tolist() == pytest.approx(expected.flatten().tolist())
    assert gallery.view["said"] == expected.argmax(1).tolist()


def test_asking_a_network_changes_nothing_in_it():
    asked = network().train()
    asked.backbone.eval()
    before = {name: value.clone() for name, value in asked.state_dict().items()}
    tl.widgets.Gallery(split(), asked)
    assert (asked.training, asked.backbone.training) == (True, False)
    assert all(torch.equal(value, before[name]) for name, value in asked.state_dict().items())


def test_a_predictor_without_a_network_has_no_beliefs():
    gallery = tl.widgets.Gallery(split(10), Knowing(0.5))
    assert gallery.beliefs == b""
    assert gallery.view["said"] == Knowing(0.5).predict(split(10).images).tolist()


def test_labels_alone_and_predictions_alone_can_be_shown():
    labels = tl.widgets.Gallery(split(10))
    assert (repr(labels), labels.view["said"]) == ("10 images of 3 classes", None)
    unlabelled = tl.widgets.Gallery(replace(split(10), labels=None), network())
    assert (repr(unlabelled), unlabelled.view["labels"]) == ("10 images without labels", None)


def test_the_first_images_are_sent_and_it_is_said_so():
    gallery = tl.widgets.Gallery(split(3_000), Knowing(1.0), most=2_000, subtitle="Who errs?")
    assert gallery.view["subtitle"] == "The first 2,000 of 3,000. Who errs?"
    assert repr(gallery) == "0 of 2,000 images are read wrongly"
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


# ---- side by side ----


def lines(gallery):
    """For each side and class: the first pixels of the labelled images, and of the pale ones; they tell the class."""
    found = []
    for side in gallery.view["sides"]:
        firsts = sent(gallery)[side["from"] :].reshape(-1, *side["shape"])[:, 0, 0, 0]
        found.append([(firsts[a : a + n], firsts[a + n : a + n + m]) for a, n, m in side["lines"]])
    return found


def test_a_line_holds_one_class_its_labelled_images_first():
    few = task(train=60).few_labels(2)
    gallery = tl.widgets.Gallery(few, source=split(300))
    assert repr(gallery) == "300 source images beside 60 target images, 6 of them labelled"
    source, target = lines(gallery)
    for label in range(3):
        value = round(25.5 * label)
        assert [set(part.tolist()) for part in source[label]] == [{value}, set()]
        assert [set(part.tolist()) for part in target[label]] == [{value}, {value}]
        assert [len(part) for part in (*source[label], *target[label])] == [40, 0, 2, 18]


def test_labelled_images_leave_room_for_those_without_a_label():
    _, target = lines(tl.widgets.Gallery(task(train=300).few_labels(30), source=split()))
    assert [[len(part) for part in line] for line in target] == [[20, 20]] * 3


def test_classes_meet_by_their_names():
    source = replace(split(30), classes=("c", "d", "a"))
    gallery = tl.widgets.Gallery(split(30), source=source)
    assert gallery.view["classes"] == ["a", "b", "c", "d"]
    assert gallery.view["note"] == "Same size, 4 × 4, and different classes."
    (a, b, c, d), _ = lines(gallery)
    assert [set(line[0].tolist()) for line in (a, b, c, d)] == [{51}, set(), {0}, {26}]


def test_images_whose_class_nobody_knows_stand_on_no_line():
    few = task().few_labels(1)
    blind = replace(few, unlabelled=replace(few.unlabelled, labels=None))
    gallery = tl.widgets.Gallery(blind, source=split())
    assert gallery.view["sides"][1]["caption"] == (
        "60 images, 3 of them labelled; the class of the others is not known"
    )
    assert [len(pale) for _, pale in lines(gallery)[1]] == [0, 0, 0]


def test_large_images_side_by_side_stay_below_three_megabytes():
    gallery = tl.widgets.Gallery(colours(300, size=96), source=colours(300, size=32))
    assert 2_500_000 < len(gallery.images) <= 3_000_000


# ---- with views ----


def darker(images):
    return images * 0.8


def test_each_image_is_followed_by_its_views_of_every_augmentation():
    gallery = tl.widgets.Gallery(task(train=3), views={"same": lambda images: images, "darker": darker})
    assert repr(gallery) == "3 images, each with 6 views by same and 6 by darker"
    images = (task(train=3).train.images * 255).round().numpy()
    sent_images = sent(gallery).reshape(3, 13, *gallery.view["shape"]).astype(float)
    assert (sent_images[:, :7] == images[:, None]).all()
    assert abs(sent_images[:, 7:] - 0.8 * images[:, None]).max() <= 1
    assert gallery.view["labels"] == task(train=3).train.labels.tolist()


def test_views_are_drawn_at_random_from_the_seed_and_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    one, again, other = (
        sent(tl.widgets.Gallery(split(), views={"noise": tl.data.noise} | more, seed=seed)).reshape(30, -1, 16)
        for seed, more in [(0, {}), (0, {"weak": tl.data.weak}), (1, {})]
    )
    assert (again[:, :7] == one).all() and (other != one).any()
    assert len(np.unique(one[0], axis=0)) == 7
    assert torch.get_rng_state().equal(before)


def test_an_augmentation_that_writes_into_its_images_spoils_neither_them_nor_the_other_views():
    gallery = tl.widgets.Gallery(split(), views={"halved": lambda images: images.mul_(0.5)})
    whole, *views = sent(gallery).reshape(30, 7, 16)[0].astype(float)
    assert whole.tolist() == (split().images[0] * 255).round().flatten().tolist()
    assert all(abs(view - whole / 2).max() <= 1 for view in views)


def test_a_handful_of_images_have_views_and_it_is_said_so():
    gallery = tl.widgets.Gallery(split(300), views={"weak": tl.data.weak})
    assert gallery.view["count"] == 40 and gallery.view["subtitle"].startswith("The first 40 of 300.")
    assert len(tl.widgets.Gallery(colours(120, size=96), views={"weak": tl.data.weak}).images) <= 3_000_000


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
        tl.widgets.Gallery(split(), views={"mine": augment})


# ---- mistakes ----


@pytest.mark.parametrize(
    "given, options, error, message",
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
        (split().images, {}, TypeError, "a Gallery shows a Split or a Task, not a Tensor"),
        (split(), {"network": Knowing(1), "source": split()}, ValueError, "give one of network=, source= and views="),
        (split(), {"views": {"weak": tl.data.weak}, "source": split()}, ValueError, "give one of network="),
        (split(), {"views": {}}, ValueError, "nothing to draw; name an augmentation"),
        (split(), {"source": replace(split(), labels=None)}, ValueError, "the source has no labels"),
        (split(), {"source": split(0)}, ValueError, "this split is empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_answered_with_a_sentence(given, options, error, message):
    with pytest.raises(error, match=message):
        tl.widgets.Gallery(given, **options)


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
    asked = network()
    torch.nn.init.constant_(asked.head.bias, float("nan"))
    with pytest.raises(ValueError, match="not all finite; train it again with a lower learning rate"):
        tl.widgets.Gallery(split(), asked)


def test_a_task_of_other_things_is_refused_too():
    with pytest.raises(ValueError, match="this split is empty"):
        tl.widgets.Gallery(Task("empty", split(), split(), split(0)))
