"""Batches by number."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch
from helpers import split

from tlkit.data.batches import Batches, mixed_seed


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
