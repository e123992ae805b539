"""Neighbours and places by features: against distances worked out one by one, and against maps that are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from tlkit.representations import neighbours, placed, shared_labels


def features(n=40, d=6, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def clusters(seed=0):
    """Sixty images in three groups around three directions, and their groups."""
    labels = torch.arange(60) % 3
    return 4 * F.one_hot(labels, 8) + features(60, 8, seed), labels


def turned(degrees):
    angle = math.radians(degrees)
    return torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


# ---- neighbours ----


def test_neighbours_are_those_of_least_cosine_distance_the_nearest_first():
    given = features()
    for image, found in enumerate(neighbours(given, k=4).tolist()):
        distances = {other: 1 - F.cosine_similarity(given[image], given[other], dim=0) for other in range(40)}
        del distances[image]
        assert found == sorted(distances, key=lambda other: float(distances[other]))[:4]


def test_the_length_of_a_feature_does_not_matter_to_its_neighbours():
    given = features()
    longer = given * torch.linspace(0.1, 10, 40)[:, None]
    assert torch.equal(neighbours(given), neighbours(longer))


def test_an_image_is_not_its_own_neighbour_even_if_another_is_its_copy():
    given = features().repeat(2, 1)
    assert neighbours(given, k=1).squeeze(1).tolist() == [*range(40, 80), *range(40)]


def test_the_share_of_labels_is_the_mean_over_images_of_those_that_agree():
    directions = torch.tensor([0, 1, 2, 90, 91, 93]).deg2rad()  # the third of the first three is labelled as the others
    given, labels = torch.stack([directions.cos(), directions.sin()], 1), torch.tensor([0, 0, 1, 1, 1, 1])
    assert shared_labels(given, labels, k=2) == pytest.approx((1 / 2 + 1 / 2 + 0 + 1 + 1 + 1) / 6)


def test_as_many_neighbours_as_there_are_others_share_what_chance_says():
    labels = torch.tensor([0] * 10 + [1] * 30)
    assert shared_labels(features(), labels, k=39) == pytest.approx((10 * 9 + 30 * 29) / (40 * 39))


# ---- places ----


def test_pca_keeps_the_two_directions_of_largest_variance():
    given = F.normalize(features())
    _, directions = torch.linalg.eigh((given - given.mean(0)).mT @ (given - given.mean(0)))
    projected = (given - given.mean(0)) @ directions[:, -2:].flip(1)
    (found,) = placed(given, "PCA")
    for axis in range(2):
        assert abs(F.cosine_similarity(found[:, axis], projected[:, axis], dim=0)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
def test_every_frame_fills_a_square_around_zero(method):
    frames = [clusters(0)[0], 100 * clusters(1)[0][:, :5]]
    found = placed(frames, method)
    assert found.shape == (2, 60, 2)
    assert found.abs().amax((1, 2)).tolist() == [1, 1]
    assert found.mean(1).abs().max() < 0.5


def test_the_same_features_turned_or_mirrored_stay_where_they_are():
    given = features(40, 3)
    mirrored = given @ torch.diag(torch.tensor([1.0, -1.0, 1.0]))
    first, second = placed([given, mirrored[:, [2, 0, 1]]], "PCA")
    assert torch.allclose(first, second, atol=1e-5)


def test_a_frame_whose_directions_change_places_is_turned_onto_the_one_before():
    circle = torch.linspace(0, 2 * math.pi, 41)[:-1]
    flat = 0.1 * torch.stack([1.2 * circle.cos(), circle.sin()], 1)
    frames = [torch.cat([shape, torch.ones(40, 1)], 1) for shape in (flat, flat @ torch.diag(torch.tensor([0.7, 1.0])))]
    first, second = placed(frames, "PCA")
    assert (first - second).norm(dim=1).max() < 0.5  # a quarter turn would be 1.4


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
def test_groups_in_the_features_are_groups_on_the_map(method):
    given, labels = clusters()
    (found,) = placed(given, method)
    nearest = torch.cdist(found, found).fill_diagonal_(9).topk(5, largest=False).indices
    assert (labels[nearest] == labels[:, None]).double().mean() > 0.9


def test_t_sne_follows_the_images_from_frame_to_frame():
    given, _ = clusters()
    first, second = placed([given, given + 0.02 * features(60, 8, 1)])
    alone = placed(given + 0.02 * features(60, 8, 1))[0]
    moved = (second - first).norm(dim=1).median()
    assert moved < 0.15
    assert torch.equal(alone, placed(given + 0.02 * features(60, 8, 1))[0])  # nothing is drawn


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
@pytest.mark.parametrize("given", [torch.ones(6, 3), torch.zeros(6, 3), features(6, 1), features(2, 5)])
def test_features_that_tell_nothing_still_have_finite_places(method, given):
    found = placed([given, given], method)
    assert found.isfinite().all() and found.abs().max() <= 1


# ---- mistakes ----


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda: neighbours(features(6), k=6), "k=6, but each of 6 images has 5 others; use 1 to 5"),
        (lambda: neighbours(features(6), k=0), "k=0, .* use 1 to 5"),
        (lambda: neighbours(torch.zeros(6)), r"features have the shape \[6\]"),
        (lambda: placed(features(), "UMAP"), "method='UMAP'; use 'PCA' or 't-SNE'"),
        (lambda: placed([features(6), features(7)]), "frames of 6 and of 7 images; a map follows the same images"),
        (lambda: placed(features(1)), "with n at least 2"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
