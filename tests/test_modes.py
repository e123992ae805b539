"""Training and evaluation mode: who sets it, through which method, and how a network is left."""

import pytest
import torch
from helpers import digest, network, run, split
from torch import nn

import tlkit as tl
from tlkit.freezing import FreezePlan, Rule
from tlkit.training.run import SAFE_EVERY


class Merging(nn.Linear):
    """A low-rank update beside a frozen layer, which `train(False)` merges into it: LoRA, as its authors wrote it."""

    merged = False

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs)
        self.weight.requires_grad = False
        self.down = nn.Parameter(torch.randn(2, inputs, generator=torch.Generator().manual_seed(0)) / 8)
        self.up = nn.Parameter(torch.zeros(outputs, 2))

    def train(self, mode: bool = True):
        super().train(mode)
        if mode == self.merged:
            self.weight.data += (-1 if mode else 1) * (self.up @ self.down).detach()
            self.merged = not mode
        return self

    def forward(self, x):
        return super().forward(x) + (0 if self.merged else x @ self.down.T @ self.up.T)


def merging() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), Merging(16, 8), nn.ReLU(), nn.Linear(8, 3))


def test_layers_that_merge_when_they_are_evaluated_learn_on_after_a_validation():
    one, other = merging(), merging()
    other.load_state_dict(one.state_dict())
    tl.validated(run(SAFE_EVERY, net=one), split(9), every=5).finish()
    run(SAFE_EVERY, net=other).finish()
    for (name, weight), expected in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.allclose(weight, expected, atol=1e-5), name
    assert not one[1].down.equal(merging()[1].down)


def test_a_plan_freezes_layers_through_their_own_train():
    modes = []

    class Noting(nn.Linear):
        def train(self, mode: bool = True):
            modes.append(mode)
            return super().train(mode)

    net = nn.Sequential(nn.Flatten(), Noting(16, 8), nn.ReLU(), nn.Linear(8, 3))
    groups = {"first": ["1"], "head": ["3"]}
    next(run(net=net, plan=FreezePlan((Rule("first", None), Rule("head")), parts=groups)))
    assert modes == [True, False, True]  # before the first step, and round it


def test_a_module_that_keeps_a_part_in_evaluation_mode_is_asked_again_by_every_change():
    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.norm = network(), nn.BatchNorm2d(1)

        def train(self, mode: bool = True):
            super().train(mode)
            self.norm.eval()
            return self

        def forward(self, x):
            return self.net(self.norm(x))

    net = Keeping().train()
    tl.validated(run(net=net), split(9), every=3).finish()
    assert net.norm.running_mean.equal(torch.zeros(1))


def test_after_its_last_step_a_run_leaves_the_network_ready_for_use():
    net = network()
    going = run(3, net=net)
    next(going)
    assert net.training
    going.finish()
    assert not any(module.training for module in net.modules())
    before = digest(net)
    assert net(split().inputs).softmax(1).equal(tl.predict(net, split().inputs).probabilities)
    assert digest(net) == before


def test_a_run_that_is_restarted_or_resumed_trains_and_rests_as_before(tmp_path):
    net = network()
    net.backbone.block1[1].eval()  # by hand
    next(run(1, net=net))
    going = run(3, net=net)
    net.train().backbone.block1[1].eval()
    modes = [module.training for module in net.modules()]
    next(going.finish().restart())
    assert [module.training for module in net.modules()] == modes
    next(run(net=net, steps=1))
    next(run(net=net))
    assert [module.training for module in net.modules()] == modes
    going.finish().save(tmp_path / "run.safetensors")
    again = network()
    tl.resume(tmp_path / "run.safetensors", again, tl.objectives.CrossEntropy(), split(), device="cpu")
    assert not again.training


@pytest.mark.parametrize("kept", ["a tensor of the first pass", "a lazy layer"])
def test_a_network_that_was_tested_before_it_learnt_learns(kept):
    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.places, self.scale = None, nn.Parameter(torch.ones(()))
            self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))

        def forward(self, x):
            self.places = torch.linspace(0, 1, x.shape[-1]) if self.places is None else self.places
            return self.net(x + self.scale * self.places)

    net = Keeping() if kept == "a tensor of the first pass" else nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
    tl.evaluate(net, split())
    assert run(net=net).finish().finished


def test_a_rested_backbone_learns_again_under_a_new_head():
    net = run(1).finish().network
    other = tl.models.Network(net.backbone, nn.Linear(6, 3))
    before = net.backbone.block1[1].running_mean.clone()
    next(run(net=other))
    assert not net.backbone.block1[1].running_mean.equal(before)


def test_a_copy_of_a_rested_network_keeps_what_its_user_had_put_into_evaluation_mode():
    net = network()
    net.backbone.block1[1].eval()
    twin = run(1, net=net).finish().network.copy()
    before = twin.backbone.block1[1].running_mean.clone()
    next(run(net=twin))
    assert twin.backbone.block1[1].running_mean.equal(before)


def learnt() -> tl.Run:
    """A finished run on a network that merges; its updates are not 0."""
    return run(20, net=merging(), lr=0.03).finish()


def outputs(net: nn.Module) -> torch.Tensor:
    return tl.predict(net, split(9)).probabilities


def test_layers_that_merge_are_counted_once_after_a_restart_from_a_file_and_in_an_average(tmp_path):
    first = learnt()
    before = outputs(first.network)
    going = run(5, net=first.network, seed=1)
    next(going)
    going.restart()
    assert torch.allclose(outputs(first.network), before, atol=1e-5)
    first.restart().finish()
    assert torch.allclose(outputs(first.network), before, atol=1e-5)
    first.save(tmp_path / "run.safetensors")
    net = merging()
    tl.resume(tmp_path / "run.safetensors", net, tl.objectives.CrossEntropy(), split(), device="cpu")
    assert torch.allclose(outputs(net), before, atol=1e-5)
    averaged = run(20, net=merging(), lr=0.03, average=0.0).finish()  # the last weights alone
    assert torch.allclose(outputs(averaged.averaged), outputs(averaged.network), atol=1e-5)


def test_a_train_that_keeps_batch_norm_still_holds_from_the_first_step():
    class Still(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, x):
            return self.net(x)

        def train(self, mode: bool = True):
            super().train(mode)
            self.net.backbone.block1[1].eval()
            return self

    net = Still()
    tl.validated(run(5, net=net), split(9), every=2).finish().restart().finish()
    assert net.net.backbone.block1[1].running_mean.equal(torch.zeros(4))


def test_a_scripted_part_is_tested_in_evaluation_mode():
    part = torch.jit.script(nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)))
    net = nn.Sequential(nn.Flatten(), part, nn.Linear(8, 3))
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    assert outputs(net).equal(outputs(net))
    assert all(buffer.equal(before[name]) for name, buffer in net.named_buffers())
    assert part.training


def test_two_runs_on_one_backbone_wake_what_the_other_has_put_to_rest():
    backbone = network().backbone
    one, other = (run(4, net=tl.models.Network(backbone, nn.Linear(6, 3))) for _ in range(2))
    next(other)
    one.finish()
    before = backbone.block1[1].running_mean.clone()
    next(other)
    assert not backbone.block1[1].running_mean.equal(before)
