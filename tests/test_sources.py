"""The embedded data: real digits as scikit-learn has them, printed characters as they were when stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

import tlkit as tl
from tlkit.data.sources import full_height

STORED = Path(__file__).parent / "data" / "glyphs.npz"


@pytest.fixture(scope="module")
def glyphs():
    return tl.data.glyphs(count=200)


def sixteenths(split) -> np.ndarray:
    return (split.images[:, 0] * 16).round().numpy().astype(np.uint8)


# ---- digits ----


@pytest.mark.parametrize("seed", [0, 5])
def test_the_digits_are_those_of_scikit_learn_each_in_one_split(seed):
    task, data = tl.data.digits(seed), load_digits()
    images = [
        [*image.ravel(), label]
        for part in splits(task)
        for image, label in zip(sixteenths(part), part.labels, strict=True)
    ]
    expected = [[*image.ravel(), label] for image, label in zip(data.images, data.target, strict=True)]
    assert sorted(np.array(images).tolist()) == sorted(np.array(expected, dtype=int).tolist())


def splits(task):
    return task.train, task.validation, task.test


def test_the_digits_are_split_997_200_600():
    assert [len(part) for part in splits(tl.data.digits())] == [997, 200, 600]


def test_another_seed_draws_another_split_and_the_same_seed_the_same():
    first, again, other = (tl.data.digits(seed).test.images for seed in (1, 1, 2))
    assert first.equal(again) and not first.equal(other)


def test_few_labels_of_the_digits_are_tested_on_the_split_of_their_seed():
    assert tl.data.digits().few_labels(1, seed=3).test.images.equal(tl.data.digits(3).test.images)


def test_digits_are_ink_from_0_to_1():
    images = tl.data.digits().train.images
    assert images.dtype == torch.float32 and (images.min(), images.max()) == (0, 1)


# ---- glyphs ----


def test_the_glyphs_are_those_that_were_stored(glyphs):
    """Remake the file, after a wanted change, with

    python -c "import numpy, tlkit as tl; t = tl.data.glyphs(count=200).train; numpy.savez_compressed(
    'tests/data/glyphs.npz', images=(t.images[:, 0] * 16).round().byte().numpy(), labels=t.labels.byte().numpy())"
    """
    old = np.load(STORED)
    assert old["labels"].tolist() == glyphs.train.labels.tolist()
    assert (old["images"] == sixteenths(glyphs.train)).mean() >= 0.999


def test_the_same_seed_draws_the_same_glyphs_and_another_seed_others(glyphs):
    assert tl.data.glyphs(count=200).train.images.equal(glyphs.train.images)
    assert not tl.data.glyphs(count=200, seed=1).train.images.equal(glyphs.train.images)


def test_glyphs_come_in_the_requested_number_and_1000_to_validate_and_to_test(glyphs):
    assert [len(part) for part in splits(glyphs)] == [200, 1_000, 1_000]


def test_every_character_is_a_class_with_its_share_of_the_images(glyphs):
    assert glyphs.classes == tuple("0123456789")
    assert glyphs.test.labels.bincount(minlength=10).min() > 70


def test_glyphs_are_quantised_to_sixteenths_of_ink_from_0_to_1(glyphs):
    values = glyphs.test.images * 16
    assert values.equal(values.round()) and (values.min(), values.max()) == (0, 16)


def test_glyphs_have_the_full_height_of_the_image(glyphs):
    ink = glyphs.test.images[:, 0].amax(2) > 0
    assert ink[:, 0].all() and ink[:, -1].all()


def test_the_label_of_a_glyph_is_its_character(glyphs):
    """Images of one label look alike, and unlike those of another: the nearest neighbour mostly agrees."""
    seen, unseen = glyphs.validation, glyphs.test
    nearest = KNeighborsClassifier(1).fit(seen.images.flatten(1), seen.labels)
    assert nearest.score(unseen.images.flatten(1), unseen.labels) > 0.7


def test_each_requested_character_is_a_class():
    task = tl.data.glyphs("AB", count=3)
    assert task.classes == ("A", "B") and set(task.test.labels.tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("characters", "words"),
    [
        ("中", "the font DejaVuSans has no '中'; leave that character out"),
        ("1 ", "' ' leaves no ink; leave that character out"),
        ("11", "give each character once"),
        ("", "at least one"),
    ],
)
def test_a_character_that_cannot_be_printed_is_named(characters, words):
    with pytest.raises(ValueError, match=words):
        tl.data.glyphs(characters, count=3)


def test_printing_leaves_torchs_generator_as_it_was():
    before = torch.get_rng_state()
    tl.data.glyphs("A", count=3)
    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize(("height", "width"), [(4, 2), (9, 3)])
def test_full_height_scales_a_drawing_to_the_image_and_keeps_its_proportion(height, width):
    ink = torch.zeros(1, 1, 16, 16)
    ink[0, 0, 3 : 3 + height, 5 : 5 + width] = 1
    scaled = full_height(ink, 16)[0, 0] > 0.5
    assert scaled.any(1).all()
    assert scaled.any(0).sum() == pytest.approx(16 * width / height, abs=1)
