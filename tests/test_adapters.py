"""Adapters of low rank: a difference is learnt, the source's weights rest, and it can be taken off again."""

from __future__ import annotations

import pytest
import torch
from helpers import digest, network, run, split
from torch import nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.models.adapters import LowRank


def trained(source, rank=2, steps=5):
    """A copy with adapters and a new head that has learnt for some steps."""
    adapted = tl.models.with_adapters(source, rank).with_new_head(3, seed=1)
    run(steps, net=adapted, plan=tl.freezing.batch_norm_still(adapted)).finish()
    return adapted


def test_before_it_learns_it_computes_what_the_network_does():
    source, images = network(), split().inputs[:5]
    adapted = tl.models.with_adapters(source)
    assert adapted.eval()(images).equal(source.eval()(images))


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3, 3)], ids=["linear", "convolution"])
def test_the_weight_that_is_used_is_w_plus_b_a(shape):
    weight = torch.randn(shape)
    difference = LowRank(weight, rank=2, generator=torch.Generator().manual_seed(0))
    nn.init.normal_(difference.b)
    added = difference(weight) - weight
    by_hand = torch.einsum("or,ri->oi", difference.b, difference.a).reshape(shape)
    torch.testing.assert_close(added, by_hand)
    assert torch.linalg.matrix_rank(added.detach().flatten(1)) == 2


def test_a_convolution_is_computed_with_it():
    conv = nn.Conv2d(2, 4, 3)
    adapted = tl.models.with_adapters(tl.models.Network(nn.Sequential(conv, nn.Flatten()), nn.Linear(16, 2)), rank=3)
    changed = adapted.backbone[0].parametrizations.weight[0]
    nn.init.normal_(changed.b)
    images = torch.randn(5, 2, 4, 4)
    expected = F.conv2d(images, conv.weight + (changed.b @ changed.a).reshape(4, 2, 3, 3), conv.bias).flatten(1)
    torch.testing.assert_close(adapted.backbone(images), expected)


def test_only_adapters_and_head_learn():
    source = network()
    before = digest(source)
    adapted = trained(source)
    learns = {name for name, weight in adapted.named_parameters() if weight.requires_grad}
    assert learns and all(name.startswith("head.") or name.endswith(("0.a", "0.b")) for name in learns)
    resting = {name: w for name, w in adapted.state_dict().items() if name.endswith(".original")}
    assert resting and all(w.equal(source.state_dict()[strip(name)]) for name, w in resting.items())
    assert digest(source) == before


def strip(name: str) -> str:
    return name.replace("parametrizations.", "").removesuffix(".original")


def test_what_was_learnt_changes_what_it_computes():
    source, images = network(), split().inputs[:5]
    assert not trained(source).features(images).equal(source.eval().features(images))


def test_taken_off_the_source_is_back_bit_by_bit():
    source = network()
    back = tl.models.without_adapters(trained(source))
    there, expected = back.backbone.state_dict(), source.backbone.state_dict()
    assert there.keys() == expected.keys() and all(there[name].equal(value) for name, value in expected.items())


def test_a_network_without_adapters_is_copied_as_it_is():
    source = network()
    assert digest(tl.models.without_adapters(source)) == digest(source)


def test_the_same_seed_gives_the_same_adapters_and_another_one_others():
    first, again, other = (digest(tl.models.with_adapters(network(), seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tl.models.with_adapters(network(), rank=0), "rank=0, but a difference has at least rank 1"),
        (lambda: tl.models.with_adapters(tl.models.with_adapters(network())), "has adapters already; take them off"),
        (lambda: tl.models.with_adapters(tl.models.Network(nn.Flatten(), nn.Linear(4, 2))), "nothing to adapt"),
    ],
)
def test_what_cannot_be_adapted_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
