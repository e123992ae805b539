"""Augmentation against hand-made geometry. With `largest`, every amount is drawn as large as it can be."""

from __future__ import annotations

import math

import pytest
import torch
import torchvision.transforms as older
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import rotate

import tlkit as tl
from tlkit.data.augmentation import brightness, contrast, cut_out, noise, strong, two_views, warp, weak

SIDE = 65


@pytest.fixture
def largest(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *shape, device=None: torch.ones(*shape, device=device))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def blob(x: float, y: float) -> torch.Tensor:
    """One image with a soft spot `x` pixels right of the middle and `y` below it."""
    along = torch.arange(SIDE) - SIDE // 2
    return torch.exp(-((along[None, :] - x) ** 2 + (along[:, None] - y) ** 2) / 8)[None, None]


def middles(images: torch.Tensor) -> torch.Tensor:
    """Where the ink of each image lies, from the middle: [n, 2] as x, y."""
    along = torch.arange(SIDE) - SIDE // 2
    columns, rows = images[:, 0].sum(1), images[:, 0].sum(2)
    return torch.stack([columns @ along.float(), rows @ along.float()], dim=1) / images.sum((1, 2, 3))[:, None]


def test_without_amounts_an_image_stays_as_it_is():
    images = torch.rand(3, 2, 8, 8)
    torch.testing.assert_close(warp(images), images)


@pytest.mark.parametrize("shape", [(9, 9), (8, 12)], ids=["square", "wide"])
def test_a_rotation_is_the_one_of_torchvision(shape, largest):
    images = torch.arange(2 * math.prod(shape)).float().view(2, 1, *shape) / 200
    expected = rotate(images, -30, interpolation=InterpolationMode.BILINEAR)
    torch.testing.assert_close(warp(images, rotation=30), expected, atol=1e-4, rtol=0)


SIN, COS = math.sin(math.radians(30)), math.cos(math.radians(30))


@pytest.mark.parametrize(
    ("amounts", "place"),
    [
        (dict(rotation=30), (12 * COS - 6 * SIN, 12 * SIN + 6 * COS)),
        (dict(scale=0.25), (15, 7.5)),
        (dict(shear=0.5), (12 + 0.5 * 6, 6)),
        (dict(stretch=((1, 1.5), (1, 0.5))), (18, 3)),
        (dict(shift=4), (8, 2)),
        (dict(elastic=0.125), (12 - 0.125 * SIDE / 2, 6 - 0.125 * SIDE / 2)),
        (dict(stretch=((1, 1.5), (1, 1)), rotation=30), (18 * COS - 6 * SIN, 18 * SIN + 6 * COS)),
        (dict(rotation=30, shear=0.5), (12 * COS - 6 * SIN + 0.5 * (12 * SIN + 6 * COS), 12 * SIN + 6 * COS)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_the_largest_amount_moves_ink_to_where_geometry_says(amounts, place, largest):
    middle = middles(warp(blob(12, 6), **amounts))[0]
    assert middle.tolist() == pytest.approx(place, abs=0.05)


CHANGES = {
    "rotation": lambda images: warp(images, rotation=20),
    "scale": lambda images: warp(images, scale=0.3),
    "shift": lambda images: warp(images, shift=2),
    "shear": lambda images: warp(images, shear=0.3),
    "stretch": lambda images: warp(images, stretch=((0.7, 1.3), (0.7, 1.3))),
    "elastic": lambda images: warp(images, elastic=0.2),
    "brightness": brightness,
    "contrast": contrast,
    "noise": noise,
    "weak": weak,
    "strong": strong,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_each_image_gets_a_draw_of_its_own(change):
    first, second = change(blob(12, 6).repeat(2, 1, 1, 1))
    assert not torch.allclose(first, second, atol=1e-3)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_draw_comes_from_torchs_default_generator(change):
    images = blob(12, 6).repeat(2, 1, 1, 1)
    torch.manual_seed(5)
    first = change(images)
    torch.manual_seed(5)
    assert change(images).equal(first)


def test_shifts_fill_their_range_and_stay_in_it():
    moved = middles(warp(blob(0, 0).repeat(300, 1, 1, 1), shift=3))
    assert moved.abs().amax(0).tolist() == pytest.approx([3, 3], abs=0.1)
    assert moved.mean(0).tolist() == pytest.approx([0, 0], abs=0.4)


def test_outside_the_image_it_is_black(largest):
    shifted = warp(torch.ones(1, 1, 8, 8), shift=2)
    assert shifted[0, 0].tolist() == [[1.0] * 6 + [0.0] * 2] * 6 + [[0.0] * 8] * 2


def test_brightness_multiplies_each_image_by_a_factor_in_its_range():
    factors = brightness(torch.full((300, 1, 2, 2), 0.5), amount=0.2).flatten(1) / 0.5
    assert factors.std(1).max() < 1e-6
    assert (factors.min().item(), factors.max().item()) == pytest.approx((0.8, 1.2), abs=0.01)


def test_noise_has_the_deviation_asked_for_and_no_direction():
    change = noise(torch.full((1, 1, 100, 100), 0.5), deviation=0.05) - 0.5
    assert change.std().item() == pytest.approx(0.05, rel=0.05)
    assert change.mean().item() == pytest.approx(0, abs=0.002)


def test_contrast_stretches_an_image_about_its_mean():
    images = torch.tensor([0.4, 0.6]).view(1, 1, 1, 2).repeat(300, 1, 1, 1)
    dark, light = contrast(images, amount=0.3).flatten(1).unbind(1)
    assert (dark + light).sub(1).abs().max() < 1e-6
    factors = (light - dark) / 0.2
    assert (factors.min().item(), factors.max().item()) == pytest.approx((0.7, 1.3), abs=0.01)


def test_cut_out_blackens_one_whole_square_anywhere_in_the_image():
    cut = cut_out(torch.ones(2_000, 2, 8, 6), size=3) == 0
    assert (cut[:, 0] == cut[:, 1]).all()
    assert cut[:, 0].any(2).sum(1).unique().tolist() == [3] == cut[:, 0].any(1).sum(1).unique().tolist()
    assert cut[:, 0].sum((1, 2)).unique().tolist() == [9]
    assert len(cut[:, 0].flatten(1).unique(dim=0)) == 6 * 4  # every place there is


def test_a_square_larger_than_the_image_hides_all_of_it():
    assert not cut_out(torch.ones(3, 1, 2, 2), size=3).any()


def test_strong_changes_more_than_weak():
    images = blob(0, 0).repeat(200, 1, 1, 1)
    weakly, strongly = ((change(images) - images).square().mean() for change in (weak, strong))
    assert strongly > 1.3 * weakly


def test_strong_cuts_a_larger_square_out_of_larger_images():
    darkest = F.max_pool2d(strong(torch.ones(50, 1, 16, 16)), kernel_size=6, stride=1).amin((1, 2, 3))
    assert not darkest.any()


def test_strong_adds_noise_and_changes_contrast():
    images = torch.full((4_000, 1, 16, 16), 0.3)
    images[..., 8:] = 0.6
    changed = strong(images)[:, 0, 6:10]
    dark, light = (part.flatten(1).median(1).values for part in (changed[..., 3:5], changed[..., 11:13]))
    visible = (dark > 0) & (light > 0)  # not cut out
    assert changed[visible][:, :, 3].diff(dim=1).std() > 0.08  # of two pixels in a column; 0.065 without noise
    assert (light - dark)[visible].std() > 0.058  # 0.045 without contrast


def test_two_views_are_two_draws_of_the_augmentation():
    images = torch.rand(3, 1, 4, 4)
    views = iter([images + 1, images + 2])
    one, other = two_views(images, lambda batch: next(views) if batch.equal(images) else batch)
    assert one.equal(images + 1)
    assert other.equal(images + 2)


def test_an_augmentation_that_returns_another_shape_is_told_so():
    with pytest.raises(ValueError, match=r"turned images of the shape \[3, 1, 4, 4\] into \[3, 1, 2, 2\]"):
        two_views(torch.rand(3, 1, 4, 4), lambda images: images[..., :2, :2])


CLAMPED = {
    "noise": lambda i: noise(i, 0.5),
    "brightness": lambda i: brightness(i, 0.9),
    "contrast": lambda i: contrast(i, 0.9),
}


@pytest.mark.parametrize("change", CLAMPED.values(), ids=CLAMPED)
def test_values_stay_between_black_and_white(change):
    images = change(torch.rand(50, 1, 8, 8))
    assert images.min() >= 0 and images.max() == 1  # some would have been brighter


@pytest.mark.parametrize("change", [*CLAMPED.values(), strong], ids=[*CLAMPED, "strong"])
def test_values_of_a_wider_range_stay_in_it_and_are_not_cut_to_black_and_white(change):
    images = 4 * torch.rand(50, 1, 8, 8) - 2
    changed = change(images)
    assert (changed < -0.5).any() and (changed > 1.5).any()
    assert (changed.amin((1, 2, 3)) >= images.amin((1, 2, 3))).all()
    assert (changed.amax((1, 2, 3)) <= images.amax((1, 2, 3))).all()


# ---- torchvision's transforms, which draw one change for all that they are called with ----

EQUAL = torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(0))[:1].repeat(16, 1, 1, 1)
TORCHVISION = {
    "crop": v2.RandomResizedCrop(8, antialias=True),
    "colour": v2.ColorJitter(0.5, 0.5),
    "affine": v2.RandomAffine(20, interpolation=InterpolationMode.BILINEAR),
    "composed": v2.Compose([v2.RandomCrop(8, padding=4), v2.RandomHorizontalFlip()]),
    "in a sequence": nn.Sequential(v2.RandomCrop(8, padding=4)),
    "older": older.RandomResizedCrop(8, antialias=True),
    "older, composed": older.Compose([older.RandomCrop(8, padding=4)]),
}


def kinds_of_views(images: torch.Tensor) -> int:
    return len(images.flatten(1).unique(dim=0))


class Looking(nn.Module):
    """A backbone that keeps what it sees."""

    feature_dim = 6

    def __init__(self):
        super().__init__()
        self.seen, self.linear = [], nn.Linear(3 * 8 * 8, 6)

    def forward(self, images):
        self.seen.append(images)
        return self.linear(images.flatten(1))


@pytest.mark.parametrize("transform", TORCHVISION.values(), ids=TORCHVISION)
def test_each_draws_a_change_for_each_image(transform):
    assert kinds_of_views(transform(EQUAL)) == 1
    assert kinds_of_views(tl.data.each(transform)(EQUAL)) > 12


@pytest.mark.parametrize("transform", TORCHVISION.values(), ids=TORCHVISION)
def test_an_objective_draws_with_torchvisions_transforms_for_each_image(transform):
    labels, objectives = torch.arange(16) % 3, tl.objectives
    batch, pairs = tl.data.Batch(EQUAL, labels), tl.data.PairedBatch(EQUAL, labels, EQUAL, None)
    for objective, given, views in (
        (objectives.CrossEntropy(transform), batch, 1),
        (objectives.CrossEntropy([transform, weak]), batch, 2),
        (objectives.SimCLR(feature_dim=6, augment=transform), batch, 2),
        (objectives.PseudoLabel(weak=transform), pairs, 2),
        (objectives.FixMatch(weak=transform, strong=transform), pairs, 3),
    ):
        network = tl.models.Network(Looking(), nn.Linear(6, 3))
        objective(network, given)
        assert kinds_of_views(torch.cat(network.backbone.seen)) > 12 * views, objective


def test_views_on_a_page_are_drawn_for_each_image():
    assert all(kinds_of_views(views) > 12 for views in two_views(EQUAL, TORCHVISION["crop"]))


def test_other_augmentations_get_the_whole_batch():
    given = []
    two_views(EQUAL, lambda images: given.append(len(images)) or images)
    assert given == [16, 16] and tl.objectives.CrossEntropy(weak).augment is weak


def test_what_each_is_made_of_belongs_to_the_settings_of_an_objective():
    settings = [tl.objectives.CrossEntropy(v2.RandomHorizontalFlip(p)).settings()["augment"] for p in (0.5, 0.25)]
    assert settings == ["each(RandomHorizontalFlip(p=0.5))", "each(RandomHorizontalFlip(p=0.25))"]
    assert repr(tl.data.each(weak)) == "each(weak)"


def test_views_of_several_sizes_make_no_batch():
    sizes = iter(range(2, 20))
    with pytest.raises(ValueError, match=r"each made images of the shapes \[3, 2, 2\] and \[3, 3, 3\]; .*one size"):
        tl.data.each(lambda image: image[:, : (side := next(sizes)), :side])(EQUAL)


def test_a_module_of_ones_own_that_uses_a_transform_is_left_as_it_is():
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.flip = v2.RandomHorizontalFlip()

        def forward(self, images):
            assert images.ndim == 4
            return torch.stack([self.flip(image) for image in images])

    objective = tl.objectives.CrossEntropy(augment=Mine())
    assert objective.augment(torch.rand(4, 1, 8, 8)).shape == (4, 1, 8, 8)
    parts = tl.objectives.CrossEntropy(augment=nn.Sequential(tl.data.each(v2.RandomHorizontalFlip()), Mine())).augment
    assert parts(torch.rand(4, 1, 8, 8)).shape == (4, 1, 8, 8)
