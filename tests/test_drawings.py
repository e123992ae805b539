"""Drawings and what the network that reads them makes of them; its weights; episodes of new symbols."""

from __future__ import annotations

import os
import unicodedata

import pytest
import torch
from torch.nn import functional as F

from benchmarks.teach import by_class_means, episodes, measure, right, symbols
from characters import NAMES_LEFT_OUT
from teach_source import CHARACTERS, characters, pretrain_teach
from tlkit.data.drawings import SAMPLES, picture, pictures
from tlkit.models.teach import (
    WEIGHTS,
    beliefs,
    class_means,
    cosines,
    drawing_features,
    pretrained_teach,
    quantised,
    restored,
    untrained_teach,
)

HERE = os.environ.get("TLKIT_DATA")
needs_data = pytest.mark.skipif(not HERE, reason="TLKIT_DATA names no folder with pen strokes and MNIST")


def ink_centre(image):
    at = torch.arange(16) + 0.5
    return [float((image.sum(dim) * at).sum() / image.sum()) for dim in (0, 1)]


# ---- pictures


def test_a_horizontal_line_is_a_pen_wide_and_as_long_as_the_longest_side():
    image = picture([[[100, 300], [900, 300]]])
    assert image.sum(0)[8] == pytest.approx(1.4, abs=0.15)
    assert image.sum() == pytest.approx(1.4 * 13.3 + 3.14 * 0.7**2, rel=0.05)


@pytest.mark.parametrize("name", SAMPLES)
def test_place_and_size_of_a_drawing_change_nothing(name):
    small = [[[0.3 * x + 650, 0.3 * y + 20] for x, y in stroke] for stroke in SAMPLES[name]]
    assert picture(small).sub(picture(SAMPLES[name])).abs().max() < 1e-5


def test_the_centre_of_ink_is_in_the_middle():
    assert ink_centre(picture(SAMPLES["arrow"])) == pytest.approx([8, 8], abs=0.3)


def test_a_dot_is_a_dot_and_an_empty_drawing_an_empty_picture():
    dot = picture([[[700, 200]]])
    assert 1 < dot.sum() < 2 and ink_centre(dot) == pytest.approx([8, 8])
    assert picture([]).sum() == picture([[]]).sum() == 0
    assert pictures([]).shape == (0, 1, 16, 16)


# ---- the source


def test_the_source_holds_400_characters_and_none_is_a_digit_or_a_sample_drawing_by_name():
    assert len(set(CHARACTERS)) == len(CHARACTERS) == 400
    assert not [c for c in CHARACTERS if c.isdigit() or set(unicodedata.name(c).split()) & NAMES_LEFT_OUT]
    assert {name.upper() for name in SAMPLES} - NAMES_LEFT_OUT <= {"SMILEY"}  # it is a FACE there


def test_no_character_of_the_source_looks_like_a_sample_drawing():
    """Closer than two drawings of one symbol are: the mean over its distorted prints is far from every sample."""
    prints = characters(count=4_000).train
    shapes = class_means(prints.images.flatten(1), prints.labels, 400)
    assert cosines(pictures(SAMPLES.values()).flatten(1), shapes).max() < 0.85


def test_printed_characters_are_placed_as_drawings_are():
    image = characters(count=64).train.images.mean(0)[0]
    assert ink_centre(image) == pytest.approx([8, 8], abs=0.3)
    assert characters(count=8).train.images.equal(characters(count=8).train.images)


# ---- the weights


def test_the_backbone_has_89248_weights_and_travels_in_about_90_kB():
    assert sum(p.numel() for p in untrained_teach().backbone.parameters()) == 89_248
    assert WEIGHTS.stat().st_size == 89_424


def test_folding_the_batch_norms_and_rounding_to_int8_changes_the_features_little():
    network = untrained_teach(seed=1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    images = pictures(SAMPLES.values())
    exact, rounded = (drawing_features(one, images) for one in (network, restored(quantised(network))))
    assert F.cosine_similarity(exact, rounded).min() > 0.999


def test_quantising_what_was_restored_gives_nearly_the_same_bytes():
    before = WEIGHTS.read_bytes()
    again = quantised(restored(before))
    assert sum(a != b for a, b in zip(before, again, strict=True)) < 0.02 * len(before)


def test_weights_of_another_length_are_refused():
    with pytest.raises(ValueError, match="have 12 bytes instead of 89,424"):
        restored(b"x" * 12)


def test_features_are_taken_before_the_last_activation():
    network = pretrained_teach()
    images = pictures(SAMPLES.values())
    features = drawing_features(network, images)
    assert F.leaky_relu(features, 0.1).allclose(network.eval().features(images), atol=1e-6)
    assert (features < -0.5).any()


# ---- class means and beliefs


def test_class_means_and_beliefs_are_those_computed_by_hand():
    features, labels = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 0, 1])
    means = class_means(features, labels, 2)
    assert means.tolist() == [[2, 0], [0, 2]]
    assert beliefs(torch.tensor([[5.0, 0.0]]), means, heat=2)[0].tolist() == pytest.approx([0.8808, 0.1192], abs=1e-4)


# ---- the effect


@needs_data
@pytest.mark.parametrize("name", ["pen", "digits"])
def test_with_one_example_each_the_pre_trained_features_beat_pixels_by_12_points(name):
    accuracies = measure(name, count=60)
    gain = [a - b for a, b in zip(accuracies["pre-trained"], accuracies["pixels"], strict=True)]
    assert sum(gain) / 60 >= 12


def test_made_again_the_weights_read_the_same_share_of_60_episodes():
    again = restored(quantised(pretrain_teach()))
    shares = []
    for network in (pretrained_teach(), again):
        features = lambda images, network=network: drawing_features(network, images)  # noqa: E731
        fixed = episodes(symbols("samples"), 60, shots=1)
        shares.append(sum(right(by_class_means(features, one).argmax(1), one[1]) for one in fixed) / 60)
    assert shares[0] == pytest.approx(shares[1], abs=3)
    assert min(shares) > 80
