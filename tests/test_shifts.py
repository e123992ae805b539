"""A bad camera: what each shift does to images, that labels stay, and what it refuses."""

import numpy as np
import pytest
import torch

import tlkit as tl
from tlkit.data.shifts import SHIFTS

KINDS = list(SHIFTS)


@pytest.fixture
def images():
    return tl.data.digits().test.images[:50]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_at_strength_0_and_the_values_stay_in_their_range(kind, images):
    before = images.clone()
    assert tl.data.Shift(kind, 0)(images).equal(images)
    for strength in (0.3, 1.0):
        shifted = tl.data.Shift(kind, strength)(images)
        assert shifted.shape == images.shape and shifted.dtype == images.dtype
        assert 0 <= float(shifted.min()) <= float(shifted.max()) <= 1
    assert images.equal(before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stronger_shift_is_further_away(kind, images):
    far = [float((tl.data.Shift(kind, s)(images) - images).square().mean()) for s in (0.25, 0.5, 1.0)]
    assert 0 < far[0] < far[1] < far[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_images_are_changed_alike_in_every_call(kind, images):
    torch.manual_seed(1)
    one = tl.data.Shift(kind, 0.7)(images)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert tl.data.Shift(kind, 0.7)(images).equal(one)
    torch.manual_seed(1)
    assert torch.get_rng_state().equal(state)  # the default generator was not drawn from


def test_each_kind_does_what_its_name_says(images):
    shift = {kind: tl.data.Shift(kind)(images) for kind in KINDS}
    assert torch.allclose(shift["inversion"], 1 - images)
    assert torch.allclose(shift["mirror"], images.flip(-1))
    assert shift["contrast"].std() < 0.25 * images.std()
    assert (shift["brightness"] >= images).all()
    edges = lambda of: (of[..., 1:] - of[..., :-1]).abs().mean()  # noqa: E731
    assert edges(shift["blur"]) < edges(images)
    assert not tl.data.Shift("blur", seed=1)(images).equal(shift["blur"])


def test_a_blur_alone_is_that_of_scipy(images):
    from scipy.ndimage import gaussian_filter1d

    shift = tl.data.Shift("blur", 0.5)
    blurred = images.double().numpy()
    for axis in (-2, -1):
        blurred = gaussian_filter1d(blurred, sigma=0.5, axis=axis, mode="nearest", radius=2)
    noise = 0.05 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    expected = (torch.as_tensor(blurred).float() + noise).clamp(0, 1)
    assert torch.allclose(shift(images), expected, atol=1e-5)


def test_colours_and_other_sizes_are_images_too():
    for kind in KINDS:
        assert tl.data.Shift(kind)(torch.rand(2, 3, 20, 32)).shape == (2, 3, 20, 32)
        assert tl.data.Shift(kind)(torch.rand(0, 1, 8, 8)).shape == (0, 1, 8, 8)
        assert tl.data.Shift(kind)(torch.rand(2, 1, 1, 1)).isfinite().all()


def test_a_task_is_shifted_as_a_whole_and_keeps_its_labels():
    task = tl.data.digits()
    shifted = task.shifted(tl.data.Shift("inversion"))
    for part in ("train", "validation", "test"):
        before, after = getattr(task, part), getattr(shifted, part)
        assert torch.allclose(after.images, 1 - before.images) and after.labels.equal(before.labels)
    again = shifted.redraw(3)
    assert torch.allclose(again.test.images, 1 - task.redraw(3).test.images)
    assert shifted.few_labels(1, seed=2).unlabelled is not None
    assert "inversion 1" in repr(shifted)


def test_domain_adaptation_has_no_example_in_both_domains_and_no_target_label():
    task = tl.data.digits()
    shift = tl.data.Shift("inversion")
    both = task.adapted_to(task.shifted(shift))
    for drawn in (both, both.redraw(4)):
        whole = {image.numpy().tobytes() for image in drawn.train.images}
        others = {image.numpy().tobytes() for image in (1 - drawn.unlabelled.images)}
        tested = {image.numpy().tobytes() for image in (1 - drawn.test.images)}
        assert not whole & others and not whole & tested and not others & tested
        assert drawn.unlabelled.labels is None and drawn.validation.labels is not None


def test_few_labels_of_two_domains_leave_the_target_alone():
    task = tl.data.digits()
    both = task.adapted_to(task.shifted(tl.data.Shift("contrast")))
    few = both.few_labels(1)
    assert len(few.train) == 10 and float(few.train.images.max()) == 1
    assert len(few.unlabelled) == 499 and float(few.unlabelled.images.max()) < 0.7


def test_both_domains_have_all_classes_whatever_the_order_of_the_examples():
    task = tl.data.digits()
    order = task.train.labels.argsort()
    by_class = tl.data.Task("by class", task.train[order], task.validation, task.test)
    both = by_class.adapted_to(by_class)
    assert int(both.train.labels.bincount(minlength=10).min()) > 20
    assert {*map(bytes, (both.train.images * 16).byte().numpy())}.isdisjoint(
        map(bytes, (both.unlabelled.images * 16).byte().numpy())
    )


def test_what_no_shift_can_be_made_of():
    with pytest.raises(ValueError, match="no shift 'sepia'; use one of contrast"):
        tl.data.Shift("sepia")
    with pytest.raises(ValueError, match="strength=2, but it goes from 0"):
        tl.data.Shift("contrast", 2)
    with pytest.raises(ValueError, match="from 0 to 255"):
        tl.data.Shift("contrast")(torch.tensor([0.0, 255.0]).view(1, 1, 1, 2))
    with pytest.raises(ValueError, match=r"of the shape \[3, 4\]"):
        tl.data.Shift("contrast")(torch.rand(3, 4))


def test_domains_with_other_classes_are_named():
    digits, letters = tl.data.digits(), tl.data.glyphs("ABCDEFGHIJ", count=200, seed=0)
    with pytest.raises(ValueError, match="source and target have other classes: '0', '1'"):
        digits.adapted_to(letters)
    one = tl.data.Split(torch.rand(1, 1, 8, 8), [0], digits.classes)
    with pytest.raises(ValueError, match="has 1 images to learn from"):
        digits.adapted_to(tl.data.Task("one", one, one, one))


def test_classes_in_another_order_keep_their_meaning_in_a_pool_without_labels():
    digits = tl.data.digits()
    shifted, order = digits.shifted(tl.data.Shift("contrast", 0.3)), digits.classes[::-1]
    parts = (getattr(shifted, part).with_classes(order) for part in ("train", "validation", "test"))
    both = digits.adapted_to(tl.data.Task("reversed", *parts))
    assert both.train.classes == both.unlabelled.classes == both.test.classes == digits.classes


def test_a_shift_that_writes_into_its_images_leaves_the_task_alone():
    digits = tl.data.digits()
    before = digits.train.images.clone()
    assert torch.allclose(digits.shifted(lambda images: images.mul_(0.5)).train.images, before / 2)
    assert digits.train.images.equal(before)


def test_a_shift_returns_one_image_for_each():
    images = tl.data.Split(torch.rand(5, 1, 8, 8), None, ("x", "y"))
    with pytest.raises(ValueError, match="the shift made 3 inputs of 5 images"):
        tl.data.Task("five", images, images, images).shifted(lambda images: images[:3])


def test_labels_of_several_tasks_are_chosen_from_first():
    several = tl.data.Split(torch.rand(4, 1, 8, 8), {"a": [0, 1, 0, 1]}, {"a": ("x", "y")})
    task = tl.data.Task("several", several, several, several)
    with pytest.raises(ValueError, match=r"choose one, as in split.of\('a'\)"):
        task.adapted_to(task)


def test_whole_numbers_and_hardly_any_blur_are_no_accident():
    with pytest.raises(ValueError, match=r"torch.uint8 from 0 to 1; a tl.data.Split of uint8 images scales them"):
        tl.data.Shift("mirror")(torch.tensor([0, 1], dtype=torch.uint8).view(1, 1, 1, 2))
    images = torch.rand(2, 1, 8, 8)
    assert torch.allclose(tl.data.Shift("blur", 1e-50)(images), images)
    assert tl.data.Shift("blur", seed=np.int64(3))(images).equal(tl.data.Shift("blur", seed=3)(images))
