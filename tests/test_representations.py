"""What features are like, against hand-made cases and against the formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tlkit.representations import alignment, cka, deviation, effective_rank, uniformity

SQUARE = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])


def features(n: int = 40, d: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_alignment_is_the_mean_squared_distance_on_the_sphere():
    assert float(alignment(SQUARE, 3 * SQUARE)) == 0
    assert float(alignment(SQUARE, -SQUARE)) == 4
    assert float(alignment(SQUARE, SQUARE.roll(1, 0))) == pytest.approx(2)


def test_uniformity_is_taken_over_all_pairs_of_different_images():
    # Of the 12 ordered pairs of a square's corners on the circle, 8 have the squared distance 2 and 4 have 4.
    assert float(uniformity(5 * SQUARE)) == pytest.approx(math.log((8 * math.exp(-4) + 4 * math.exp(-8)) / 12))
    assert float(uniformity(torch.ones(5, 3))) == pytest.approx(0, abs=1e-5)
    assert float(uniformity(torch.zeros(5, 3))) == 0  # units that are dead: one point too


def test_deviation_is_the_mean_over_the_features():
    assert float(deviation(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))) == pytest.approx(math.sqrt(2) / 2)


def test_effective_rank_counts_directions():
    spread = torch.linalg.svd(features(), full_matrices=False)[1]
    eigenvalues = np.linalg.eigvalsh(np.cov(features().numpy().T))
    assert float(effective_rank(features())) == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())
    assert 1 < float(effective_rank(features())) < len(spread)
    one_direction = torch.arange(5.0)[:, None] * torch.tensor([[1.0, 2.0, -1.0]])
    assert float(effective_rank(one_direction)) == pytest.approx(1, abs=1e-5)
    assert float(effective_rank(torch.ones(4, 3))) == 0


def test_cka_is_the_alignment_of_centred_gram_matrices():
    x, y = features(seed=1), features(d=9, seed=2) + 3
    h = np.eye(40) - 1 / 40
    k, m = (h @ (z @ z.T) @ h for z in (x.numpy(), y.numpy()))
    expected = (k * m).sum() / math.sqrt((k * k).sum() * (m * m).sum())
    assert float(cka(x, y)) == pytest.approx(expected, rel=1e-9)
    assert float(cka(x, y)) == pytest.approx(float(cka(y, x)), rel=1e-9)


def test_cka_does_not_see_rotations_shifts_and_size_and_sees_other_changes():
    x = features()
    turn = torch.linalg.qr(features(6, 6, seed=3))[0]
    assert float(cka(x, 7 * x @ turn + 2)) == pytest.approx(1)
    assert float(cka(x, x.cumsum(1))) < 0.9


MEASURES = [uniformity, deviation, effective_rank, lambda z: cka(z, features()), lambda z: cka(features(), z)]


@pytest.mark.parametrize("measure", MEASURES)
def test_one_image_is_too_few(measure):
    with pytest.raises(ValueError, match=r"shape \[1, 3\], but this compares several images with each other"):
        measure(torch.ones(1, 3))


def test_cka_compares_features_of_the_same_images():
    with pytest.raises(ValueError, match="features of 40 and of 39 images"):
        cka(features(), features(39))


@pytest.mark.parametrize("unit", [1e-15, 1e-8, 1.0, 1e8])
def test_the_unit_of_the_features_does_not_matter(unit):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(60, 8, generator=generator), torch.randn(60, 4, generator=generator)
    for measure in (effective_rank, uniformity):
        torch.testing.assert_close(measure(x * unit), measure(x))
    torch.testing.assert_close(cka(x * unit, y * unit), cka(x, y))


def test_a_single_feature_has_one_direction():
    assert effective_rank(torch.arange(5.0)[:, None]) == 1
    assert effective_rank(torch.ones(5, 1)) == 0
