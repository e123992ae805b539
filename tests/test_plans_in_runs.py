"""A plan in a run: frozen means frozen, thawed means trained, and between steps the network is as its owner left it."""

from __future__ import annotations

import copy
import math
import pickle
import random
import signal
from functools import partial

import pytest
import torch
from helpers import digest, network, run, split
from torch import nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.data.batches import Batch, Batches
from tlkit.freezing import (
    FreezePlan,
    Rule,
    discriminative_rates,
    freeze,
    gradual_unfreezing,
    last_layers,
    probe_then_finetune,
)
from tlkit.groups import layer_groups
from tlkit.training.schedules import one_cycle

STEPS = 40
OPTIMIZERS = {
    "AdamW": torch.optim.AdamW,
    "SGD": partial(torch.optim.SGD, momentum=0.9, weight_decay=0.1),
    "AdamW, much decay": partial(torch.optim.AdamW, weight_decay=0.5),
}


class Deep(tl.models.Network):
    """Four groups, each with weights; batch norm and dropout in all but the head."""

    def __init__(self, seed: int = 0):
        def block(before: int, after: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU(), nn.Dropout(0.3))

        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            blocks = nn.Sequential()
            for name, sizes in {"stem": (16, 8), "middle": (8, 8), "top": (8, 6)}.items():
                blocks.add_module(
                    name, block(*sizes) if name != "stem" else nn.Sequential(nn.Flatten(), *block(*sizes))
                )
            super().__init__(blocks, nn.Linear(6, 3))


GROUPS = ["stem", "middle", "top", "head"]


def state_of(net: nn.Module) -> dict[str, dict[str, torch.Tensor]]:
    """Weights and buffers by group, `num_batches_tracked` too."""
    parts = {"head": net.head} | dict(net.backbone.named_children())
    return {group: {name: t.clone() for name, t in part.state_dict().items()} for group, part in parts.items()}


def moved(before: dict, after: dict) -> set[str]:
    """The groups of which any bit is another."""
    return {g for g, state in before.items() if any(not t.equal(after[g][name]) for name, t in state.items())}


def planned(plan: FreezePlan | None, steps: int = STEPS, **options) -> tl.Run:
    options.setdefault("net", Deep())
    return run(steps, plan=plan, **options)


def trained(plan: FreezePlan | None, **options) -> str:
    return digest(planned(plan, **options).finish().network)


BACK_AND_FORTH = FreezePlan(  # what learns changes at steps 11, 21 and 31 of 40
    (
        Rule("stem", None),
        *(Rule("middle", 0.5), Rule("middle", None, 0.5)),
        *(Rule("top", None), Rule("top", 2.0, 0.25)),
        *(Rule("head"), Rule("head", None, 0.25), Rule("head", 0.5, 0.75)),
    )
)


# ---- frozen means frozen, thawed means trained ----


@pytest.mark.parametrize("schedule", [None, "one-cycle"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_what_the_plan_freezes_keeps_every_bit_and_what_it_thaws_moves(optimizer, schedule):
    going = planned(BACK_AND_FORTH, optimizer=optimizer, schedule=schedule, lr=0.01)
    before = state_of(going.network)
    for step in range(1, STEPS + 1):
        table = {group: BACK_AND_FORTH.rate(group, (step - 1) / STEPS) for group in GROUPS}
        next(going)
        after = state_of(going.network)
        if step < STEPS or schedule is None:  # the last learning rate of a cycle is zero
            assert moved(before, after) == {group for group, rate in table.items() if rate is not None}, step
        before = after


@pytest.mark.parametrize("seed", range(20))
def test_under_any_plan_exactly_those_groups_move_that_learn(seed):
    draw = random.Random(seed)
    rules = [Rule("head", draw.choice([0.5, 1.0]))]
    for group in GROUPS[:3]:
        starts = [0, *sorted(draw.sample(range(1, 20), draw.randint(0, 3)))]
        rules += [Rule(group, draw.choice([None, None, 0.1, 1.0]), start / 20) for start in starts]
    plan = FreezePlan(tuple(rules))
    going = planned(plan, steps=20, optimizer=draw.choice(list(OPTIMIZERS.values())))
    before = state_of(going.network)
    for step in range(20):
        next(going)
        after = state_of(going.network)
        assert moved(before, after) == {group for group in GROUPS if plan.rate(group, step / 20) is not None}
        before = after


@pytest.mark.parametrize("options", [{"fast": True}, {"precision": "bfloat16"}], ids=str)
def test_frozen_means_frozen_in_a_fast_run_and_in_half_precision(options):
    going = planned(freeze(Deep(), "middle"), optimizer=partial(torch.optim.AdamW, weight_decay=0.5), **options)
    before = state_of(going.network)
    assert moved(before, state_of(going.finish().network)) == {"top", "head"}


class Zeroing(torch.optim.AdamW):
    """An optimizer that leaves gradients of zero behind, with which momentum and weight decay move a weight."""

    def zero_grad(self, set_to_none: bool = False):
        super().zero_grad(set_to_none=False)


def test_a_group_that_freezes_again_is_still_also_with_an_optimizer_that_keeps_gradients_of_zero():
    going = planned(BACK_AND_FORTH, optimizer=Zeroing)
    for _ in range(10):
        next(going)
    kept = copy.deepcopy(going.optimizer.state[going.network.head.weight])
    for _ in range(20):
        next(going)
    assert all(value.equal(kept[name]) for name, value in going.optimizer.state[going.network.head.weight].items())


def test_a_convolutional_network_keeps_its_frozen_batch_norm_statistics():
    net = network()
    before = copy.deepcopy(net.backbone.block1.state_dict())
    run(net=net, plan=last_layers(net, 2)).finish()
    assert "1.num_batches_tracked" in before
    assert all(tensor.equal(before[name]) for name, tensor in net.backbone.block1.state_dict().items())


def test_a_run_that_trains_the_head_alone_is_the_same_run_on_the_frozen_features():
    net = Deep()
    features = net.eval().features(split().images).detach()
    flat = tl.data.Split(features[:, :, None, None], split().labels, split().classes)
    alone = nn.Sequential(nn.Flatten(), copy.deepcopy(net.head))
    run(STEPS, net=alone, data=flat).finish()
    planned(last_layers(net, 1), net=net).finish()
    torch.testing.assert_close(net.head.weight, alone[1].weight, atol=1e-6, rtol=0)


def test_no_gradient_reaches_below_the_first_group_that_learns():
    going = planned(freeze(Deep(), "stem"))
    seen = []
    going.network.backbone.stem.register_forward_hook(lambda module, inputs, out: seen.append(out.requires_grad))
    going.network.backbone.middle.register_forward_hook(lambda module, inputs, out: seen.append(out.requires_grad))
    next(going)
    assert seen == [False, True]


def test_the_backward_pass_ends_at_the_wall_and_the_wall_moves_when_the_plan_changes():
    going = planned(gradual_unfreezing(Deep()))
    reached = []

    def watched(name, module, inputs, out):
        if out.requires_grad:
            out.register_hook(lambda gradient: reached.append(name))

    for name in GROUPS:
        linear = next(m for p in layer_groups(going.network)[name] for m in p.modules() if isinstance(m, nn.Linear))
        linear.register_forward_hook(partial(watched, name))
    for step in range(STEPS):
        reached.clear()
        next(going)
        assert reached == GROUPS[::-1][: 1 + step * 4 // STEPS]


def test_frozen_weights_have_no_gradient_not_even_one_of_zero():
    going = planned(BACK_AND_FORTH)
    for step in range(STEPS):
        next(going)
        frozen = [group for group in GROUPS if BACK_AND_FORTH.rate(group, step / STEPS) is None]
        for group in frozen:
            assert all(w.grad is None for part in layer_groups(going.network)[group] for w in part.parameters())


def test_what_a_frozen_group_does_not_draw_leaves_the_noise_of_the_others():
    """A frozen group is in evaluation mode: its dropout keeps all, so the step is that of a network without it."""
    going = planned(last_layers(Deep(), 1))
    outputs = []
    going.network.backbone.register_forward_hook(lambda module, inputs, out: outputs.append(out))
    next(going)
    images = going.batches[0].inputs
    torch.testing.assert_close(outputs[0], Deep().eval().features(images))


class DropsItself(nn.Module):
    """Dropout without a module: what stands above the groups decides by its own mode."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(16, 8), nn.Linear(8, 6)

    def forward(self, images):
        return F.dropout(self.second(self.first(images.flatten(1))), 0.5, self.training)


def test_a_module_above_frozen_groups_only_is_in_evaluation_mode_too():
    net = tl.models.Network(DropsItself(), nn.Linear(6, 3))
    modes = []
    net.backbone.register_forward_hook(lambda module, *_: modes.append(module.training))
    plan = probe_then_finetune(net, 0.5)
    run(2, net=net, plan=plan).finish()
    assert modes == [False, True]


# ---- learning rates ----


def recorded(going: tl.Run) -> list[dict[str, float]]:
    """The learning rates that the optimizer really used, by group, step for step."""
    used = []
    going.optimizer.register_step_pre_hook(
        lambda optimizer, *_: used.append({g.get("layer_group", "objective"): g["lr"] for g in optimizer.param_groups})
    )
    going.finish()
    return used


def warmth(step: int, thawed: int, steps: int = STEPS) -> float:
    return min(1.0, (step - thawed + 1) / (0.05 * steps)) if thawed else 1.0


@pytest.mark.parametrize("schedule", [None, "one-cycle"])
def test_the_learning_rate_of_every_group_at_every_step_is_that_of_the_plans_table(schedule):
    used = recorded(planned(BACK_AND_FORTH, steps=100, schedule=schedule, lr=0.01))
    thaws = {"middle": 0, "top": 25, "head": 75}
    for step, lrs in enumerate(used):
        base = 0.01 * (one_cycle(step, 100) if schedule else 1)
        for group in ("middle", "top", "head"):
            share = BACK_AND_FORTH.rate(group, step / 100)
            since = thaws[group] if step >= thaws[group] else 0
            expected = 0 if share is None else base * share * warmth(step, since, 100)
            assert lrs[group] == pytest.approx(expected, rel=1e-12), (group, step)
        assert "stem" not in lrs


@pytest.mark.parametrize("plan", [gradual_unfreezing, discriminative_rates, probe_then_finetune])
def test_a_run_names_the_learning_rates_that_its_optimizer_uses(plan):
    going = planned(plan(Deep()), schedule="one-cycle")
    named = [going.lrs(number) for number in range(1, STEPS + 1)]
    for lrs, used in zip(named, recorded(going), strict=True):
        assert {group: lr or 0.0 for group, lr in lrs.items()} == used
    assert {group for group, lr in named[0].items() if lr is None} == {
        group for group in GROUPS if plan(Deep()).rate(group, 0) is None
    }


def test_the_learning_rates_of_a_run_are_those_of_the_next_step_at_the_present_one():
    going = planned(last_layers(Deep(), 1), steps=3, lr=0.1)
    assert going.lrs() == {"stem": None, "middle": None, "top": None, "head": 0.1}
    next(going)
    going.set_lr(0.01)
    assert going.lrs()["head"] == 0.01
    assert going.finish().lrs()["head"] == 0.01
    with pytest.raises(ValueError, match="this run has no step 4; it has the steps 1 to 3"):
        going.lrs(4)


def test_without_a_plan_every_group_has_the_one_learning_rate():
    assert planned(None, lr=0.1).lrs() == {"every group": 0.1}


def test_a_group_that_thaws_warms_up_over_a_twentieth_of_the_steps():
    going = planned(
        FreezePlan((*(Rule(g) for g in GROUPS[1:]), Rule("stem", None), Rule("stem", 1.0, 0.5))), steps=100, lr=1.0
    )
    assert [going.lrs(number)["stem"] for number in range(50, 57)] == [None, 0.2, 0.4, 0.6, 0.8, 1, 1]


def test_a_steps_learning_rate_is_that_of_the_run_whatever_the_plan():
    steps = list(planned(discriminative_rates(Deep()), schedule="one-cycle", lr=0.01))
    assert [step.lr for step in steps] == [0.01 * one_cycle(number, STEPS) for number in range(STEPS)]


def test_a_plan_with_the_rate_1_for_all_is_no_plan():
    everything = last_layers(Deep(), 4)
    assert trained(everything) == trained(None)


def test_the_objectives_own_weights_learn_at_the_runs_learning_rate():
    class Scaled(tl.objectives.Objective):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, net, batch):
            return {"loss": self.scale * F.cross_entropy(net(batch.inputs), batch.labels)}

    going = planned(last_layers(Deep(), 1), objective=Scaled(), lr=0.01)
    assert {lrs["objective"] for lrs in recorded(going)} == {0.01}
    assert going.objective.scale < 1


# ---- the optimizer ----


def test_the_optimizer_holds_each_group_that_will_ever_learn_once_from_the_start_to_the_end():
    going = planned(BACK_AND_FORTH)
    groups = going.optimizer.param_groups
    assert [group["layer_group"] for group in groups] == ["middle", "top", "head"]
    members = [[id(weight) for weight in group["params"]] for group in groups]
    going.finish()
    assert [[id(weight) for weight in group["params"]] for group in going.optimizer.param_groups] == members


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_group_frozen_again_keeps_its_optimizer_state_and_starts_afresh_when_it_thaws(optimizer):
    going = planned(BACK_AND_FORTH, optimizer=optimizer)
    weight, state = going.network.head.weight, going.optimizer.state
    for _ in range(10):
        next(going)
    kept = copy.deepcopy(state[weight])
    for _ in range(20):
        next(going)
        assert all(
            torch.equal(torch.as_tensor(value), torch.as_tensor(kept[key])) for key, value in state[weight].items()
        )
    before = weight.detach().clone()
    next(going)
    if "step" in state[weight]:
        assert state[weight]["step"] == 1
        torch.testing.assert_close(state[weight]["exp_avg"], 0.1 * weight.grad)
    else:
        torch.testing.assert_close(state[weight]["momentum_buffer"], weight.grad + 0.1 * before)


def test_a_group_that_thaws_learns_as_if_the_run_had_begun_there():
    """With the head frozen, the second half of a run is a run of its own, but for the number of its batches."""

    class Later(Batches):
        def __getitem__(self, step):
            return super().__getitem__(step + STEPS // 2)

    net = network()
    rules = [Rule(name, None) for name in ("block1", "features")]
    whole = FreezePlan((*rules, Rule("head"), Rule("head", None, 0.5), Rule("features", 1.0, 0.5)))
    going = run(STEPS, net=net, plan=whole)
    for _ in range(STEPS // 2):
        next(going)
    twin = copy.deepcopy(going.network)
    second = FreezePlan((Rule("block1", None), Rule("features"), Rule("head", None)))
    half = run(STEPS // 2, net=twin, data=Later(split(), 8), plan=second)
    half.batches = Later(split(), 8)
    going._in_force._thawed = [dict.fromkeys(thawed, 0) for thawed in going._in_force._thawed]  # without warm-up
    assert digest(going.finish().network) == digest(half.finish().network)


# ---- what the user froze ----


def test_what_the_user_froze_stays_frozen_under_a_plan_that_would_thaw_it():
    net = Deep()
    net.backbone.middle.requires_grad_(False)
    before = [weight.clone() for weight in net.backbone.middle.parameters()]
    going = planned(gradual_unfreezing(net), net=net).finish()
    assert all(weight.equal(old) for weight, old in zip(net.backbone.middle.parameters(), before, strict=True))
    assert not any(weight.requires_grad for weight in net.backbone.middle.parameters())
    assert going.lrs()["middle"] is None


def flags(net: nn.Module) -> list[bool]:
    return [weight.requires_grad for weight in net.parameters()] + [module.training for module in net.modules()]


def raised(going: tl.Run, error: type[BaseException]) -> None:
    with pytest.raises(error):
        going.finish()


def fail(*_):
    raise RuntimeError("in the middle of a step")


ENDS = {
    "finished": lambda going: going.finish(),
    "a break": lambda going: next(going),
    "stopped": lambda going: (next(going), going.stop()),
    "an error": lambda going: (going.network.head.register_forward_pre_hook(fail), raised(going, RuntimeError)),
    "an interrupt": lambda going: (
        setattr(going.objective, "after_step", lambda net: signal.raise_signal(signal.SIGINT)),
        raised(going, KeyboardInterrupt),
    ),
    "not a number": lambda going: (going.set_lr(1e30), raised(going, FloatingPointError)),
    "restarted": lambda going: (next(going), going.restart()),
    "another run": lambda going: (next(going), next(planned(None, net=going.network))),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_outside_of_a_step_flags_and_modes_are_as_the_user_left_them(end):
    net = Deep()
    net.backbone.middle[0].bias.requires_grad_(False)
    net.backbone.top[1].eval()
    before = flags(net)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        end(planned(freeze(net, "middle"), net=net))
    finally:
        signal.signal(signal.SIGINT, handler)
    if end is ENDS["finished"]:  # the modes are then those of use
        assert not any(module.training for module in net.modules())
        before[-len(list(net.modules())) :] = [False] * len(list(net.modules()))
    assert flags(net) == before


def test_while_it_is_tested_between_two_steps_the_network_is_as_the_user_left_it():
    net, seen = Deep(), []
    before = flags(net)[: len(list(net.parameters()))]
    watched = tl.validated(planned(freeze(net, "middle"), net=net), split(9), every=5)
    net.register_forward_hook(
        lambda module, *_: seen.append([w.requires_grad for w in net.parameters()]) if not module.training else None
    )
    watched.finish()
    assert seen == [before] * 9


def test_a_second_run_on_the_same_network_does_not_take_the_plans_freezing_for_the_users():
    net = Deep()
    next(planned(last_layers(net, 1), net=net))
    before = state_of(net)
    planned(None, net=net).finish()
    assert moved(before, state_of(net)) == set(GROUPS)


def test_two_runs_that_take_turns_each_follow_their_plan():
    net = Deep()
    first, second = planned(last_layers(net, 1), net=net), planned(freeze(net, "stem"), net=net)
    for going, learns in [(first, {"head"}), (second, {"middle", "top", "head"})] * 2:
        before = state_of(net)
        next(iter(going))
        assert moved(before, state_of(net)) == learns


# ---- stopped, continued, copied, restarted, failed ----


@pytest.mark.parametrize("at", [0, 9, 10, 11, 30])
@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))], ids=["copy", "pickle"])
def test_a_copied_run_follows_the_plan_to_the_same_end(twin_of, at):
    original = planned(BACK_AND_FORTH, schedule="one-cycle")
    for _ in range(at):
        next(original)
    before = digest(original.network)
    twin = twin_of(original)
    assert digest(twin.finish().network) == trained(BACK_AND_FORTH, schedule="one-cycle")
    assert digest(original.network) == before


@pytest.mark.parametrize("at", [5, 10, 25, 31, STEPS])
def test_a_restarted_run_begins_with_the_plans_first_rules(at):
    again = planned(BACK_AND_FORTH)
    for _ in range(at):
        next(again)
    assert digest(again.restart().finish().network) == trained(BACK_AND_FORTH)


class Poisoned(Batches):
    """One batch, by number from 1, is not a number."""

    def __init__(self, number: int):
        super().__init__(split(), 8)
        self.number = number

    def __getitem__(self, step):
        images, labels = super().__getitem__(step)
        return Batch(images * math.nan if step + 1 == self.number else images, labels)

    def to(self, device):
        return self


@pytest.mark.parametrize("at", [10, 11, 12, 31])
def test_a_loss_that_is_not_finite_keeps_the_weights_before_it_frozen_ones_too(at):
    failing = planned(BACK_AND_FORTH, data=Poisoned(at))
    raised(failing, FloatingPointError)
    clean = planned(BACK_AND_FORTH)
    for _ in range(at - 1):
        next(clean)
    assert digest(failing.network) == digest(clean.network)
    failing.batches.number = 0
    assert digest(failing.finish().network) == trained(BACK_AND_FORTH)


def test_on_an_accelerator_a_run_goes_back_across_a_thaw_and_on_again():
    plan = FreezePlan((*(Rule(g) for g in GROUPS[1:]), Rule("stem", None), Rule("stem", 1.0, 0.6)))
    failing = planned(plan, steps=100, data=Poisoned(75))
    failing._checks_each_step = False
    with pytest.raises(FloatingPointError, match="the weights of step 50 are kept"):
        failing.finish()
    failing.batches.number = 0
    assert digest(failing.finish().network) == trained(plan, steps=100)


def test_a_stopped_run_goes_on_in_the_middle_of_its_plan():
    stopped = planned(BACK_AND_FORTH)
    for step in stopped:
        if step.number in (10, 11, 30):
            stopped.stop()
    while not stopped.finished:
        next(iter(stopped))
    assert digest(stopped.network) == trained(BACK_AND_FORTH)


def test_any_module_can_follow_a_plan():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    before = copy.deepcopy(net)
    run(net=net, plan=last_layers(net, 1)).finish()
    assert net[1].weight.equal(before[1].weight) and not net[3].weight.equal(before[3].weight)


# ---- what cannot work is refused before anything is trained ----


def with_frozen_head() -> nn.Module:
    net = Deep()
    net.head.requires_grad_(False)
    return net


@pytest.mark.parametrize(
    ("plan", "net", "words"),
    [
        (
            freeze(network(), "block1"),
            Deep(),
            "for another network: it has rules for 'block1', 'features'; its layer groups are stem, middle, top, head",
        ),
        (FreezePlan((Rule("head"),)), Deep(), "no rule for 'stem', 'middle', 'top'"),
        (
            FreezePlan(tuple(Rule(g, None) for g in GROUPS)),
            Deep(),
            "from step 1 to step 20 of 20 every layer group is frozen, so nothing can learn; let one learn there",
        ),
        (
            FreezePlan((*(Rule(g, None) for g in GROUPS), Rule("head", 1.0, 0.5))),
            Deep(),
            "from step 1 to step 10 of 20 every",
        ),
        (
            FreezePlan((*(Rule(g, None) for g in GROUPS[:3]), Rule("head"), Rule("head", None, 0.75))),
            Deep(),
            r"from step 16 to step 20 of 20 every.*Rule\('head', 1.0, 0.75\)",
        ),
        (
            last_layers(Deep(), 1),
            with_frozen_head(),
            r"every layer group is frozen \('head' by you: requires_grad=False\).*; set requires_grad",
        ),
    ],
    ids=["another network", "no rule", "all frozen", "first half", "last quarter", "by you"],
)
def test_a_plan_that_cannot_work_is_refused_before_anything_is_trained(plan, net, words):
    with pytest.raises(ValueError, match=words):
        run(20, net=net, plan=plan)


def test_the_rule_that_is_advised_begins_no_step_too_late():
    rules = (*(Rule(g, None) for g in GROUPS[:3]), Rule("head"), Rule("head", None, 0.6))
    with pytest.raises(ValueError, match=r"from step 3 to step 3 of 3 .*Rule\('head', 1.0, 0.6666\)"):
        run(3, net=Deep(), plan=FreezePlan(rules))
    run(3, net=Deep(), plan=FreezePlan((*rules, Rule("head", 1.0, 0.6666))))


def test_with_everything_frozen_the_objectives_own_weights_may_still_learn():
    class Own(tl.objectives.Objective):
        def __init__(self):
            super().__init__()
            self.decoder = nn.Linear(6, 3)

        def forward(self, net, batch):
            return {"loss": F.cross_entropy(self.decoder(net.features(batch.inputs)), batch.labels)}

    before = state_of(Deep())
    going = planned(FreezePlan(tuple(Rule(g, None) for g in GROUPS)), objective=Own()).finish()
    assert moved(before, state_of(going.network)) == set()
