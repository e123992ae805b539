"""The FreezePanel without a browser: what it shows of a network, the plan it holds, and costs that are measured."""

from __future__ import annotations

import asyncio
import copy
import gc
import weakref
from collections import OrderedDict

import pytest
import torch
from helpers import digest, network, split
from torch import nn

import tlkit as tl
from tlkit.data.tasks import Split
from tlkit.freezing import FreezePlan, Rule, freeze, gradual_unfreezing, last_layers
from tlkit.widgets import freeze_panel
from tlkit.widgets.freeze_panel import FreezePanel


def photographs(n=4, channels=3, size=32):
    return Split(torch.rand(n, channels, size, size), torch.arange(n) % 3, ("a", "b", "c"))


def measured(*arguments, **options) -> FreezePanel:
    return asyncio.run(FreezePanel(*arguments, **options).measured())


def drawn(panel, what="caption"):
    return {group["name"]: group[what] for group in panel.view["groups"]}


def plan_of(**rates):
    return FreezePlan(tuple(Rule(name, rate) for name, rate in rates.items()))


# ---- The plan


def test_only_the_head_learns_unless_a_plan_is_given():
    panel = FreezePanel(network())
    assert panel.plan == last_layers(network(), 1)
    assert repr(panel) == "head learns from the start; frozen: features, block1"


def test_the_first_plan_is_shown_and_another_may_be_set():
    panel = FreezePanel(network(), plan=gradual_unfreezing(network()), steps=30)
    assert panel.plan == gradual_unfreezing(network())
    assert repr(panel) == "head learns from the start, features from step 10, block1 from step 20"
    panel.plan = freeze(network(), until="block1")
    assert repr(panel) == "head learns from the start, features from the start; frozen: block1"


def test_what_the_browser_sends_is_the_plan():
    panel = FreezePanel(network())
    panel.set_state({"rules": [["block1", None, 0], ["features", None, 0], ["features", 0.3, 0.5], ["head", 1, 0]]})
    assert panel.plan.rate("features", 0.4) is None
    assert panel.plan.rate("features", 0.5) == 0.3
    run = tl.Run(network(), tl.objectives.CrossEntropy(), split(), steps=4, batch_size=8, device="cpu", plan=panel.plan)
    assert run.finish().finished


def test_groups_of_ones_own_stay_those_of_the_plan():
    groups = {"body": ["backbone"], "top": ["head"]}
    panel = FreezePanel(network(), plan=last_layers(network(), 1, groups=groups), split=split())
    assert list(drawn(panel)) == ["body", "top"]
    assert panel.plan == last_layers(network(), 1, groups=groups)


def test_rules_that_are_no_plan_are_refused_and_leave_the_plan_as_it_was():
    panel = FreezePanel(network())
    before = panel.plan
    for rules, reason in [([["head", 1.0, 0.5]], "no rule says"), ([["head", -1.0, 0]], "a rate is larger than 0")]:
        with pytest.raises(ValueError, match=reason):
            panel.rules = rules
    assert panel.plan == before


def test_if_nothing_can_learn_it_says_what_to_do():
    panel = FreezePanel(network(), plan=plan_of(block1=None, features=None, head=None), split=split())
    assert repr(panel) == "nothing can learn: let at least one group learn at the start"


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        (
            {"plan": plan_of(stem=1.0)},
            ValueError,
            r"another network: it has rules for 'stem'; its layer groups are block1",
        ),
        ({"steps": 0}, ValueError, r"steps=0, but a run needs at least 1 step"),
        ({"lr": float("inf")}, ValueError, r"lr=inf, but a learning rate is larger than 0 and finite"),
        ({"lr": float("nan")}, ValueError, r"lr=nan, but a learning rate is larger than 0 and finite"),
        ({"split": torch.rand(3, 1, 4, 4)}, TypeError, r"measures with a Split or a Task, not with a Tensor"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(options, error, reason):
    with pytest.raises(error, match=reason):
        FreezePanel(network(), **options)


# ---- The network


def test_of_a_small_cnn_each_group_shows_what_it_makes_of_an_image():
    panel = FreezePanel(tl.models.SmallCNN(), split=tl.data.digits())
    shapes = {
        "block1": "16 × 8 × 8",
        "block2": "32 × 4 × 4",
        "block3": "64 × 2 × 2",
        "features": "64",
        "head": "10 classes",
    }
    assert drawn(panel) == shapes
    assert drawn(panel, "side") == {"block1": 1, "block2": 0.5**0.5, "block3": 0.5, "features": 0, "head": 0}
    assert drawn(panel, "sheets") == {"block1": 2, "block2": 3, "block3": 4, "features": 10, "head": 10}
    assert (panel.view["input"], panel.view["total"]) == ("1 × 8 × 8", 40_618)


def test_of_a_resnet_the_stem_and_the_stages():
    from torchvision.models import resnet18

    panel = FreezePanel(resnet18(weights=None, num_classes=3), split=photographs())
    stages = {f"stage{n}": f"{32 * 2**n} × {16 // 2**n} × {16 // 2**n}" for n in range(1, 5)}
    assert drawn(panel) == {"stem": "64 × 16 × 16", **stages, "head": "3 classes"}


def test_of_a_vit_tokens_are_drawn_as_the_patches_they_are():
    from torchvision.models import VisionTransformer

    vit = VisionTransformer(32, 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=16, num_classes=3)
    panel = FreezePanel(vit, split=photographs())
    blocks = dict.fromkeys(("block1", "block2", "norm"), "17 × 16")
    assert drawn(panel) == {"stem": "16 × 4 × 4", **blocks, "head": "3 classes"}
    assert drawn(panel, "side")["block1"] == 1
    assert drawn(panel, "side")["stem"] == pytest.approx((4 / 17**0.5) ** 0.5)


def test_of_any_module_its_children_and_of_images_that_cannot_be_drawn_the_first_channel():
    layers = OrderedDict(first=nn.Conv2d(2, 4, 3), relu=nn.ReLU(), flat=nn.Flatten(), last=nn.Linear(16, 3))
    panel = FreezePanel(nn.Sequential(layers), split=photographs(channels=2, size=4))
    assert drawn(panel) == {"first": "4 × 2 × 2", "head": "3 classes"}
    assert panel.view["sent"] == [1, 4, 4] and len(panel.image) == 16


def test_without_images_it_shows_weights_and_measures_nothing():
    panel = measured(network())
    assert drawn(panel) == {"block1": "48 weights", "features": "102 weights", "head": "21 weights"}
    assert panel.costs == {} and panel.image == b""


def test_what_the_learner_froze_by_hand_cannot_learn():
    frozen = network()
    frozen.backbone.features.requires_grad_(False)
    panel = measured(frozen, split=split(), plan=gradual_unfreezing(frozen))
    assert drawn(panel, "weights") == {"block1": 48, "features": 0, "head": 21}
    assert set(panel.costs) == {"001", "101"}
    assert repr(panel) == "head learns from the start, block1 from step 100; frozen: features"


# ---- The costs


def test_memory_is_that_of_gradients_optimizer_and_what_is_kept_for_the_backward_pass():
    images, weights = 16, 21
    panel = measured(network(), split=split(30), batch_size=images)
    memory, _, measured_with = panel.costs["001"]
    adam = 2 * 4 * weights + 2 * 4  # two averages a weight, and for weight and bias the number of steps
    kept = images * (4 * 6 + 4 * 3 + 8) + 4  # the head's input, log-probabilities, labels; the loss's sum of weights
    assert measured_with == images
    assert memory == 4 * weights + adam + kept
    # With the feature layer 102 weights more, its input and output; the head's weights are kept too, but were there.
    assert panel.costs["011"][0] == memory + 12 * 102 + 2 * 4 + images * (4 * 16 + 4 * 6)


def test_the_deeper_it_learns_the_more_memory_it_takes():
    panel = measured(tl.models.SmallCNN(), split=tl.data.digits())
    depths = ["00001", "00011", "00111", "01111", "11111"]
    assert set(panel.costs) == set(depths)
    assert sorted(depths, key=lambda depth: panel.costs[depth][0]) == depths


def test_what_a_changed_plan_has_anew_is_measured_in_the_background():
    async def changed():
        mine, data = network(), split()
        panel = await FreezePanel(mine, split=data).measured()
        panel.plan = FreezePlan((Rule("block1"), Rule("features", None), Rule("head", None), Rule("head", 1.0, 0.5)))
        await panel.measured()
        return panel

    assert set(asyncio.run(changed()).costs) == {"001", "011", "111", "100", "101"}


def test_once_measured_it_holds_the_costs_and_not_what_they_were_measured_with():
    async def let_go():
        held = network(), split(), tl.objectives.CrossEntropy()
        panel = await FreezePanel(held[0], split=held[1], objective=held[2]).measured()
        watched = list(map(weakref.ref, (*held, held[1].inputs)))
        del held
        gc.collect()
        panel.plan = FreezePlan((Rule("block1"), Rule("features", None), Rule("head", None)))
        return await panel.measured(), [part() for part in watched]

    panel, alive = asyncio.run(let_go())
    assert alive == [None] * 4
    assert set(panel.costs) == {"001", "011", "111"} and repr(panel).startswith("block1 learns from the start")
    with pytest.raises(ValueError, match="the groups of this network are block1, features, head; each needs a rule"):
        panel.plan = plan_of(body=1.0)


def test_where_a_step_takes_long_fewer_images_make_the_batch(monkeypatch):
    monkeypatch.setattr(freeze_panel, "SLICE", 0.0)
    assert {images for _, _, images in measured(network(), split=split(30)).costs.values()} == {2}


def test_measuring_changes_nothing():
    mine, objective = network(), tl.objectives.CrossEntropy()
    mine.backbone.block1.eval()
    mine.head.bias.requires_grad_(False)
    state = copy.deepcopy(
        [digest(mine), [m.training for m in mine.modules()], [p.requires_grad for p in mine.parameters()]]
    )
    generator = torch.get_rng_state()
    panel = measured(mine, split=split(), objective=objective, plan=gradual_unfreezing(mine))
    assert panel.costs and not panel.error
    assert state == [digest(mine), [m.training for m in mine.modules()], [p.requires_grad for p in mine.parameters()]]
    assert torch.equal(generator, torch.get_rng_state())
    assert all(weight.grad is None for weight in mine.parameters())
    assert not any(module._forward_hooks for module in mine.modules())


def test_what_cannot_be_measured_is_an_error_and_not_tried_again():
    unlabelled = Split(split().images, None, ("a", "b", "c"))

    async def tried():
        panel = FreezePanel(network(), split=unlabelled)
        with pytest.raises(ValueError, match="CrossEntropy needs labels"):
            await panel.measured()
        task = panel._task
        panel.plan = freeze(network(), until="block1")
        return panel, panel._task is task

    panel, is_the_same = asyncio.run(tried())
    assert panel.error.startswith("CrossEntropy needs labels") and is_the_same


def test_a_saved_page_holds_the_costs(tmp_path):
    page = measured(network(), split=split()).save_page(tmp_path / "panel.html").read_text(encoding="utf-8")
    assert '"costs":{"001":[' in page and '"measuring":false' in page and "<title>head learns from the start" in page
