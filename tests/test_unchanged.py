"""What is replaced or thawed in a network after its run was made."""

import copy

import pytest
import torch
from helpers import digest, network, run
from torch import nn


def thawed(net):
    net.backbone.requires_grad_(True)


CHANGES = {
    "a new head": (lambda net: setattr(net, "head", nn.Linear(6, 3)), "head.weight, head.bias"),
    "thawed by hand": (thawed, "backbone.block1.0.weight"),
    "assigned weights": (
        lambda net: net.load_state_dict({k: v.clone() for k, v in net.state_dict().items()}, assign=True),
        "block1.0.weight",
    ),
    "a further layer": (lambda net: net.head.register_module("more", nn.Linear(2, 2)), "head.more.weight"),
}


@pytest.mark.parametrize(("change", "names"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("at", [0, 3])
def test_what_would_never_learn_is_refused_by_name(change, names, at):
    net = network()
    if change is thawed:
        net.backbone.requires_grad_(False)
    going = run(net=net)
    for _ in range(at):
        next(going)
    change(net)
    before = digest(net)
    with pytest.raises(ValueError, match=f"{names}.* would never learn: replaced, or thawed, after this run was made"):
        next(going)
    assert digest(net) == before and going.step == at


def test_what_changes_nothing_for_the_optimizer_is_allowed():
    net = network()
    going = run(net=net)
    next(going)
    net.backbone.requires_grad_(False)
    net.backbone.block1[2] = nn.LeakyReLU()
    net.register_buffer("seen", torch.zeros(1))
    next(going)
    net.backbone.requires_grad_(True)  # it was known when the run was made
    assert going.finish().finished


def test_a_copied_run_knows_its_own_network():
    going = run()
    next(going)
    twin = copy.deepcopy(going)
    assert digest(twin.finish().network) == digest(going.finish().network)


def test_what_is_added_to_the_optimizer_by_hand_learns():
    net = network()
    net.backbone.requires_grad_(False)
    going = run(net=net)
    next(going)
    net.backbone.requires_grad_(True)
    going.optimizer.add_param_group({"params": list(net.backbone.parameters()), "lr": going.lr / 10})
    before = net.backbone.block1[0].weight.clone()
    next(going)
    assert not net.backbone.block1[0].weight.equal(before)
    assert going.lrs() == pytest.approx({"every group, 1": going.lr, "every group, 2": going.lr / 10})
