"""A run owns its objective: what it copies, what it shares, what it asks for, and what nothing is guessed from."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from helpers import digest, network, run, split
from torch import nn

import tlkit as tl
from tlkit.objectives import CrossEntropy, FixMatch, MeanTeacher, Objective, PseudoLabel, SimCLR, SoftMatch


def paired(seed: int = 0):
    return tl.data.PairedBatches(split(6), split(31, seed=1), batch_size=8, seed=seed)


@pytest.mark.parametrize(
    "make", [MeanTeacher, SoftMatch, partial(SimCLR, feature_dim=6)], ids=["mean", "soft", "simclr"]
)
def test_one_objective_in_two_runs_never_mixes_them(make):
    def two(*objectives):
        data = split() if isinstance(objectives[0], SimCLR) else None
        return [run(20, data=data or paired(seed), net=network(seed), objective=o) for seed, o in enumerate(objectives)]

    shared = make()
    first, second = two(shared, shared)
    for _ in range(20):  # in turns: what one remembers the other must not see
        next(first), next(second)
    alone = [going.finish() for going in two(make(), make())]
    assert [digest(one.network) for one in (first, second)] == [digest(one.network) for one in alone]
    assert [digest(one.objective) for one in (first, second)] == [digest(one.objective) for one in alone]


def test_a_run_leaves_the_users_objective_as_it_was():
    mine = SimCLR(feature_dim=6)
    before = digest(mine)
    finished = run(5, objective=mine).finish()
    assert finished.objective is not mine and digest(mine) == before != digest(finished.objective)


class Holding(Objective):
    """Keeps the network it is about, a head of its own, and a foreign network."""

    def __init__(self, net: nn.Module, foreign: nn.Module):
        super().__init__()
        self.net, self.foreign, self.own = net, foreign, nn.Linear(3, 3)

    def forward(self, network, batch):
        logits = self.own(self.net(batch.inputs))
        return {"loss": nn.functional.cross_entropy(logits, batch.labels)}


def test_what_an_objective_shares_with_the_runs_network_stays_shared():
    net = network()
    before = digest(net)
    finished = run(10, net=net, objective=Holding(net, network(1))).finish()
    assert finished.objective.net is finished.network is net
    assert digest(net) != before


def test_a_weight_that_is_in_both_learns_once_a_step():
    net = network()
    going = run(1, net=net, objective=Holding(net, network(1)))
    weights = [weight for group in going.optimizer.param_groups for weight in group["params"]]
    assert len(weights) == len({id(weight) for weight in weights})


def test_a_frozen_foreign_network_is_not_copied_and_one_that_learns_is():
    frozen, learning = network(1).requires_grad_(False), network(2)
    holding = Holding(network(), frozen)
    assert run(1, objective=holding).objective.foreign is frozen
    assert run(1, objective=Holding(network(), learning)).objective.foreign is not learning


class Distillation(Objective):
    """A rival's soft labels; its `teacher` is a network of somebody else, and no average of the student."""

    def __init__(self, teacher: nn.Module):
        super().__init__()
        self.teacher = teacher.requires_grad_(False).eval()

    def forward(self, network, batch):
        with torch.no_grad():
            target = self.teacher(batch.inputs).softmax(1)
        return {"loss": nn.functional.cross_entropy(network(batch.inputs), target)}


def test_nothing_is_guessed_from_what_an_objective_calls_its_parts():
    teacher = run(40, net=network(1)).finish().network
    before = digest(teacher)
    finished = run(40, objective=Distillation(teacher), average=None).finish()
    assert finished.averaged is None and finished.tested is finished.network
    assert finished.objective.teacher is teacher and digest(teacher) == before
    assert all(weight is not other for weight in finished.network.parameters() for other in teacher.parameters())


def test_what_is_not_an_objective_is_refused_with_how_one_is_written():
    for wrong in (CrossEntropy, nn.CrossEntropyLoss, nn.Linear(2, 2), "cross-entropy", lambda outputs: outputs):
        with pytest.raises(
            TypeError, match=r"is not an objective.*derive your own from tl\.objectives\.Objective, with"
        ):
            run(3, objective=wrong)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.functional.cross_entropy])
def test_a_loss_of_outputs_and_labels_is_an_objective(loss):
    assert digest(run(objective=loss).finish().network) == digest(run().finish().network)


def test_a_loss_that_is_not_one_number_is_refused():
    with pytest.raises(ValueError, match=r"the loss of a batch is one number, .* of the shape \[8\]; take its mean"):
        next(run(objective=nn.CrossEntropyLoss(reduction="none")))


def test_an_objective_begins_once_and_follows_each_step():
    class Counting(CrossEntropy):
        begun, followed = 0, 0

        def begin(self, network, batches):
            self.begun += 1

        def after_step(self, network):
            self.followed += 1

    finished = run(7, objective=Counting()).finish()
    assert (finished.objective.begun, finished.objective.followed) == (1, 7)


# ---- settings ----


def test_an_objective_says_what_it_was_made_with():
    assert FixMatch(0.9).settings() == {
        **{"objective": "FixMatch", "weight": 1.0, "weak": "weak", "threshold": 0.9, "strong": "strong"}
    }
    noisy = CrossEntropy(augment=(tl.data.weak, partial(tl.data.noise, deviation=0.2)))
    assert noisy.settings()["augment"] == ["weak", ["noise", ["deviation", 0.2]]]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (FixMatch(0.9), "threshold: 0.95 then, 0.9 now"),
        (PseudoLabel(), "objective: FixMatch then, PseudoLabel now"),
        (FixMatch(strong=tl.data.weak), "strong: strong then, weak now"),
    ],
    ids=["setting", "objective", "augmentation"],
)
def test_a_run_is_not_resumed_with_another_objective(tmp_path, other, words):
    run(3, data=paired(), objective=FixMatch()).save(tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match=words):
        tl.resume(tmp_path / "run.safetensors", network(), other, paired(), device="cpu")


class Shift:
    """An augmentation that is an object and says what it is."""

    def __init__(self, by: float):
        self.by = by

    def __call__(self, images, generator=None):
        return images + self.by

    def __repr__(self):
        return f"Shift({self.by})"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (nn.Dropout(0.5), nn.Dropout(0.1)),
        (nn.Dropout(0.5), None),
        (None, nn.Dropout(0.5)),
        (Shift(1.0), Shift(2.0)),
        ([np.float32(1)], [np.float32(2)]),
        ({"x": 1.0}, {"x": 2.0}),
    ],
    ids=["module", "module left out", "module added", "object", "numpy", "mapping"],
)
def test_any_setting_that_can_be_distinguished_is_compared(tmp_path, one, other):
    def made_with(setting):
        objective = CrossEntropy()
        objective.setting = setting
        return objective

    run(3, objective=made_with(one)).save(tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match=r"setting: .* then, .* now"):
        tl.resume(tmp_path / "run.safetensors", network(), made_with(other), split(), device="cpu")
    tl.resume(tmp_path / "run.safetensors", network(), made_with(one), split(), device="cpu")


def test_a_setting_that_is_no_number_is_the_same_again(tmp_path):
    objective = CrossEntropy()
    objective.setting = float("nan")
    run(3, objective=objective).save(tmp_path / "run.safetensors")
    tl.resume(tmp_path / "run.safetensors", network(), objective, split(), device="cpu")


def test_no_attribute_of_an_objective_stands_for_the_data(tmp_path):
    objective = CrossEntropy()
    objective.data = "mine"
    run(3, objective=objective).save(tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match=r"data: 30 grey images .* then, 30 grey images .* now"):
        tl.resume(tmp_path / "run.safetensors", network(), objective, split(seed=1), device="cpu")


class Giving(Objective):
    """Returns what a function makes of the logits."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def forward(self, network, batch):
        return self.values(network(batch.inputs))


@pytest.mark.parametrize(
    "values",
    [lambda out: None, lambda out: out.mean(), lambda out: {"los": out.mean()}, lambda out: {"loss": out.mean(1)}],
    ids=["nothing", "a tensor", "another name", "one loss an example"],
)
def test_what_is_no_loss_is_refused_with_what_one_is(values):
    with pytest.raises(TypeError, match=r'Giving\.forward returns a dict with "loss", a tensor of one number'):
        run(3, objective=Giving(values)).finish()


def test_a_plain_number_may_be_recorded():
    recorded = run(3, objective=Giving(lambda out: {"loss": out.square().mean(), "half": 0.5})).finish()
    assert [record["half"] for record in recorded.history] == [0.5, 0.5, 0.5]


def test_parts_and_weights_of_an_objective_belong_to_its_settings():
    weighted = tl.objectives.L2SP(network(), augment=tl.data.noise, class_weights=torch.tensor([1.0, 2.0, 3.0]))
    parts = weighted.settings()["cross_entropy"]
    assert (parts["augment"], parts["class_weights"]) == ("noise", [1.0, 2.0, 3.0])


class Counting(CrossEntropy):
    """Counts its steps in a plain attribute, and keeps a moving target of its own."""

    def __init__(self, net: nn.Module):
        super().__init__(augment=partial(tl.data.noise, deviation=0.2))
        self.steps, self.target = 0, tl.models.MovingAverage(net, 0.5)

    def after_step(self, network):
        self.steps += 1
        self.target.update(network)


def test_what_an_objective_counts_and_moves_is_no_setting_and_is_not_shared(tmp_path):
    mine = Counting(network())
    first, second = (run(6, objective=mine, net=network(seed)) for seed in range(2))
    before = digest(mine)
    for _ in range(4):
        next(first), next(second)
    assert digest(mine) == before and digest(first.objective) != digest(second.objective)
    first.save(tmp_path / "run.safetensors")
    again = tl.resume(tmp_path / "run.safetensors", network(), Counting(network()), split(), device="cpu").finish()
    assert digest(again.objective) == digest(first.finish().objective)


def test_a_run_is_not_resumed_with_another_teacher_which_stays_as_it_was(tmp_path):
    path, teacher, other = tmp_path / "run.safetensors", network(1), network(2)
    going = run(6, objective=Distillation(teacher))
    for _ in range(3):
        next(going)
    going.save(path)
    before = digest(other)
    with pytest.raises(ValueError, match=r"was saved with other values of teacher\..*, which do not learn; give the"):
        tl.resume(path, network(), Distillation(other), split(), device="cpu")
    assert digest(other) == before
    again = tl.resume(path, network(), Distillation(teacher), split(), device="cpu").finish()
    assert digest(again.network) == digest(going.finish().network)


def test_a_run_is_not_resumed_with_other_data_of_the_same_size(tmp_path):
    run(3).save(tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match=r"data: 30 grey images .* then, 30 grey images .* now"):
        tl.resume(tmp_path / "run.safetensors", network(), CrossEntropy(), split(seed=1), device="cpu")
