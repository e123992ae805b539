"""Learning with unlabelled images: batches in pairs, and each objective against its paper's equations, by hand."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from helpers import NAMES, digest, network, run, split
from torch import Tensor, nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.data.batches import PairedBatch, PairedBatches
from tlkit.objectives.semisupervised import FixMatch, MeanTeacher, PseudoLabel, SoftMatch

LABELLED, UNLABELLED = split(6), split(31, seed=1)


def paired(labelled=LABELLED, unlabelled=UNLABELLED, **options) -> PairedBatches:
    return PairedBatches(labelled, unlabelled, **{"batch_size": 8} | options)


# ---- batches in pairs ----


def which(images: Tensor) -> list[float]:
    """Which images these are, by a pixel that no other image has."""
    return images[:, 0, 1, 1].tolist()


def test_a_pair_is_labelled_images_and_ratio_times_as_many_without():
    batch = paired(ratio=5)[3]
    assert [len(part) for part in batch] == [8, 8, 40, 40]
    assert PairedBatches(LABELLED, UNLABELLED)[0].unlabelled.shape == (96, 1, 4, 4)


def test_a_pair_depends_on_its_number_and_not_on_earlier_ones():
    forwards = [which(paired()[step].unlabelled) for step in range(9)]
    batches = paired()
    assert [which(batches[step].unlabelled) for step in reversed(range(9))] == forwards[::-1]


@pytest.mark.parametrize("side", ["inputs", "unlabelled"])
def test_each_side_goes_round_its_images_each_epoch_in_another_order(side):
    source = LABELLED if side == "inputs" else UNLABELLED
    seen = [one for step in range(24) for one in which(getattr(paired()[step], side))]
    epochs = [seen[at : at + len(source)] for at in range(0, len(seen) - len(source), len(source))]
    assert all(sorted(epoch) == sorted(which(source.images)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > len(epochs) * 0.9


def test_the_two_sides_are_shuffled_independently():
    same = paired(split(8), split(8), ratio=1)
    assert any(which(same[step].inputs) != which(same[step].unlabelled) for step in range(3))


def test_another_seed_is_another_order():
    assert which(paired(seed=1)[0].unlabelled) != which(paired(seed=2)[0].unlabelled)


def test_labels_stay_with_their_images_on_both_sides():
    images, labels, unlabelled, hidden = paired()[5]
    assert labels.equal((images[:, 0, 0, 0] * 10).round().long())
    assert hidden is not None and hidden.equal((unlabelled[:, 0, 0, 0] * 10).round().long())


def test_hidden_labels_of_other_classes_say_nothing():
    assert paired(unlabelled=UNLABELLED.without_labels())[0].hidden is None
    assert paired(unlabelled=replace(UNLABELLED, classes=("x", "y", "z")))[0].hidden is None


def test_moving_pairs_keeps_their_order_and_number():
    pairs = paired(seed=3, ratio=2)
    for part in ("inputs", "unlabelled"):
        assert which(getattr(pairs.to("cpu")[4], part)) == which(getattr(pairs[4], part))


def test_pairs_say_that_hidden_labels_are_not_learnt_from():
    assert repr(paired()) == (
        "batches of 8 from 6 grey images of 4 x 4, 3 classes, and 24 from 31 unlabelled images, whose labels are not "
        "learnt from"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(unlabelled=None), "there is no unlabelled image; task.few_labels"),
        (dict(unlabelled=split(0)), "there is no unlabelled image; task.few_labels"),
        (dict(labelled=None), "there is no labelled image"),
        (dict(labelled=split(0)), "there is no labelled image"),
        (dict(labelled=split().without_labels()), "there is no labelled image"),
        (dict(labelled=split(2)), 'class "c" has no labelled image, so it could never be predicted'),
        (dict(ratio=0), "ratio=0, but a batch holds at least 1 unlabelled image for each labelled one"),
        (dict(batch_size=0), "batch_size=0, but a batch holds at least 1 labelled image"),
        (dict(ratio=1.5), "ratio=1.5, but it is a whole number: a batch holds at least 1 unlabelled image"),
        (
            dict(unlabelled=tl.data.Split(torch.zeros(9, 16), None, NAMES)),
            "labelled are 6 grey images.*unlabelled are 9 vectors of 16 numbers, no labels; pair examples of one kind",
        ),
    ],
    ids=[
        "none",
        "empty",
        "none labelled",
        "no labelled",
        "no labels",
        "class without",
        "ratio",
        "batch",
        "a part",
        "kinds",
    ],
)
def test_pairs_that_cannot_be_made_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        paired(**options)


@pytest.mark.parametrize(("side", "words"), [("labelled", "task.train"), ("unlabelled", "task.unlabelled")])
def test_a_task_in_the_place_of_its_split_is_refused(side, words):
    with pytest.raises(TypeError, match=f"a Task is not a split; give one of its splits, such as {words}"):
        paired(**{side: tl.data.digits()})


@pytest.mark.parametrize("per_class", [1, 2, 5])
def test_no_image_that_is_tested_is_learnt_from_whatever_the_seed(per_class):
    def images(part: tl.data.Split) -> set[bytes]:
        return {image.numpy().tobytes() for image in part.images}

    for seed in range(16):
        few = tl.data.digits().few_labels(per_class, seed)
        assert few.unlabelled is not None
        parts = [images(part) for part in (few.train, few.unlabelled, few.validation, few.test)]
        assert sum(map(len, parts)) == len(set().union(*parts)) == 1797, seed


# ---- each objective against its equations ----


class Readable(nn.Module):
    """A network that says, as logits, what is written in the pixels, times a weight."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.passes: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.passes.append(len(images))
        return images.flatten(1) * self.scale


def weakly(images: Tensor) -> Tensor:
    return images + 0.25 * images.flip(-1)


def strongly(images: Tensor) -> Tensor:
    return images.roll(1, -1) - 0.5


def written(n: int = 4, ratio: int = 3, spread: float = 3.0, seed: int = 0) -> PairedBatch:
    """A batch of images [n, 1, 1, 3] with normal values."""
    generator = torch.Generator().manual_seed(seed)
    images, unlabelled = (spread * torch.randn(m, 1, 1, 3, generator=generator) for m in (n, ratio * n))
    labels, hidden = (torch.randint(3, (m,), generator=generator) for m in (n, ratio * n))
    return PairedBatch(images, labels, unlabelled, hidden)


def begun(objective):
    """The objective as a run begins it, for three classes."""
    known = tl.data.Split(torch.zeros(3, 1, 1, 3), torch.arange(3), NAMES)
    objective.begin(Readable(), PairedBatches(known, known))
    return objective


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def probabilities(images: Tensor, view) -> np.ndarray:
    """The probabilities for a view of images, in numpy."""
    return softmax(1.5 * view(images).flatten(1).double().numpy())


def by_hand(batch: PairedBatch, pseudo: np.ndarray, used: np.ndarray, each: np.ndarray) -> dict[str, Any]:
    """What the papers' equations give: `each` the unsupervised loss of every unlabelled image, not yet weighted."""
    supervised = np.mean(
        [-np.log(p[y]) for p, y in zip(probabilities(batch.inputs, weakly), batch.labels, strict=True)]
    )
    unsupervised = sum(w * loss for w, loss in zip(used, each, strict=True)) / len(each)
    shares = np.array([used[pseudo == number].sum() for number in range(3)]) / max(used.sum(), 1e-12)
    assert batch.hidden is not None
    return {
        "loss": supervised + 0.7 * unsupervised,
        "supervised": supervised,
        "unsupervised": unsupervised,
        "used": used.mean(),
        "right": (used * (pseudo == batch.hidden.numpy())).sum() / max(used.sum(), 1e-12),
        "balance": -sum(share * np.log(share) for share in shares if share) / np.log(3),
    }


def require_equal(values: dict[str, Tensor], expected: dict[str, float]) -> None:
    assert {name: value.item() for name, value in values.items()} == pytest.approx(expected, rel=1e-5, abs=1e-7)


THRESHOLDS = {"some": 0.95, "all": 0.2, "none": 1.0}


@pytest.mark.parametrize("threshold", THRESHOLDS.values(), ids=THRESHOLDS)
def test_fixmatch_is_its_equation(threshold):
    batch = written()
    p, q = probabilities(batch.unlabelled, weakly), probabilities(batch.unlabelled, strongly)
    pseudo, used = p.argmax(1), (p.max(1) >= threshold).astype(float)
    assert used.mean() == {0.95: used.mean(), 0.2: 1, 1.0: 0}[threshold] and 0 <= used.mean() <= 1
    objective = FixMatch(threshold, 0.7, weakly, strongly)
    require_equal(objective(Readable(), batch), by_hand(batch, pseudo, used, -np.log(q[range(len(q)), pseudo])))


@pytest.mark.parametrize("threshold", THRESHOLDS.values(), ids=THRESHOLDS)
def test_pseudo_label_is_its_equation(threshold):
    batch = written()
    p = probabilities(batch.unlabelled, weakly)
    pseudo, used = p.argmax(1), (p.max(1) >= threshold).astype(float)
    require_equal(
        PseudoLabel(threshold, 0.7, weakly)(Readable(), batch), by_hand(batch, pseudo, used, -np.log(p.max(1)))
    )


def test_a_threshold_between_keeps_some_and_not_all():
    """Else the tests above would prove nothing about it."""
    assert 0.2 < FixMatch(0.95, weak=weakly, strong=strongly)(Readable(), written())["used"] < 0.8


def test_softmatch_is_its_equations_step_after_step():
    objective = begun(SoftMatch(2, 0.9, 0.7, weakly, strongly))
    marginal, mean, variance = np.full(3, 1 / 3), 1 / 3, 1.0
    for seed in range(5):
        batch = written(seed=seed)
        p, q = probabilities(batch.unlabelled, weakly), probabilities(batch.unlabelled, strongly)
        marginal = 0.9 * marginal + 0.1 * p.mean(0)
        aligned = p * (1 / 3) / marginal
        confidence = (aligned / aligned.sum(1, keepdims=True)).max(1)
        mean = 0.9 * mean + 0.1 * confidence.mean()
        variance = 0.9 * variance + 0.1 * confidence.var(ddof=1)
        weights = [1 if c >= mean else math.exp(-((c - mean) ** 2) / (2 * variance / 2**2)) for c in confidence]
        expected = by_hand(batch, p.argmax(1), np.array(weights), -np.log(q[range(len(q)), p.argmax(1)]))
        values = objective(Readable(), batch)
        assert {name: value.item() for name, value in values.items()} == pytest.approx(expected, rel=1e-4)


def test_softmatch_uses_every_image_at_first_and_fewer_of_the_unsure_later():
    """At first the variance is 1, wide enough for all; then the mean has risen and the variance fallen."""
    objective, batch = begun(SoftMatch(weak=weakly, strong=strongly)), written(n=30, spread=2)
    first = objective(Readable(), batch)["used"]
    for _ in range(200):
        last = objective(Readable(), batch)["used"]
    assert first > 0.97 > 0.9 > last > 0.4


def test_softmatch_counts_all_alike_where_all_are_equally_sure():
    objective = begun(SoftMatch(momentum=0))
    assert objective.used(torch.eye(3)).tolist() == [1, 1, 1]  # the variance is 0


def test_softmatch_takes_a_single_unlabelled_image():
    objective, batch = begun(SoftMatch(weak=weakly, strong=strongly)), written(n=1, ratio=1)
    for _ in range(2):
        assert objective(Readable(), batch)["used"].isfinite()


@pytest.mark.parametrize("again", ["a threshold that none reaches", "no weight"])
def test_what_is_not_used_adds_nothing_to_the_gradient(again):
    options = {"threshold": 1.0} if again.startswith("a") else {"threshold": 0.2, "weight": 0.0}
    net, batch = Readable(), written()
    FixMatch(**options, weak=weakly, strong=strongly)(net, batch)["loss"].backward()
    other = Readable()
    F.cross_entropy(other(weakly(batch.inputs)), batch.labels).backward()
    torch.testing.assert_close(net.scale.grad, other.scale.grad)


@pytest.mark.parametrize("objective", [FixMatch(0.2), SoftMatch()], ids=["FixMatch", "SoftMatch"])
def test_targets_receive_no_gradient(objective):
    """The strong view is cut off from the images here, so whatever reached them came through the target."""
    objective = begun(copy.deepcopy(objective))
    objective.weak, objective.strong = weakly, lambda images: strongly(images).detach()
    batch = written()
    batch.unlabelled.requires_grad_()
    values = objective(Readable(), batch)
    values["loss"].backward()
    assert values["used"] > 0.5 and not batch.unlabelled.grad.any()


def test_mean_teacher_is_its_equation():
    objective, batch, net = begun(MeanTeacher(0.8, 0.7, weakly)), written(), Readable()
    objective.teacher.network.scale.fill_(0.5)
    target = softmax(0.5 * weakly(batch.unlabelled).flatten(1).double().numpy())
    each = ((probabilities(batch.unlabelled, weakly) - target) ** 2).mean(1)
    require_equal(objective(net, batch), by_hand(batch, target.argmax(1), np.ones(12), each))


def by_turns(*views):
    """An augmentation that is another one at each call."""
    turns = iter(views)
    return lambda images: next(turns)(images)


def test_the_pi_model_compares_two_views_of_one_network():
    batch = written()
    objective = begun(MeanTeacher(0, 0.7, by_turns(weakly, strongly)))
    target = probabilities(batch.unlabelled, strongly)
    each = ((probabilities(batch.unlabelled, weakly) - target) ** 2).mean(1)
    require_equal(objective(Readable(), batch), by_hand(batch, target.argmax(1), np.ones(12), each))


@pytest.mark.parametrize("decay", [0, 0.8])
def test_the_teachers_view_receives_no_gradient_and_the_students_does(decay):
    for views, reached in ((lambda i: i.detach(), weakly), False), ((weakly, lambda i: i.detach()), True):
        batch = written()
        batch.unlabelled.requires_grad_()
        objective = begun(MeanTeacher(decay, weak=by_turns(*views)))
        objective(Readable(), batch)["loss"].backward()
        assert (batch.unlabelled.grad is not None and bool(batch.unlabelled.grad.any())) == reached


EACH = {
    "PseudoLabel": (partial(PseudoLabel, 0.5), [16]),
    "MeanTeacher": (MeanTeacher, [16, 12]),
    "Pi-model": (partial(MeanTeacher, 0), [28]),
    "FixMatch": (partial(FixMatch, 0.5), [28]),
    "SoftMatch": (SoftMatch, [28]),
}
every_objective = pytest.mark.parametrize("make", [make for make, _ in EACH.values()], ids=EACH)


@pytest.mark.parametrize(("make", "passes"), EACH.values(), ids=EACH)
def test_all_views_are_read_in_one_pass_but_the_teachers(make, passes):
    net, objective = Readable(), begun(make())
    objective(net, written())
    assert net.passes == passes


@every_objective
def test_without_hidden_labels_there_is_no_right_and_all_else_is_the_same(make):
    batch = written()
    torch.manual_seed(0)
    known = begun(make())(Readable(), batch)
    torch.manual_seed(0)
    unknown = begun(make())(Readable(), batch._replace(hidden=None))
    assert known.keys() - unknown.keys() == {"right"}
    assert all(known[name].equal(value) for name, value in unknown.items())


def test_labels_alone_learn_from_the_same_batches_without_their_unlabelled_images():
    batch = written()
    loss = tl.objectives.CrossEntropy()(Readable(), batch)["loss"]
    torch.testing.assert_close(loss, F.cross_entropy(1.5 * batch.inputs.flatten(1), batch.labels))


def test_of_several_augmentations_each_image_is_seen_through_each():
    batch, net = written(), Readable()
    loss = tl.objectives.CrossEntropy(augment=(weakly, strongly))(net, batch)["loss"]
    one, other = (F.cross_entropy(1.5 * view(batch.inputs).flatten(1), batch.labels) for view in (weakly, strongly))
    torch.testing.assert_close(loss, (one + other) / 2)
    assert net.passes == [8]


# ---- in a run ----


def learning(make, steps: int = 12, net=None, **options) -> tl.Run:
    return run(steps, net=net, objective=make(), **{"data": paired(), "average": 0.9} | options)


def digests(going: tl.Run) -> list[str]:
    return [digest(part) for part in (going.network, going.tested, going.objective)]


@every_objective
def test_hidden_labels_are_not_learnt_from(make):
    lying = replace(UNLABELLED, labels=UNLABELLED.labels.roll(1))
    without = UNLABELLED.without_labels()
    found = {digest(learning(make, data=paired(unlabelled=of)).finish().tested) for of in (UNLABELLED, lying, without)}
    assert len(found) == 1


@every_objective
@pytest.mark.parametrize("average", [None, 0.9])
def test_a_run_resumed_at_any_step_ends_as_if_it_had_never_stopped(make, average, tmp_path):
    expected = learning(make, average=average).finish()
    going = learning(make, average=average)
    for at in range(0, 13, 3):
        going.save(tmp_path / "run.safetensors")
        again = tl.resume(tmp_path / "run.safetensors", network(1), make(), paired(), device="cpu").finish()
        assert digests(again) == digests(expected), at
        for _ in range(3):
            next(going, None)


@every_objective
def test_a_restarted_run_is_like_a_fresh_one(make):
    fresh = digests(learning(make).finish())
    again = learning(make).finish().restart()
    assert digests(again.finish()) == digests(learning(make).finish()) == fresh


def test_an_objective_is_begun_anew_by_each_run():
    shared = SoftMatch()
    run(12, objective=shared, data=paired()).finish()
    assert digests(run(12, objective=shared, data=paired()).finish()) == digests(
        learning(SoftMatch, average=None).finish()
    )


def test_what_a_run_has_taught_stays_its_own_when_another_run_begins_the_same_objective():
    shared = MeanTeacher()
    first = run(12, objective=shared, data=paired()).finish()
    before = digest(first.tested)
    run(12, net=network(1), objective=shared, data=paired()).finish()
    assert digest(first.tested) == before


def test_a_run_on_other_pairs_is_not_resumed(tmp_path):
    learning(FixMatch).save(tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match=r"unlabelled: 31 grey images .* then, 30 grey images .* now"):
        tl.resume(tmp_path / "run.safetensors", network(), FixMatch(), paired(unlabelled=split()), device="cpu")
    with pytest.raises(ValueError, match="unlabelled for each labelled one: 3 then, 2 now"):
        tl.resume(tmp_path / "run.safetensors", network(), FixMatch(), paired(ratio=2), device="cpu")


def test_the_teacher_follows_the_network_and_is_what_is_tested():
    going = learning(partial(MeanTeacher, 0.6), average=None)
    average = tl.models.MovingAverage(going.network, 0.6)
    for _ in going:
        average.update(going.network)
    assert going.tested is going.averaged is going.objective.teacher.network
    assert digest(going.tested) == digest(average.network) != digest(going.network)
    assert all(weight.grad is None for weight in going.averaged.parameters())


def test_the_teacher_reads_with_the_batch_norm_of_training_and_its_statistics_stay_the_average():
    objective, net = MeanTeacher(0.8), network().train()
    objective.begin(net, paired())
    batch, before = paired()[0], digest(objective.teacher)
    objective.weak = by_turns(lambda images: images.roll(1, -1), lambda images: images)
    found = objective(net, batch)["unsupervised"]
    one, other = (copy.deepcopy(network()).train() for _ in range(2))
    student = one(torch.cat([batch.inputs, batch.unlabelled]).roll(1, -1))[8:].softmax(1)
    torch.testing.assert_close(found, F.mse_loss(student, other(batch.unlabelled).softmax(1)))
    assert digest(objective.teacher) == before


def test_an_average_of_the_run_is_tested_before_the_teacher_and_a_pi_model_has_none():
    going = learning(MeanTeacher)
    assert going.tested is not going.objective.teacher.network
    assert learning(partial(MeanTeacher, 0), average=None).averaged is None


def test_after_nan_softmatch_knows_what_it_knew_before():
    failing = learning(SoftMatch)
    for _ in range(5):
        next(failing)
    before = digests(failing)
    failing.objective.strong = lambda images: images * math.nan
    failing.objective.weak = lambda images: images * math.nan
    with pytest.raises(FloatingPointError, match="at step 6"):
        next(failing)
    assert digests(failing) == before


@every_objective
def test_a_plan_is_respected_and_a_pre_trained_start_is_where_it_begins(make):
    start = run(30, data=UNLABELLED).finish().network
    plan = tl.freezing.last_layers(start, 1)
    net = learning(make, net=start.copy(), plan=plan).finish().network
    assert digest(net.backbone) == digest(start.backbone)
    assert not net.head.weight.equal(start.head.weight)


@every_objective
def test_fast_runs_learn_with_it_too(make):
    *_, last = learning(make, fast=True)
    assert all(value.isfinite() and value.dtype == torch.float32 for value in last.values.values())


@every_objective
def test_data_without_unlabelled_images_are_refused_before_anything_is_trained(make):
    with pytest.raises(
        ValueError, match=r"unlabelled images too, but these data have none; give the run tl\.data\.Pai"
    ):
        learning(make, data=split())


@every_objective
def test_sides_of_two_sizes_are_refused_by_an_objective_that_reads_them_in_one_pass(make):
    larger = tl.data.Split(torch.zeros(9, 1, 8, 8), None, NAMES)
    with pytest.raises(ValueError, match=r"labelled images are \(1, 4, 4\), unlabelled ones \(1, 8, 8\); bring them"):
        learning(make, data=paired(unlabelled=larger))


def test_sides_of_two_sizes_are_paired_for_an_objective_that_reads_them_apart():
    batch = paired(unlabelled=tl.data.Split(torch.zeros(9, 1, 8, 8), None, NAMES))[0]
    assert (batch.inputs.shape[1:], batch.unlabelled.shape[1:]) == ((1, 4, 4), (1, 8, 8))


@every_objective
def test_more_classes_than_the_head_has_are_refused_before_anything_is_trained(make):
    with pytest.raises(ValueError, match=r"distinguishes 2 classes, but these images have 3; .*with_new_head\(3\)"):
        learning(make, net=network().with_new_head(2))


@every_objective
def test_a_head_for_other_classes_is_refused_before_it_trains_for_nothing(make):
    with pytest.raises(ValueError, match=r"distinguishes 5 classes, but these images have 3; .*with_new_head\(3\)"):
        learning(make, net=network().with_new_head(5))


@pytest.mark.parametrize("make", [FixMatch, PseudoLabel])
@pytest.mark.parametrize("threshold", [0, -1, 1.01, math.nan])
def test_a_threshold_that_is_no_probability_is_refused(make, threshold):
    with pytest.raises(ValueError, match=f"threshold={threshold}, but it is a probability above 0 and at most 1"):
        make(threshold)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (partial(FixMatch, weight=-1), "weight=-1, but it cannot be below 0"),
        (partial(MeanTeacher, weight=math.nan), "weight=nan, but it cannot be below 0"),
        (partial(SoftMatch, momentum=1), "momentum=1 and n_sigma=2"),
        (partial(SoftMatch, n_sigma=0), r"momentum=0.97 and n_sigma=0, but"),
    ],
)
def test_other_settings_that_cannot_work_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_decay_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match=r"decay=1\.5, but"):
        learning(partial(MeanTeacher, 1.5))


def cues(n: int, above: bool, below: bool) -> tl.data.Split:
    """Noisy images of three classes: the class is a bright column in the upper half, in the lower, or in both."""
    known = split(n)
    images = 0.3 * known.images
    for half, shown in ((slice(0, 2), above), (slice(2, 4), below)):
        images[range(n), 0, half, known.labels] += 0.7 * shown
    return replace(known, inputs=images)


def without_the_upper_half(images: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(images[:, :, :2]), images[:, :, 2:]], dim=2)


def test_what_no_labelled_image_shows_is_learnt_from_unlabelled_ones():
    """Labelled images show the class above, tested ones below, and only unlabelled ones that both go together."""
    few, many, tested = cues(6, True, False), cues(120, True, True), cues(90, False, True)
    views = {"weak": tl.data.noise, "strong": without_the_upper_half}
    labels_alone = tl.objectives.CrossEntropy(augment=tuple(views.values()))
    found = []
    for objective in (labels_alone, FixMatch(0.8, **views), SoftMatch(**views)):
        finished = run(200, data=paired(few, many), objective=objective, lr=1e-2, average=0.9).finish()
        found.append(tl.evaluate(finished, tested).accuracy)
    assert min(found[1:]) > found[0] + 0.2, found


@every_objective
def test_batches_of_ones_own_will_do(make):
    own = [paired()[step] for step in range(4)]
    one, other = (run(4, data=data, objective=make()).finish() for data in (own, paired()))
    assert digest(one.network) == digest(other.network)


def test_batches_without_an_unlabelled_side_are_refused_with_what_one_has():
    with pytest.raises(
        ValueError, match=r"or batches of your own that yield tl\.data\.PairedBatch\(inputs, labels, unl"
    ):
        run(data=[(torch.rand(4, 1, 4, 4), torch.arange(4) % 3)], objective=FixMatch())
