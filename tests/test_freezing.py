"""Plans: what they say of the layer groups of a network, and what cannot work."""

from __future__ import annotations

import math
import re
from functools import partial

import numpy as np
import pytest
from helpers import network
from torch import nn

import tlkit as tl
from tlkit.freezing import (
    FreezePlan,
    Rule,
    batch_norm_still,
    discriminative_rates,
    freeze,
    gradual_unfreezing,
    last_layers,
    probe_then_finetune,
    weights_of,
)

SMALL = ["block1", "block2", "block3", "features", "head"]


def test_of_several_rules_the_latest_that_has_begun_holds():
    plan = FreezePlan((Rule("head"), Rule("a", 0.1, 0.5), Rule("a", None), Rule("a", None, 0.75)))
    assert [plan.rate("a", share) for share in (0, 0.499, 0.5, 0.74, 0.75, 0.99)] == [None, None, 0.1, 0.1, None, None]
    assert plan.rate("head", 0.9) == 1


def test_a_plan_is_a_value_whatever_the_order_of_a_groups_rules():
    first, second = Rule("a", None), Rule("a", 0.5, 0.2)
    assert FreezePlan((first, second)) == FreezePlan((second, first))
    assert FreezePlan((first, second)) != FreezePlan((first,))
    assert len({FreezePlan((first, second)), FreezePlan((second, first))}) == 1


def test_a_plan_keeps_the_order_of_its_groups():
    assert FreezePlan((Rule("z"), Rule("a"), Rule("z", None, 0.5))).groups == ("z", "a")


SPLIT = {"early": ["backbone.block1", "backbone.block2"], "late": ["backbone.block3", "backbone.features", "head"]}
PLANS = {
    "freeze": partial(freeze, until="block2"),
    "last_layers": partial(last_layers, n=2),
    "gradual": gradual_unfreezing,
    "discriminative": discriminative_rates,
    "probe": partial(probe_then_finetune, probe=1 / 3, rate=0.1),
    "groups of your own": partial(last_layers, n=1, groups=SPLIT),
}


@pytest.mark.parametrize("make", PLANS.values(), ids=PLANS)
def test_a_plan_survives_json(make):
    plan = make(tl.models.SmallCNN())
    assert FreezePlan.from_json(plan.to_json()) == plan


def test_a_plan_that_was_written_when_its_parts_had_another_name_is_read():
    plan = last_layers(tl.models.SmallCNN(), 1, groups=SPLIT)
    assert FreezePlan.from_json(plan.to_json().replace('"parts"', '"given"')) == plan


@pytest.mark.parametrize("make", PLANS.values(), ids=PLANS)
def test_making_a_plan_changes_nothing(make):
    net = tl.models.SmallCNN()
    make(net)
    assert all(weight.requires_grad for weight in net.parameters()) and net.training


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rules": 3}', '{"rules": [["a", 1, 0]], "parts": 3}', "null"])
def test_text_that_is_no_plan_is_refused(text):
    with pytest.raises(ValueError, match=r"this text is not a plan that FreezePlan\.to_json"):
        FreezePlan.from_json(text)


def begun(plan: FreezePlan, share: float) -> dict[str, float | None]:
    return {group: plan.rate(group, share) for group in plan.groups}


def test_freezing_until_a_group_freezes_it_and_all_before_it():
    assert begun(freeze(tl.models.SmallCNN(), "block3"), 0.5) == dict(zip(SMALL, [None, None, None, 1, 1], strict=True))


def test_the_last_two_layers_of_the_lessons_network_are_feature_layer_and_head():
    assert last_layers(tl.models.SmallCNN(), 2) == freeze(tl.models.SmallCNN(), "block3")


def test_gradual_unfreezing_thaws_a_group_each_fifth_of_the_run_at_half_the_rate():
    plan = gradual_unfreezing(tl.models.SmallCNN())
    for fifth in range(5):
        thawed = [None] * (4 - fifth) + [0.5] * fifth + [1]
        assert begun(plan, fifth / 5) == dict(zip(SMALL, thawed, strict=True))
    assert begun(plan, 0.1999)["features"] is None


def test_discriminative_rates_fall_by_the_decay_from_the_head_down():
    rates = begun(discriminative_rates(tl.models.SmallCNN(), 0.4), 0)
    assert list(rates.values()) == pytest.approx([0.4**4, 0.4**3, 0.4**2, 0.4, 1])


def test_a_probe_comes_before_everything_learns():
    plan = probe_then_finetune(tl.models.SmallCNN(), probe=0.25, rate=0.1)
    assert list(begun(plan, 0.24).values()) == [None] * 4 + [1]
    assert set(begun(plan, 0.25).values()) == {0.1}
    assert repr(probe_then_finetune(tl.models.SmallCNN())).endswith("head      1 × lr")


def test_a_plan_prints_as_a_table_in_words():
    plan = FreezePlan((Rule("stem", None), Rule("stage1", None), Rule("stage1", 0.25, 1 / 3), Rule("head")))
    assert repr(plan).splitlines() == ["stem    frozen", "stage1  frozen, from 33.3 % on 0.25 × lr", "head    1 × lr"]


def test_a_summary_has_the_weights_of_each_group_and_says_what_you_froze():
    net = tl.models.SmallCNN()
    net.backbone.block1.requires_grad_(False)
    net.backbone.block2[0].bias.requires_grad_(False)
    lines = repr(last_layers(net, 4).summary(net)).splitlines()
    assert re.split(r"  +", lines[0]) == ["group", "weights", "learns"]
    assert re.split(r"  +", lines[1]) == ["block1", "192", "frozen by you"]
    assert re.split(r"  +", lines[2]) == ["block2", "4,704", "1 × lr; 32 weights frozen by you"]
    assert re.split(r"  +", lines[5]) == ["head", "650", "1 × lr"]


def test_a_summary_is_a_table_in_a_notebook_with_names_as_text():
    net = nn.ModuleDict({"<b>": nn.Linear(1, 1), "head": nn.Linear(1, 1)})
    html = last_layers(net, 1).summary(net)._repr_html_()
    assert "<td>&lt;b&gt;</td><td>2</td><td>frozen</td>" in html and html.count("<tr>") == 3


def test_a_plan_with_groups_of_ones_own_finds_them_in_another_network_of_the_kind():
    net = tl.models.SmallCNN(seed=1)
    plan = last_layers(tl.models.SmallCNN(), 1, groups=SPLIT)
    assert plan.groups_in(net)["early"] == (net.backbone.block1, net.backbone.block2)


def test_modules_become_names_in_the_plan():
    net = tl.models.SmallCNN()
    modules = {group: [net.get_submodule(name) for name in names] for group, names in SPLIT.items()}
    assert last_layers(net, 1, groups=modules) == last_layers(net, 1, groups=SPLIT)


def test_the_parts_of_a_plan_can_be_a_dictionary_of_lists():
    rules = (Rule("early", None), Rule("late"))
    assert FreezePlan(rules, parts=SPLIT) == FreezePlan(rules, tuple((name, tuple(of)) for name, of in SPLIT.items()))


# ---- what cannot work ----


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda net: Rule("head", 0), "rate=0 for 'head', but a rate is larger than 0 and finite"),
        (lambda net: Rule("head", -1), "rate=-1 for 'head'"),
        (lambda net: Rule("head", math.nan), "rate=nan for 'head'.*to freeze a group use None"),
        (lambda net: Rule("head", math.inf), "rate=inf for 'head'"),
        (lambda net: Rule("head", 1, 1), "start=1 for 'head', but a start is a share of the run"),
        (lambda net: Rule("head", 1, -0.1), "start=-0.1 for 'head'"),
        (lambda net: Rule("head", 1, math.nan), "start=nan for 'head'"),
        (lambda net: FreezePlan(()), "this plan has no rules"),
        (lambda net: FreezePlan((Rule("a"), Rule("a", None))), "two rules for 'a' begin at 0; keep one"),
        (
            lambda net: FreezePlan((Rule("a", 1, 0.5), Rule("b"))),
            r"no rule says what 'a' does from the start; add Rule\('a', None\)",
        ),
        (lambda net: FreezePlan((Rule("a"),)).rate("b", 0), "no group 'b'; its layer groups are a"),
        (
            lambda net: freeze(net, "blok3"),
            "until='blok3' is not a layer group; its layer groups are block1, .*; did you mean 'block3'",
        ),
        (lambda net: freeze(net, "head"), "until='head' freezes every layer group, so nothing can learn"),
        (lambda net: last_layers(net, 0), r"the last 0 of 5 layer groups are to learn; choose 1 \(only head\) to 5"),
        (lambda net: last_layers(net, 6), "the last 6 of 5 layer groups"),
        (lambda net: discriminative_rates(net, 0), "rate=0 for 'block1'"),
        (lambda net: probe_then_finetune(net, 1.0), "probe=1.0, but it is a share of the run"),
        (lambda net: probe_then_finetune(net, 0), "probe=0, but it is a share of the run, larger than 0"),
        (
            lambda net: freeze(network(), "block1").summary(net),
            "no rule for 'block2', 'block3', but every layer group of the network needs one at start 0",
        ),
        (
            lambda net: gradual_unfreezing(net).groups_in(network()),
            "for another network: it has rules for 'block2', 'block3'; its layer groups are block1, features, head",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_once(make, words):
    with pytest.raises(ValueError, match=words):
        make(tl.models.SmallCNN())


def test_batch_norm_still_freezes_the_norms_alone_and_everything_else_learns():
    small = tl.models.SmallCNN()
    plan = batch_norm_still(small)
    norms, others = (weights_of(parts) for parts in plan.groups_in(small).values())
    wanted = [w for part in small.modules() if isinstance(part, nn.BatchNorm2d) for w in part.parameters()]
    assert [id(w) for w in norms] == [id(w) for w in wanted]
    assert {id(w) for w in [*norms, *others]} == {id(w) for w in small.parameters()}
    assert (plan.rate("norms", 0), plan.rate("others", 0)) == (None, 1.0)
    assert FreezePlan.from_json(plan.to_json()) == plan


def test_a_network_without_batch_norm_has_none_that_could_stand_still():
    with pytest.raises(ValueError, match="this network has no batch norm that could stand still"):
        batch_norm_still(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))


def test_rates_of_other_libraries_are_plain_numbers_in_a_plan():
    plan = FreezePlan((Rule("block1", np.float32(0.5)), Rule("block1", None, np.float64(0.25)), Rule("head")))
    assert FreezePlan.from_json(plan.to_json()) == plan
