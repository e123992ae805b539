"""Splits and tasks: what they refuse, and which labels are kept when few are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import NAMES, split, task
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset

import tlkit as tl

IMAGES = torch.zeros(2, 1, 4, 4)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (torch.zeros(1, 4, 4), None, r"\[n, channels, height, width\].* shape \[1, 4, 4\].*images\[None, None\]"),
        (IMAGES, torch.zeros(3, dtype=torch.int64), r"2 images, but labels of shape \[3\]"),
        (
            IMAGES,
            torch.zeros(2),
            r"labels are torch.float32, but class numbers are whole; use torch.as_tensor\(labels\).long\(\)",
        ),
        (IMAGES, ["a", "b"], r"labels are \['a', 'b'\], .*of names take \[classes.index\(name\) for name in names\]"),
        (IMAGES, np.array(["a", "b"]), "of names take"),
        (IMAGES, torch.tensor([0, 3]), r"label 3 of image 1 is out of range: 3 classes have the labels 0 to 2"),
        (IMAGES, torch.tensor([-1, 0]), r"label -1 of image 0 is out of range"),
    ],
    ids=[
        "one image",
        "too many labels",
        "labels that are shares",
        "names",
        "an array of names",
        "label too large",
        "negative label",
    ],
)
def test_a_split_refuses_what_does_not_fit_and_says_what_would(images, labels, words):
    with pytest.raises(ValueError, match=words):
        tl.data.Split(images, labels, NAMES)


def test_a_part_of_a_split_keeps_images_and_labels_together():
    whole = split(9)
    part = whole[whole.labels == 2]
    assert part.images.equal(whole.images[2::3]) and part.labels.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "labels", [[2, 0], (2, 0), np.array([2, 0]), np.array([2, 0], np.int32), torch.tensor([2, 0], dtype=torch.uint8)]
)
def test_labels_may_be_any_whole_numbers(labels):
    whole = tl.data.Split(IMAGES, labels, NAMES)
    assert whole.labels.equal(torch.tensor([2, 0]))
    assert tl.data.Split(IMAGES, {"one": labels}, {"one": NAMES}).labels["one"].dtype == torch.int64


# ---- classes in another order ----


def renumbered(whole: tl.data.Split) -> tl.data.Split:
    """The same examples with the classes the other way round."""
    return replace(whole, labels=2 - whole.labels, classes=NAMES[::-1])


def test_a_label_keeps_its_meaning_where_the_classes_of_the_other_split_stand_in_another_order():
    both = split(9) + renumbered(split(9))
    assert both.classes == NAMES and both.labels.equal(split(9).labels.repeat(2))


def test_labels_of_several_tasks_keep_their_meaning_too():
    one = tl.data.Split(IMAGES, {"x": [0, -1], "y": [1, 0]}, {"x": ("a", "b"), "y": ("c", "d")})
    other = tl.data.Split(IMAGES, {"y": [1, 0], "x": [0, -1]}, {"y": ("c", "d"), "x": ("b", "a")})
    both = one + other
    assert both.labels["x"].tolist() == [0, -1, 1, -1] and both.labels["y"].tolist() == [1, 0, 1, 0]
    assert both.classes == one.classes


def test_the_splits_of_a_task_have_its_classes_in_one_order():
    whole = tl.data.Task("tenths", split(60), renumbered(split(9)), renumbered(split(30)), renumbered(split(6)))
    for part in (whole.validation, whole.test, whole.unlabelled):
        assert part.classes == NAMES and part.labels.equal((part.images[:, 0, 0, 0] * 10).round().long())


def test_a_task_may_be_tested_on_other_classes_which_then_stay_as_they_are():
    others = replace(split(30), classes=("x", "y", "z"))
    assert tl.data.Task("tenths", split(60), split(9), others).test is others


def test_unlabelled_images_may_be_of_other_classes():
    others = replace(split(6), classes=("x", "y", "z"))
    assert tl.data.Task("tenths", split(60), split(9), split(30), others).unlabelled is others


def test_classes_of_one_name_cannot_be_put_in_another_order():
    twice = replace(split(9), classes=("a", "a", "b"))
    assert (twice + twice).classes == ("a", "a", "b")
    with pytest.raises(ValueError, match="one label would mean two things"):
        twice + replace(split(9), classes=("a", "b", "a"))


@pytest.mark.parametrize("index", [0, torch.tensor(1), torch.tensor([[0, 1], [2, 3]])])
def test_one_example_is_no_part_of_a_split(index):
    with pytest.raises(ValueError, match=r"chosen by a slice, a mask or numbers \[k\]; one example is split\[0:1\]"):
        split(9)[index]


def test_a_part_may_be_chosen_by_a_list():
    assert split(9)[[4, 2]].images.equal(split(9).images[[4, 2]])


def test_a_split_that_a_gradient_goes_through_has_a_fingerprint():
    plain = split(9)
    moved = replace(plain, inputs=plain.images.clone().requires_grad_())
    assert moved.fingerprint() == plain.fingerprint()


def test_a_split_and_a_task_say_what_they_hold():
    assert repr(split(9)) == "9 grey images of 4 x 4, 3 classes"
    assert repr(replace(split(9), labels=None)) == "9 grey images of 4 x 4, no labels"
    few = "tenths: 3 classes, 6 train, 9 validation, 100 test, 54 unlabelled images of 4 x 4"
    assert repr(task().few_labels(2)) == few


@pytest.mark.parametrize("per_class", [1, 5, 20])
def test_few_labels_keeps_that_many_of_each_class(per_class):
    assert task().few_labels(per_class).train.labels.bincount().tolist() == [per_class] * 3


def test_what_few_labels_leaves_becomes_unlabelled_with_its_hidden_labels():
    whole, few = split(60), replace(task(), redraw=None).few_labels(2)
    images = torch.cat([few.train.images, few.unlabelled.images]).flatten(1)
    assert sorted(images.tolist()) == sorted(whole.images.flatten(1).tolist())
    assert few.unlabelled.labels.equal((few.unlabelled.images[:, 0, 0, 0] * 10).round().long())


def test_the_same_seed_keeps_the_same_labels_and_another_seed_others():
    fixed = replace(task(), redraw=None)
    first, again, other = (fixed.few_labels(2, seed).train.images for seed in (1, 1, 2))
    assert first.equal(again) and not first.equal(other)


def test_few_labels_redraws_the_split_where_the_task_can():
    original, few = task(), task().few_labels(2, seed=4)
    assert few.test.images.equal(original.redraw(4).test.images)
    assert not few.test.images.equal(original.test.images)


def test_few_labels_leaves_the_test_images_where_the_task_cannot_be_redrawn():
    fixed = replace(task(), redraw=None)
    assert fixed.few_labels(2, seed=4).test is fixed.test


def test_no_label_at_all_leaves_nothing_to_train_on_and_all_unlabelled():
    few = task().few_labels(0)
    assert (len(few.train), len(few.unlabelled), few.classes) == (0, 60, NAMES)


@pytest.mark.parametrize(
    ("per_class", "words"),
    [
        (-3, ""),
        (1.5, "it is a whole number: "),
        ("2", "it is a whole number: "),
        (None, "it is a whole number: "),
    ],
)
def test_labels_that_cannot_be_counted_are_refused(per_class, words):
    with pytest.raises(ValueError, match=f"^per_class={per_class!r}, but {words}a class keeps at least 0 labels$"):
        task().few_labels(per_class)


def test_labels_may_be_counted_by_numpy_and_torch():
    assert len(task().few_labels(np.int64(2)).train) == len(task().few_labels(torch.tensor(2)).train) == 6


def test_more_labels_than_there_are_is_refused_with_the_class_and_the_most_that_works():
    short = replace(task(), train=split(60)[torch.arange(59)], redraw=None)  # class c has 19
    with pytest.raises(ValueError, match='per_class=20, but class "c" has only 19 training images; use at most 19'):
        short.few_labels(20)
    assert len(short.few_labels(19).train) == 57


def test_labels_cannot_be_kept_where_there_are_none():
    with pytest.raises(ValueError, match="this split has no labels, so none of 'tenths' can be kept"):
        replace(task(), train=replace(split(), labels=None), redraw=None).few_labels(1)


def test_shuffled_labels_are_the_same_labels_on_the_same_images_in_another_order():
    before, after = task().train, task().with_shuffled_labels(seed=1).train
    assert after.images.equal(before.images)
    assert after.labels.bincount().equal(before.labels.bincount()) and not after.labels.equal(before.labels)


def test_shuffling_leaves_no_trace_of_the_classes():
    before, after = task(train=3_000).train.labels, task(train=3_000).with_shuffled_labels().train.labels
    assert float((before == after).float().mean()) == pytest.approx(1 / 3, abs=0.03)


def test_a_task_with_shuffled_labels_cannot_be_redrawn_into_the_right_ones():
    shuffled = task().with_shuffled_labels()
    few = shuffled.few_labels(20, seed=3)
    assert few.train.images.equal(shuffled.train.images) and few.train.labels.equal(shuffled.train.labels)


def test_labels_that_do_not_exist_cannot_be_shuffled():
    with pytest.raises(ValueError, match="no labels, so none of 'tenths' can be shuffled"):
        replace(task(), train=replace(split(), labels=None)).with_shuffled_labels()


def test_drawing_few_labels_leaves_torchs_generator_as_it_was():
    before = torch.get_rng_state()
    task().few_labels(1, seed=5).with_shuffled_labels(seed=5)
    assert torch.get_rng_state().equal(before)


def test_images_that_were_without_a_label_before_stay_among_the_unlabelled():
    once = replace(tl.data.digits(), redraw=None).few_labels(5)
    again = once.few_labels(1)
    assert len(again.train) == 10
    assert len(again.unlabelled) == len(once.unlabelled) + 40
    assert again.unlabelled.images[: len(once.unlabelled)].equal(once.unlabelled.images)
    assert (once.unlabelled + replace(once.train, labels=None)).labels is None


def test_with_a_fixed_split_seeds_draw_labels_only():
    task = tl.data.digits().with_fixed_split()
    one, other = task.few_labels(1, seed=1), task.few_labels(1, seed=2)
    assert one.test.images.equal(other.test.images)
    assert not one.train.images.equal(other.train.images)


def test_without_labels_the_images_stay():
    labelled = tl.data.digits().train
    assert labelled.without_labels().labels is None
    assert labelled.without_labels().images is labelled.images


# ---- PyTorch's own form of data ----


class Tenths(Dataset):
    """The images of a split with their labels as whole numbers."""

    def __init__(self, n: int = 9):
        self.split, self.classes = split(n), [*NAMES]

    def __len__(self):
        return len(self.split)

    def __getitem__(self, number):
        return self.split.images[number], int(self.split.labels[number])


@pytest.mark.parametrize(
    ("data", "classes"),
    [
        (Tenths(), NAMES),
        (Subset(Subset(Tenths(20), range(15)), range(9)), NAMES),
        (DataLoader(Tenths(), batch_size=4, shuffle=True), NAMES),
        (ConcatDataset([Tenths(3), Tenths(6)]), ("0", "1", "2")),
        (TensorDataset(split(9).images, split(9).labels), ("0", "1", "2")),
        ([*Tenths()], ("0", "1", "2")),
    ],
    ids=["data set", "parts of parts", "loader", "joined", "tensors", "list"],
)
def test_a_data_set_of_torch_becomes_a_split(data, classes):
    made = tl.data.as_split(data)
    assert made.labels.equal(split(9).labels) and made.classes == classes
    assert made.images[:, 0, 0, 0].allclose(split(9).labels / 10)


def test_a_split_stays_what_it_is_and_classes_can_be_named():
    whole = split(9)
    assert tl.data.as_split(whole) is whole
    assert tl.data.as_split([*Tenths()], classes="xyz").classes == ("x", "y", "z")


def test_arrays_of_numpy_in_a_data_set_are_read_as_tensors_are():
    made = tl.data.as_split([(np.full((1, 4, 4), 255, np.uint8), np.int64(1))] * 2)
    assert made.images.min() == 1 and made.labels.tolist() == [1, 1]


def test_a_task_and_batches_take_data_sets_of_torch():
    whole = tl.data.Task("tenths", Tenths(30), Tenths(6), DataLoader(Tenths(9)))
    assert repr(whole) == "tenths: 3 classes, 30 train, 6 validation, 9 test images of 4 x 4"
    assert tl.data.Batches(Tenths(30), 8)[0].inputs.shape == (8, 1, 4, 4)


class Endless(IterableDataset):
    def __iter__(self):
        return iter(Tenths())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Endless(), "a Endless cannot be made into a split: .*len\\(data\\) examples data\\[i\\]"),
        (task(), "a Task cannot be made into a split: .*give one of its splits, such as task.train"),
        (torch.rand(3, 1, 4, 4), "a Tensor .* tl.data.Split\\(inputs, labels, classes\\)"),
        ([], "the list has no examples"),
        ([{"image": 1, "label": 2}], "the examples of this list are a dict each, .*\\(tensor, class number\\)"),
        ([("cat.jpg", 0)], "the examples of this list begin with a str, not a tensor; .*transform=.*ToTensor"),
        ([(torch.rand(1, 4, 4), 0.5)], "the labels of this list are no class numbers"),
        ([(torch.rand(1, 4, 4), torch.eye(3)[0])], "the labels of this list are no class numbers"),
        ([(torch.rand(1, 4, 4), 0), (torch.rand(1, 5, 4), 0)], "tensors of the shapes .*torch.stack joins"),
    ],
    ids=["stream", "task", "tensor", "empty", "dictionary", "no tensor", "a share", "one hot", "sizes"],
)
def test_data_that_make_no_split_are_refused(data, words):
    with pytest.raises((TypeError, ValueError), match=words):
        tl.data.as_split(data)
