"""What lesson 11 records: every network is trained anew with its seed, and read by a probe at its end."""

from __future__ import annotations

import pytest
import torch
from helpers import network, split, task

import tlkit as tl
from tlkit.lessons import contrastive


def short(monkeypatch, steps: int = 2) -> None:
    """Let every pre-training of the module end after a few steps."""
    whole = contrastive.pretraining
    monkeypatch.setattr(contrastive, "pretraining", lambda *run, **more: whole(*run, **more | {"steps": steps}))


def test_a_pretraining_ends_with_a_probe_as_the_head_of_its_network():
    few = task().few_labels(2, seed=0)
    run = contrastive.pretraining(network(), tl.objectives.SimCLR(6), split(40), 0, steps=3, batch_size=20)
    trained = contrastive.probed(run, few).finish().network
    probe = tl.linear_probe(tl.extract_features(trained, few.train))
    assert torch.equal(trained.head.weight, probe.head.weight)
    assert tl.evaluate(trained, few.test).accuracy == tl.evaluate(probe, few.test).accuracy


def test_the_autoencoder_ends_in_a_linear_bottleneck():
    features = contrastive.autoencoder().backbone.get_submodule("features")
    assert [type(layer) for layer in features.children()] == [torch.nn.Flatten, torch.nn.Linear, torch.nn.Identity]


def test_other_seeds_give_other_first_weights():
    one, other, again = (contrastive.two_views(split(40), seed).network.head.weight for seed in (0, 1, 0))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_the_three_parts_one_after_another_are_the_strong_augmentation():
    images = tl.data.digits().train.images[:20]

    def drawn(augment):
        torch.manual_seed(0)
        return augment(images)

    parts = drawn(lambda images: tl.data.cut_out(contrastive.paler(contrastive.bent(images)), 3))
    assert torch.equal(parts, drawn(tl.data.strong))


@pytest.mark.parametrize("name", contrastive.VIEWS)
def test_every_view_is_an_image(name):
    torch.manual_seed(0)
    images = tl.data.digits().train.images[:20]
    view = contrastive.VIEWS[name](images)
    assert view.shape == images.shape and view.min() >= 0 and view.max() <= 1
    assert (name == "none") == torch.equal(view, images)


def test_about_half_of_the_images_are_turned_over():
    torch.manual_seed(0)
    images = tl.data.digits().train.images[:400]
    turned = contrastive.half_turned(images)
    on_their_head = (turned == images.flip((2, 3))).all((1, 2, 3))
    assert 160 < int(on_their_head.sum()) < 240
    assert torch.equal(turned[~on_their_head], images[~on_their_head])


@pytest.mark.parametrize(
    ("make", "axis", "values"),
    [
        (contrastive.views, "views", list(contrastive.VIEWS)),
        (contrastive.temperatures, "temperature", [0.05, 0.2, 0.5, 1.0]),
    ],
)
def test_one_choice_is_varied_and_the_rest_stays(make, axis, values, monkeypatch):
    short(monkeypatch)
    comparison = make()
    assert comparison.axis == axis and list(comparison.axes[axis]) == values
    assert comparison.seeds == tuple(range(5)) and comparison.budgets == (1,)
    while len(comparison.trials) < 2:
        next(comparison)
    assert [trial.settings["recipe"] for trial in comparison.trials] == ["SimCLR", "untrained"]
