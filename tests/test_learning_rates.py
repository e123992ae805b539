"""The range test finds a rate that works and leaves no trace."""

from __future__ import annotations

import gc
from itertools import pairwise

import pytest
import torch
from helpers import digest, network, run, split
from torch import nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.training import run as loop
from tlkit.training.learning_rates import SMOOTHING, RangeTest, range_test

OPTIONS = {"batch_size": 8, "device": "cpu"}


def measure(net=None, objective=None, **options) -> RangeTest:
    objective = objective or tl.objectives.CrossEntropy(augment=tl.data.noise)
    return range_test(net or network(), objective, split(), **OPTIONS | options)


def test_rates_rise_by_the_same_factor_from_the_first_to_the_last():
    lrs = measure(lrs=(1e-5, 1e-3), steps=21).lrs
    assert len(lrs) == 21 and lrs[0] == pytest.approx(1e-5) and lrs[-1] == pytest.approx(1e-3)
    assert [b / a for a, b in pairwise(lrs)] == pytest.approx([100 ** (1 / 20)] * 20)


def test_losses_are_those_of_a_loop_at_these_rates_smoothed():
    found = range_test(network(), tl.objectives.CrossEntropy(), split(), lrs=(1e-4, 1e-2), steps=12, **OPTIONS)
    net, batches, mean, expected = network().train(), tl.data.Batches(split(), 8), 0.0, []
    optimizer = torch.optim.AdamW(net.parameters())
    for step in range(12):
        optimizer.param_groups[0]["lr"] = found.lrs[step]
        loss = F.cross_entropy(net(batches[step].inputs), batches[step].labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss.item()
        expected.append(mean / (1 - SMOOTHING ** (step + 1)))
    assert found.losses == pytest.approx(expected)


class Scaled(tl.objectives.CrossEntropy):
    """An objective with a weight of its own that learns."""

    def __init__(self):
        super().__init__(augment=tl.data.noise)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, network, batch):
        return {"loss": self.scale * super().forward(network, batch)["loss"]}


def test_a_range_test_leaves_no_trace():
    net, objective = network(), Scaled()
    net.backbone.block1.eval()
    going = run(10, net=net)
    next(going)
    torch.manual_seed(5)
    before = digest(net), digest(objective), [m.training for m in net.modules()], torch.get_rng_state().tolist()
    gradients = [p.grad.clone() for p in net.parameters()]
    gc.collect()
    registered = dict(loop._training)
    measure(net, objective)
    assert before == (
        digest(net),
        digest(objective),
        [m.training for m in net.modules()],
        torch.get_rng_state().tolist(),
    )
    assert all(p.requires_grad and p.grad.equal(g) for p, g in zip(net.parameters(), gradients, strict=True))
    gc.collect()
    assert dict(loop._training) == registered
    assert going.finish().finished


def test_it_stops_when_the_loss_explodes():
    found = measure(lrs=(1e-3, 1e6), optimizer=torch.optim.SGD)
    assert found.exploded and len(found.lrs) == len(found.losses) < 100
    assert max(found.losses[:-1]) < 4 * min(found.losses) <= found.losses[-1]
    assert "it explodes at" in repr(found)


def test_a_rate_far_too_small_for_an_explosion_is_tested_to_its_end():
    found = measure(lrs=(1e-6, 1e-5), steps=15)
    assert not found.exploded and len(found.lrs) == 15
    assert "it has not exploded at 1e-05" in repr(found)


def test_the_suggestion_trains():
    data = tl.data.digits()
    found = range_test(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), data, device="cpu")
    losses = run(60, data, tl.models.SmallCNN(), batch_size=64, lr=found.suggestion).finish().history.series("loss")[1]
    assert sum(losses[-10:]) < 0.3 * sum(losses[:10])


def test_the_suggestion_is_where_three_quarters_of_the_fall_are_made():
    lrs = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    assert RangeTest(lrs, (5.0, 3.0, 2.0, 1.0, 1.5), exploded=False).suggestion == 1e-2
    assert RangeTest(lrs, (-3.0, -5.0, -6.0, -7.0, 9.0), exploded=True).suggestion == 1e-2
    assert RangeTest(lrs, (3.0, 3.5, 4.5, 6.0, 9.0), exploded=False).suggestion == 1e-4, "a loss that never falls"


@pytest.mark.parametrize("seed", range(3))
def test_examples_learnt_by_heart_suggest_no_careless_rate(seed):
    """Ten images stay learnt at rates far too high, so where their loss is lowest tells nothing."""
    few = tl.data.digits().few_labels(1, seed)
    found = range_test(tl.models.SmallCNN(seed=seed), tl.objectives.CrossEntropy(), few, seed=seed, device="cpu")
    assert found.lrs[found.losses.index(min(found.losses))] > 0.05
    assert 1e-4 < found.suggestion < 5e-3


def test_options_reach_the_run():
    net = network()
    net.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing can learn"):
        measure(net)
    assert measure(plan=tl.freezing.last_layers(network(), 1)).losses != measure().losses


@pytest.mark.parametrize("lrs", [(0.0, 1.0), (1.0, 0.1), (1e-3, float("inf"))])
def test_learning_rates_that_do_not_rise_are_refused(lrs):
    with pytest.raises(ValueError, match="the learning rates rise from one above 0"):
        measure(lrs=lrs)


def test_too_few_steps_are_refused():
    with pytest.raises(ValueError, match="steps=3, but a range test needs at least 10"):
        measure(steps=3)


def test_a_loss_that_is_no_number_from_the_start_is_the_runs_own_error():
    net = network()
    net.head.bias.data[0] = torch.nan
    with pytest.raises(FloatingPointError, match="no longer a finite number at step 1"):
        measure(net)


@pytest.mark.parametrize("width", [648, 372])
def test_its_picture_shows_the_losses_and_says_the_suggestion(width):
    found = measure(lrs=(1e-4, 1e4))
    svg = tl.plots.range_test(found, width).svg()
    assert f">{found.suggestion:.2g}</text>" in svg and repr(found) in svg


def test_a_loss_below_zero_is_followed_to_where_it_explodes():
    class Lower(tl.objectives.CrossEntropy):
        def forward(self, network, batch):
            loss = super().forward(network, batch)["loss"]
            return {"loss": loss - 10}

    found = [range_test(network(), make(), split(), **OPTIONS) for make in (tl.objectives.CrossEntropy, Lower)]
    common = min(len(test.losses) for test in found)
    assert common > 20
    assert [loss - 10 for loss in found[0].losses[:common]] == pytest.approx(found[1].losses[:common], abs=1e-3)
    assert found[1].suggestion == pytest.approx(found[0].suggestion, rel=0.5)
