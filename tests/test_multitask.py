"""Several tasks at once: the loss by hand, labels that are not known, heads in plans and files, learnt weights."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from helpers import digest, network, run, split
from scipy.optimize import minimize
from torch import nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.data.batches import Batch
from tlkit.freezing import FreezePlan, Rule
from tlkit.objectives import CrossEntropy, MultiTask

NAMES = {"letter": ("a", "b", "c"), "vowel": ("vowel", "consonant")}


def both(n: int = 30, seed: int = 0, vowel=lambda labels: labels % 2) -> tl.data.Split:
    """Images with two labels each: one of three letters, and whether it is a vowel (as if)."""
    one = split(n, seed)
    return replace(one, labels={"letter": one.labels, "vowel": vowel(one.labels)}, classes=NAMES)


def two(weights=None, **options) -> MultiTask:
    return MultiTask("letter", {"vowel": 2}, weights, **options)


def going(steps: int = 10, weights=None, data=None, **options):
    return run(steps, data=data or both(), objective=two(weights), **options)


# ---- the loss ----


def test_the_loss_is_the_weighted_sum_of_cross_entropies_on_shared_features():
    started = going(weights={"letter": 2, "vowel": 0.5})
    batch = started.batches[0]
    features = started.network.backbone(batch.inputs)
    one = F.cross_entropy(started.network.head(features), batch.labels["letter"])
    other = F.cross_entropy(started.objective.heads["vowel"](features), batch.labels["vowel"])
    values = started.objective(started.network, batch)
    assert values["loss"].item() == pytest.approx((2 * one + 0.5 * other).item(), abs=1e-6)
    assert values["letter loss"].item() == pytest.approx(one.item(), abs=1e-6)
    assert values["vowel loss"].item() == pytest.approx(other.item(), abs=1e-6)


def test_features_are_computed_once_for_all_tasks():
    started, calls = going(), []
    started.network.backbone.register_forward_hook(lambda *_: calls.append(1))
    started.objective(started.network, started.batches[0])
    assert calls == [1]


def test_with_the_weight_0_for_the_others_it_is_cross_entropy_on_the_first_bit_by_bit():
    alone = run(20, objective=CrossEntropy()).finish()
    assert digest(going(20, {"vowel": 0}).finish().network) == digest(alone.network)


def test_labels_that_are_not_known_are_left_out_of_the_mean():
    labels = torch.tensor([0, -1, 2, -1, -1, 1, -1, 0])
    started = going()
    batch = started.batches[0]
    found = started.objective(started.network, Batch(batch.inputs, batch.labels | {"letter": labels}))
    outputs = started.network(batch.inputs)[labels >= 0]
    wanted = F.cross_entropy(outputs, labels[labels >= 0]).item()
    assert found["letter loss"].item() == pytest.approx(wanted, abs=1e-6)
    assert found["letter known"].item() == 0.5 and found["vowel known"].item() == 1


@pytest.mark.parametrize("weights", [None, "uncertainty"])
def test_a_task_that_no_example_of_a_batch_knows_adds_nothing_and_no_gradient(weights):
    started = going(weights=weights)
    batch = started.batches[0]
    unknown = torch.full_like(batch.labels["vowel"], -1)
    values = started.objective(started.network, Batch(batch.inputs, batch.labels | {"vowel": unknown}))
    values["loss"].backward()
    assert values["vowel loss"].item() == values["vowel known"].item() == 0
    assert values["loss"].item() == values["letter loss"].item()
    head = started.objective.heads["vowel"]
    assert not head.weight.grad.any() and not head.bias.grad.any()
    if weights:
        assert started.objective.log_variances.grad.tolist()[1] == 0


def test_half_of_the_labels_missing_is_said_in_the_history():
    some = both(vowel=lambda labels: torch.where(torch.arange(len(labels)) % 2 == 0, labels % 2, -1))
    finished = going(30, data=some).finish()
    known = finished.history.series("vowel known")[1]
    assert 0.3 < sum(known) / len(known) < 0.7
    assert set(finished.history.series("letter known")[1]) == {1.0}


def test_views_are_drawn_anew_and_labels_stay_with_them():
    seen = []
    started = run(1, data=both(), objective=two(augment=lambda images: seen.append(len(images)) or 1 - images))
    batch = started.batches[0]
    found = started.objective(started.network, batch)["letter loss"]
    by_hand = F.cross_entropy(started.network(1 - batch.inputs), batch.labels["letter"])
    assert seen and found.item() == pytest.approx(by_hand.item(), abs=1e-6)


def test_each_task_is_learnt_from_other_images_and_tested_by_its_own_head():
    digits = tl.data.digits()
    few = digits.few_labels(10)

    def parity(split):
        return replace(split, labels=split.labels % 2, classes=("even", "odd"))

    batches = tl.data.JointBatches({"digit": few.train, "parity": parity(few.unlabelled)}, 64)
    objective = MultiTask("digit", {"parity": 2})
    finished = tl.Run(tl.models.SmallCNN(), objective, batches, steps=80, device="cpu").finish()
    odd = finished.objective.network_of(finished.network, "parity")
    assert tl.evaluate(finished, digits.test).accuracy > 0.8
    assert tl.evaluate(odd, parity(digits.test)).accuracy > 0.9


# ---- learnt weights ----


def constant(losses: list[float]) -> tuple[MultiTask, tl.models.Network, Batch]:
    """An objective whose losses are these, whatever it learns: logits that the backbone cannot change."""

    class Fixed(nn.Module):
        def __init__(self, loss: float):
            super().__init__()
            self.logit = math.log(1 / math.expm1(loss))  # of two logits, l and 0: -log p = log(1 + exp(-l))

        def forward(self, features):
            return features[:, :1] * torch.tensor([[0.0, 0.0]]) + torch.tensor([[self.logit, 0.0]])

    objective = MultiTask("one", {"other": 2}, "uncertainty")
    objective.heads = nn.ModuleDict({"other": Fixed(losses[1])})
    backbone = nn.Flatten()
    backbone.feature_dim = 16
    labels = torch.zeros(8, dtype=torch.int64)
    inputs = torch.rand(8, 1, 4, 4)
    batch = Batch(inputs, {"one": labels, "other": labels})
    return objective, tl.models.Network(backbone, Fixed(losses[0])), batch


LOSSES = [0.3, 1.7]


def test_learnt_weights_are_stationary_where_the_variance_is_twice_the_loss():
    objective, net, batch = constant(LOSSES)
    objective.log_variances.data = (2 * torch.tensor(LOSSES)).log()
    values = objective(net, batch)
    values["loss"].backward()
    assert values["one loss"].item() == pytest.approx(LOSSES[0], abs=1e-6)
    assert objective.log_variances.grad.abs().max() < 1e-6
    assert values["other weight"].item() == pytest.approx(1 / (2 * LOSSES[1]), rel=1e-5)


def test_an_optimizer_finds_that_variance_and_so_does_another_computation():
    objective, net, batch = constant(LOSSES)
    optimizer = torch.optim.Adam([objective.log_variances], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        objective(net, batch)["loss"].backward()
        optimizer.step()

    def paper(sigma):  # Kendall et al., equation 10 without its approximation's constants: L / sigma^2 + log sigma
        return sum(loss / s**2 + math.log(s) for loss, s in zip(LOSSES, sigma, strict=True))

    variances = minimize(paper, [1.0, 1.0], bounds=[(0.01, 10)] * 2).x ** 2
    found = objective.log_variances.detach().exp().tolist()
    assert found == pytest.approx([2 * loss for loss in LOSSES], rel=1e-3)
    assert found == pytest.approx(list(variances), rel=1e-3)


def test_learnt_weights_learn_in_a_run_and_are_a_group_of_a_plan():
    plan = FreezePlan((Rule("block1"), Rule("features"), Rule("head"), Rule("objective", 10.0)))
    slow, fast = (going(40, "uncertainty", plan=p).finish() for p in (None, plan))
    moved = [one.objective.log_variances.detach().abs().sum() for one in (slow, fast)]
    assert 0 < moved[0] < moved[1]
    assert fast.history.series("letter weight")[1][0] == 1.0


# ---- heads in plans, files and tests ----


def test_a_plan_can_freeze_a_further_head():
    rules = [Rule(name) for name in ("block1", "features", "head")]
    held = going(
        10, plan=FreezePlan((*rules, Rule("objective.heads.vowel", None, 0), Rule("objective.heads.vowel", 1, 0.5)))
    )
    before = digest(held.objective)
    for _ in range(5):
        next(held)
    assert digest(held.objective) == before
    assert digest(held.finish().objective) != before


def test_heads_and_learnt_weights_are_saved_and_a_resumed_run_ends_as_if_never_interrupted(tmp_path):
    straight = going(20, "uncertainty").finish()
    begun = going(20, "uncertainty")
    for _ in range(7):
        next(begun)
    begun.save(tmp_path / "run.safetensors")
    again = tl.resume(tmp_path / "run.safetensors", network(), two("uncertainty"), both(), device="cpu").finish()
    assert digest(again.network) == digest(straight.network)
    assert digest(again.objective) == digest(straight.objective)
    with pytest.raises(ValueError, match="weights"):
        tl.resume(tmp_path / "run.safetensors", network(), two(), both(), device="cpu")


def test_a_run_on_joint_batches_is_resumed_with_the_same_splits_and_sizes_alone(tmp_path):
    def joint(letters, size):
        splits = {"letter": letters, "vowel": both(12).of("vowel")}
        return tl.data.JointBatches(splits, {"letter": size, "vowel": 14 - size})

    straight = run(4, data=joint(split(), 6), objective=two()).finish()
    begun = run(4, data=joint(split(), 6), objective=two())
    next(begun)
    begun.save(tmp_path / "run.safetensors")
    again = tl.resume(tmp_path / "run.safetensors", network(), two(), joint(split(), 6), device="cpu").finish()
    assert digest(again.network) == digest(straight.network)
    for other, words in ((joint(split(seed=3), 6), "data: "), (joint(split(), 7), "batch sizes: ")):
        with pytest.raises(ValueError, match=words):
            tl.resume(tmp_path / "run.safetensors", network(), two(), other, device="cpu")


def test_a_restarted_run_begins_with_the_first_heads():
    once = going(10).finish()
    after = digest(once.objective)
    assert digest(once.restart().finish().objective) == after


def test_the_network_of_a_task_shares_backbone_and_head():
    finished = going(5).finish()
    vowel = finished.objective.network_of(finished.network, "vowel")
    assert vowel.backbone is finished.network.backbone and vowel.head is finished.objective.heads["vowel"]
    first = finished.objective.network_of(finished.network, "letter")
    assert first.head is finished.network.head


def test_heads_depend_on_the_seed_alone_and_leave_torchs_generator_as_it_was():
    before = torch.get_rng_state()
    seeds = [run(1, data=both(), net=network(s), objective=two(seed=seed)) for s, seed in ((0, 0), (1, 0), (0, 1))]
    assert torch.get_rng_state().equal(before)
    one, same, other = (digest(started.objective) for started in seeds)
    assert one == same != other


def test_heads_are_in_the_networks_precision_and_in_full_under_autocast():
    double = run(2, data=both(), net=network().double(), objective=two("uncertainty")).finish()
    assert double.objective.heads["vowel"].weight.dtype == torch.float64
    low = going(2, "uncertainty", precision="bfloat16").finish()
    assert low.objective.heads["vowel"].weight.dtype == torch.float32


# ---- bad input ----


class Plain(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(16, 3))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MultiTask("vowel", {"vowel": 2}), "'vowel' is the first task, whose head is the network's own"),
        (lambda: MultiTask("letter", {"a.b": 2}), "'a.b' cannot be the name of a head"),
        (lambda: MultiTask("letter", {"half": 2}), "'half' cannot be the name of a head"),
        (lambda: MultiTask("letter", {"vowel": 0}), "has 0 classes"),
        (lambda: two({"vowel": -1}), "the weight of 'vowel' is -1, but a weight is a finite number, at least 0"),
        (lambda: two({"vowel": math.nan}), "the weight of 'vowel' is nan"),
        (lambda: two({"third": 1}), "a weight for 'third', but the tasks are letter, vowel"),
        (lambda: two({"letter": 0, "vowel": 0}), "every task has the weight 0"),
        (lambda: two("learnt"), "weights='learnt'; give"),
        (
            lambda: going(net=tl.models.Network(nn.Flatten(), nn.Linear(16, 3))),
            "does not say how many features it ends in",
        ),
        (lambda: going(data=split()), "needs labels of several tasks by name, but these data have those of one"),
        (lambda: going(data=split().without_labels()), "but these data have none"),
        (lambda: run(data=both(), objective=MultiTask("letter", {"third": 2})), "no labels of a task 'third'"),
        (
            lambda: run(data=both(), objective=MultiTask("third", {"vowel": 2})),
            "these data have those of letter",
        ),
        (lambda: run(data=both(), objective=MultiTask("letter", {"vowel": 3})), "gives 'vowel' 3 classes, but the im"),
        (lambda: run(data=both(), objective=MultiTask("vowel", {"letter": 3})), "distinguishes 3 classes, but these"),
        (lambda: going(data=both(vowel=lambda labels: 0 * labels - 1)), "no image has a label of the task 'vowel'"),
        (lambda: two().network_of(network(), "third"), "there is no task 'third'; the tasks are letter, vowel"),
        (lambda: two().network_of(network(), "vowel"), "'vowel' has no head yet"),
    ],
)
def test_what_cannot_be_learnt_together_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words.replace(".", r"\.").replace("{", r"\{")):
        make()


def test_a_network_without_a_backbone_is_refused():
    with pytest.raises(TypeError, match="a Plain does not say which of its layers make features"):
        going(net=Plain())


def test_it_says_what_it_minimises():
    assert repr(two({"vowel": 0.5})) == "MultiTask: 1 x letter + 0.5 x vowel"
    assert repr(two("uncertainty")) == "MultiTask: letter + vowel, weighted by uncertainty"
