"""The moving average of weights, by itself and in a run: what it is, what it leaves alone, that it goes on exactly."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from helpers import digest, network, run, split, task
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import tlkit as tl
from tlkit.data.batches import Batch, Batches
from tlkit.models.moving_average import MovingAverage

NOISY = tl.objectives.CrossEntropy(augment=tl.data.noise)
STEPS = 12


def averaging(steps: int = STEPS, **options) -> tl.Run:
    return run(steps, **{"objective": NOISY, "average": 0.8} | options)


def digests(going: tl.Run) -> tuple[str, str]:
    assert going.averaged is not None
    return digest(going.network), digest(going.averaged)


# ---- by itself ----


@pytest.mark.parametrize(
    ("decay", "start"),
    [(0.1, 0.1**7), (0.99, 1 / math.comb(7 + 9, 9)), (0.3, (1 / 10 * 2 / 11 * 3 / 12) * 0.3**4)],
    ids=["the decay from the start", "still rising: the product of (1 + t) / (10 + t)", "risen at the fourth"],
)
def test_how_much_of_the_start_is_left_after_seven_updates(decay, start):
    first, last = network(0), network(1)
    average = MovingAverage(first, decay)
    for _ in range(7):
        average.update(last)
    for now, one, other in zip(*(net.parameters() for net in (average.network, first, last)), strict=True):
        torch.testing.assert_close(now, start * one + (1 - start) * other)


def test_it_is_the_weighted_sum_of_all_weights_that_there_were():
    nets = [network(seed) for seed in range(4)]
    average = MovingAverage(nets[0], 0.15)
    for net in nets[1:]:
        average.update(net)
    shares = [0.1 * 0.15 * 0.15, 0.9 * 0.15 * 0.15, 0.85 * 0.15, 0.85]
    expected = sum(share * net.head.weight for share, net in zip(shares, nets, strict=True))
    torch.testing.assert_close(average.network.head.weight, expected)


def test_it_is_torchs_average_where_the_decay_need_not_rise():
    """torch's first update copies; ours starts as a copy."""
    nets = [network(seed) for seed in range(4)]
    ours, torchs = MovingAverage(nets[0], 0.1), AveragedModel(nets[0], multi_avg_fn=get_ema_multi_avg_fn(0.1))
    torchs.update_parameters(nets[0])
    for net in nets[1:]:
        ours.update(net)
        torchs.update_parameters(net)
    for mine, other in zip(ours.network.parameters(), torchs.module.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_statistics_of_batch_norm_are_averaged_and_counts_copied():
    net = network()
    average, norm = MovingAverage(net, 0.1), net.backbone.block1[1]
    norm.running_mean.fill_(4.0)
    norm.num_batches_tracked.fill_(9)
    average.update(net)
    torch.testing.assert_close(average.network.backbone.block1[1].running_mean, torch.full((4,), 0.9 * 4))
    assert average.network.backbone.block1[1].num_batches_tracked == 9


def test_decay_zero_is_the_network_itself():
    net = network(1)
    average = MovingAverage(network(0), 0)
    average.update(net)
    assert digest(average.network) == digest(net)


def test_it_is_frozen_always_in_evaluation_mode_and_leaves_the_network_as_it_is():
    net = network().train()
    before = digest(net)
    average = MovingAverage(net, 0.5).train()
    average.update(network(1))
    assert not any(module.training for module in average.modules())
    assert not any(weight.requires_grad for weight in average.parameters())
    assert net.training and digest(net) == before and all(weight.requires_grad for weight in net.parameters())


@pytest.mark.parametrize("decay", [-0.1, 1, math.nan])
def test_a_decay_that_is_no_share_is_refused(decay):
    with pytest.raises(ValueError, match=f"decay={decay}, but .*at least 0 and below 1"):
        MovingAverage(network(), decay)


# ---- in a run ----


def test_a_run_averages_the_weights_after_each_step_and_learns_as_without():
    going = averaging()
    by_hand = MovingAverage(going.network, 0.8)
    for _ in going:
        by_hand.update(going.network)
    assert digest(going.averaged) == digest(by_hand.network)
    assert digest(going.network) == digest(averaging(average=None).finish().network)


def test_without_an_average_the_network_is_tested():
    going = run(3)
    assert going.averaged is None and going.tested is going.network


def test_what_is_averaged_predicts_is_tested_validated_and_compared():
    """The average is spoilt, the network is not, so what is measured says which of them it was."""

    def spoilt(data) -> tl.Run:
        going = averaging(60, data=data).finish()
        going.averaged.head.bias.copy_(torch.tensor([99.0, 0, 0]))
        return going

    going = spoilt(split())
    assert not going.predict(split().images).any() and tl.evaluate(going.network, split()).accuracy > 0.5
    assert tl.evaluate(going, split()).confusion[:, 0].sum() == len(split())
    assert tl.validated(going, split()).finish().history.series("accuracy")[1] == [pytest.approx(1 / 3)]
    compared = tl.compare({"": lambda few, seed: spoilt(few.train)}, task(), [0], [20]).finish()
    assert compared.trials[0].value == pytest.approx(1 / 3, abs=0.01)


def test_a_decay_that_is_no_share_is_refused_before_anything_is_trained():
    with pytest.raises(ValueError, match="decay=1, but"):
        averaging(average=1)


def test_a_restarted_run_averages_anew():
    again = averaging().finish().restart()
    assert digest(again.averaged) == digest(network())
    assert digests(again.finish()) == digests(averaging().finish())


def test_a_copied_run_has_an_average_of_its_own():
    going = averaging()
    next(going)
    before = digests(going)
    assert digests(copy.deepcopy(going).finish()) == digests(averaging().finish())
    assert digests(going) == before


def test_a_run_resumed_at_any_step_has_the_average_of_one_that_never_stopped(tmp_path):
    expected, going = digests(averaging().finish()), averaging()
    for at in range(STEPS + 1):
        going.save(tmp_path / "run.safetensors")
        again = tl.resume(tmp_path / "run.safetensors", network(1), NOISY, split(), device="cpu")
        assert again.average == 0.8 and digests(again) == digests(going), at
        assert digests(again.finish()) == expected, at
        next(going, None)


class Poisoned(Batches):
    """Batches of which one, by number from 1, holds NaN."""

    def __getitem__(self, step):
        images, labels = super().__getitem__(step)
        return Batch(images * math.nan if step + 1 == 60 else images, labels)

    def to(self, device):
        return self


@pytest.mark.parametrize(("each_step", "last"), [(True, 59), (False, 50)], ids=["on a CPU", "as on an accelerator"])
def test_after_nan_the_average_is_that_of_the_weights_that_are_kept(each_step, last):
    failing = averaging(200, data=Poisoned(split(), 8))
    failing._checks_each_step = each_step
    with pytest.raises(FloatingPointError, match=f"the weights of step {last} are kept"):
        failing.finish()
    clean = averaging(200)
    for _ in range(last):
        next(clean)
    assert digests(failing) == digests(clean)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_an_average_in_half_precision_does_not_stall(dtype):
    half, whole = (nn.Linear(1, 1, bias=False).to(kind) for kind in (dtype, torch.float32))
    for layer in (half, whole):
        nn.init.zeros_(layer.weight)
    averages = [MovingAverage(layer, 0.999) for layer in (half, whole)]
    for average in averages:
        average.updates.fill_(100_000)  # long after its start
    for layer in (half, whole):
        nn.init.ones_(layer.weight)
    for _ in range(1_000):
        for average, layer in zip(averages, (half, whole), strict=True):
            average.update(layer)
    assert averages[0].network.weight.dtype == dtype
    assert float(averages[0].network.weight) == pytest.approx(float(averages[1].network.weight), rel=0.01)
