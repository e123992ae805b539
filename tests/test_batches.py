"""Batches by number."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch
from helpers import split, task

from tlkit.data.batches import Batches, JointBatches, mixed_seed
from tlkit.data.tasks import Split


def order(batches: Batches, steps) -> list[list[float]]:
    """Which images each step holds, by a pixel that no other image has."""
    return [batches[step].inputs[:, 0, 1, 1].tolist() for step in steps]


def test_a_batch_depends_on_its_number_and_not_on_what_was_asked_before():
    forwards, backwards = Batches(split(), 8, seed=3), Batches(split(), 8, seed=3)
    assert order(forwards, range(9)) == order(backwards, reversed(range(9)))[::-1]


def test_each_epoch_holds_every_image_once_in_an_order_of_its_own():
    batches = Batches(split(24), 8)
    first, second = (torch.tensor(order(batches, steps)).flatten().tolist() for steps in (range(3), range(3, 6)))
    assert sorted(first) == sorted(second) == sorted(split(24).images[:, 0, 1, 1].tolist())
    assert first != second


def test_an_incomplete_last_batch_is_dropped():
    batches = Batches(split(30), 8)
    assert len(batches) == 3
    assert {len(batches[step].inputs) for step in range(7)} == {8}


def test_a_set_smaller_than_the_batch_is_one_batch():
    batches = Batches(split(5), 8)
    assert len(batches) == 1 and batches.batch_size == 5
    assert sorted(order(batches, [7])[0]) == sorted(split(5).images[:, 0, 1, 1].tolist())


def test_images_keep_their_labels():
    images, labels = Batches(split(), 8)[4]
    assert labels.equal((images[:, 0, 0, 0] * 10).round().long())


def test_without_labels_a_batch_has_none():
    assert Batches(replace(split(), labels=None), 8)[0].labels is None


@pytest.mark.parametrize("seed", [1, 2**32, 2**40 + 1])
def test_another_seed_is_another_order_also_beyond_32_bits(seed):
    assert order(Batches(split(), 8, seed), [0]) != order(Batches(split(), 8, 0), [0])


def test_no_two_pairs_of_seed_and_step_draw_the_same():
    pairs = list(product([*range(20), 2**32, 2**32 + 1, 2**63], range(1_000)))
    assert len({mixed_seed(*pair) for pair in pairs}) == len(pairs)


def test_asking_for_a_batch_leaves_torchs_generator_as_it_was():
    before = torch.get_rng_state()
    Batches(split(), 8)[50]
    assert torch.get_rng_state().equal(before)


def test_moving_the_data_keeps_the_order():
    batches = Batches(split(), 8, seed=7)
    assert order(batches.to("cpu"), range(6)) == order(batches, range(6))


@pytest.mark.parametrize(
    ("images", "size", "words"),
    [
        (4, 0, "batch_size=0, but a batch holds at least 1"),
        (4, 1.5, "batch_size=1.5, but it is a whole number: a batch holds at least 1 image"),
        (0, 4, "the split has no images"),
    ],
)
def test_no_images_make_no_batch(images, size, words):
    with pytest.raises(ValueError, match=words):
        Batches(split(images), size)


# ---- several splits at once ----


def joint(sizes=None, seed: int = 0, **more) -> JointBatches:
    """Six images that know their letter, and thirty others that know a number."""
    other = replace(split(30, seed=1), classes=("0", "1", "2"))
    return JointBatches({"letter": split(6), "number": other} | more, sizes or {"letter": 4, "number": 10}, seed)


def test_a_joint_batch_holds_every_split_and_minus_one_where_a_label_is_not_known():
    inputs, labels = joint()[3]
    assert len(inputs) == 14 and set(labels) == {"letter", "number"}
    true = (inputs[:, 0, 0, 0] * 10).round().long()
    assert labels["letter"][:4].equal(true[:4]) and (labels["letter"][4:] == -1).all()
    assert labels["number"][4:].equal(true[4:]) and (labels["number"][:4] == -1).all()


def test_a_joint_batch_depends_on_seed_and_number_alone():
    forwards, backwards = joint(seed=3), joint(seed=3)
    assert order(forwards, range(9)) == order(backwards, reversed(range(9)))[::-1] != order(joint(seed=4), range(9))
    assert order(forwards.to("cpu"), range(9)) == order(forwards, range(9))


def test_each_split_goes_round_its_own_examples_however_few_they_are():
    batches = joint({"letter": 9, "number": 10})
    few = torch.tensor([batches[step].inputs[:9, 0, 1, 1].tolist() for step in range(4)]).flatten().tolist()
    assert all(few.count(pixel) == 6 for pixel in split(6).images[:, 0, 1, 1].tolist())
    many = torch.tensor([batches[step].inputs[9:, 0, 1, 1].tolist() for step in range(3)]).flatten().tolist()
    assert sorted(many) == sorted(split(30, seed=1).images[:, 0, 1, 1].tolist())


def test_joint_batches_are_one_split_with_labels_by_task():
    whole = joint().split
    assert len(whole) == 36 and whole.classes["number"] == ("0", "1", "2")
    assert len(whole.of("letter")) == 6 and whole.of("letter").labels.equal(split(6).labels)


def test_two_splits_may_know_the_same_task_in_another_order_of_classes():
    other = split(9, seed=2).with_classes(("c", "b", "a"))
    named = replace(other, labels={"letter": other.labels}, classes={"letter": other.classes})
    inputs, labels = JointBatches({"letter": split(6), "other": named}, 6)[0]
    assert labels["letter"].equal((inputs[:, 0, 0, 0] * 10).round().long())


def test_one_batch_size_is_for_all_splits():
    assert joint(5).sizes == {"letter": 5, "number": 5} and len(joint(5)[0].inputs) == joint(5).batch_size == 10


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: JointBatches({}), "there is no split to take batches from"),
        (lambda: joint({"letter": 4}), "batch_size is for letter, but the splits are letter, number"),
        (lambda: joint({"letter": 0, "number": 1}), "batch_size of 'letter'=0, but each split gives at least 1 image"),
        (lambda: joint(5, more=split(0)), "the split 'more' has no images"),
        (lambda: joint(5, more=split().without_labels()), "the split 'more' has no labels"),
        (lambda: joint(5, more=replace(split(), inputs=torch.rand(30, 1, 5, 5))), "cannot be joined to"),
        (lambda: joint(5, more=Split(torch.rand(4, 3), torch.zeros(4).long(), ("a",))), "cannot be joined to"),
        (
            lambda: joint(5, more=replace(split(), labels={"letter": split().labels}, classes={"letter": "xyz"})),
            "one label would mean two things",
        ),
    ],
)
def test_splits_that_make_no_joint_batch_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_task_is_not_a_split_of_joint_batches():
    with pytest.raises(TypeError, match="'letter' is a Task; give one of its splits"):
        JointBatches({"letter": task()})
