"""Two domains: each loss against float64 and closed forms, batch norm kept apart, target labels never seen."""

import math

import pytest
import torch
from helpers import digest
from torch import nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.data.batches import PairedBatch
from tlkit.objectives.adaptation import CORAL, MCC, MMD

TASK = tl.data.digits()
CAMERA = TASK.adapted_to(TASK.shifted(tl.data.Shift("contrast")))


def paired(target=CAMERA.unlabelled, **options):
    return tl.data.PairedBatches(CAMERA.train, target, **{"ratio": 1, "batch_size": 64} | options)


def gaussian(n, mean, deviation, seed):
    return torch.randn(n, len(mean), generator=torch.Generator().manual_seed(seed)) * deviation + torch.tensor(mean)


def coral_by_hand(source, target):
    """Equations 1 to 3 of the paper, in float64: (D'D - (1'D)'(1'D) / n) / (n - 1)."""

    def covariance(features):
        features, n = features.double(), len(features)
        sums = torch.ones(1, n, dtype=torch.float64) @ features
        return (features.T @ features - sums.T @ sums / n) / (n - 1)

    return float((covariance(source) - covariance(target)).square().sum()) / (4 * source.shape[1] ** 2)


def mmd_by_hand(source, target, widths):
    """Pair by pair, in float64."""
    both = [*source.double(), *target.double()]
    squared = [[float((x - y).square().sum()) for y in both] for x in both]
    different = sorted(squared[i][j] for i in range(len(both)) for j in range(len(both)) if i != j)
    median, n, m = different[(len(different) - 1) // 2], len(source), len(target)
    k = lambda i, j: sum(math.exp(-squared[i][j] / (2 * w * median)) for w in widths) / len(widths)  # noqa: E731
    within = sum(k(i, j) for i in range(n) for j in range(n)) / n**2
    within += sum(k(i, j) for i in range(n, n + m) for j in range(n, n + m)) / m**2
    return within - 2 * sum(k(i, j) for i in range(n) for j in range(n, n + m)) / (n * m)


# ---- the distances ----


@pytest.mark.parametrize("seed", range(10))
def test_distances_are_those_of_the_papers(seed):
    n, m, d = 5 + seed, 17 - seed, 3 + seed
    source, target = gaussian(n, [0.0] * d, 1.0, seed), gaussian(m, [0.5] * d, 2.0, seed + 100)
    assert float(CORAL().unsupervised(source, target)) == pytest.approx(coral_by_hand(source, target), rel=1e-4)
    for widths in ((1.0,), (0.25, 0.5, 1, 2, 4)):
        found = float(MMD(widths=widths).unsupervised(source, target))
        assert found == pytest.approx(mmd_by_hand(source, target, widths), abs=1e-5)


def test_distances_of_two_gaussians_are_the_closed_forms():
    n, d, a = 4_000, 3, 1.5
    source, target = gaussian(n, [0.0] * d, 1.0, 0), gaussian(n, [1.0, 0, 0], a, 1)
    # C_S = I and C_T = a^2 I
    assert float(CORAL().unsupervised(source, target)) == pytest.approx((1 - a**2) ** 2 * d / (4 * d**2), rel=0.1)
    found, expected = [], []
    for seed in range(8):
        n = 800
        source, target = gaussian(n, [0.0] * d, 1.0, seed), gaussian(n, [1.0, 0, 0], 1.0, seed + 100)
        h = float(torch.pdist(torch.cat([source, target]).double()).square().median())
        # E k(x, y) = (h / (h + 2))^(d/2) exp(-|difference of means|^2 / (2 (h + 2))), for unit variances
        same = (h / (h + 2)) ** (d / 2)
        expected.append(2 * same - 2 * same * math.exp(-1 / (2 * (h + 2))) + 2 * (1 - same) / n)
        found.append(float(MMD(widths=(1.0,)).unsupervised(source, target)))
    assert sum(found) == pytest.approx(sum(expected), rel=0.05)


def test_equal_domains_are_at_no_distance_and_collapsed_ones_give_numbers():
    features = gaussian(20, [0.0, 1.0], 1.0, 0)
    for objective in (CORAL(), MMD()):
        assert float(objective.unsupervised(features, features)) == pytest.approx(0, abs=1e-6)
        flat = torch.ones(20, 2, requires_grad=True)
        distance = objective.unsupervised(flat, torch.ones(20, 2))
        distance.backward()
        assert float(distance.detach()) == 0 and flat.grad.isfinite().all()


def test_gradients_are_those_of_finite_differences():
    source, target = gaussian(6, [0.0] * 3, 1.0, 0).double(), gaussian(5, [0.7] * 3, 1.5, 1).double()
    both = source.requires_grad_(), target.requires_grad_()
    assert torch.autograd.gradcheck(CORAL().unsupervised, both)
    held, objective = torch.cat(both).detach(), MMD(widths=(1.0,))
    median = torch.cdist(held, held).square()[~torch.eye(11, dtype=torch.bool)].median()

    def with_the_median_held(source, target):
        k = lambda x, y: torch.exp(-(x[:, None] - y).square().sum(2) / (2 * median)).mean()  # noqa: E731
        return k(source, source) + k(target, target) - 2 * k(source, target)

    assert torch.autograd.gradcheck(with_the_median_held, both)
    expected = torch.autograd.grad(with_the_median_held(*both), both)
    for found, wanted in zip(torch.autograd.grad(objective.unsupervised(*both), both), expected, strict=True):
        assert torch.allclose(found, wanted)


@pytest.mark.parametrize("seed", range(10))
def test_class_confusion_is_that_of_the_paper(seed):
    m, classes, temperature = 6 + seed, 3 + seed % 3, 2.5
    logits = 4 * torch.randn(m, classes, generator=torch.Generator().manual_seed(seed)).double()
    p = [[math.exp(z / temperature) for z in row] for row in logits.tolist()]
    p = [[z / sum(row) for z in row] for row in p]
    sure = [1 + math.exp(sum(z * math.log(z) for z in row)) for row in p]
    weights = [m * one / sum(sure) for one in sure]
    confusion = [
        [sum(w * r[j] * r[k] for w, r in zip(weights, p, strict=True)) for k in range(classes)] for j in range(classes)
    ]
    expected = sum(c / sum(row) for j, row in enumerate(confusion) for k, c in enumerate(row) if j != k) / classes
    found = MCC(temperature=temperature).unsupervised(logits, logits, logits)
    assert float(found) == pytest.approx(expected, abs=1e-5)


def test_one_class_for_all_is_sure_but_confused():
    """What plain entropy would like best."""
    even = 20 * F.one_hot(torch.arange(12) % 3, 3).float()
    collapsed = torch.tensor([[20.0, 0, 0]]).expand(12, 3)
    loss = lambda logits: float(MCC(temperature=1).unsupervised(logits, logits, logits))  # noqa: E731
    assert loss(even) < 1e-6 < 0.5 < loss(collapsed)


# ---- a step ----


def test_the_loss_is_cross_entropy_of_the_source_and_the_weighted_distance():
    network, batch = tl.models.SmallCNN().train(), paired()[0]
    values = CORAL(weight=7).forward(network, batch)
    source, target = network.backbone(batch.inputs), network.backbone(batch.unlabelled)
    supervised = F.cross_entropy(network.head(source), batch.labels)
    assert torch.allclose(values["supervised"], supervised)
    assert values["unsupervised"].item() == pytest.approx(coral_by_hand(source.detach(), target.detach()), rel=1e-3)
    assert torch.allclose(values["loss"], values["supervised"] + 7 * values["unsupervised"])


def test_the_running_statistics_follow_the_target_alone():
    network, batch = tl.models.SmallCNN().train(), paired()[0]
    alone = network.copy()
    CORAL().forward(network, batch)
    alone(batch.unlabelled)
    assert digest(network) == digest(alone)


def test_a_head_with_batch_norm_follows_the_target_too():
    batch = paired()[0]
    for objective in (CORAL(), MMD(), MCC()):
        head = nn.Sequential(nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 10))
        network = tl.models.Network(tl.models.SmallCNN().backbone, head).train()
        alone = network.copy()
        objective.forward(network, batch)
        alone(batch.unlabelled)
        assert digest(network) == digest(alone)


def test_half_precision_does_not_reach_the_distance():
    objective, batch = CORAL(), paired()[0]
    with torch.autocast("cpu", torch.bfloat16):
        values = objective.forward(tl.models.SmallCNN().train(), batch)
    assert values["unsupervised"].dtype == torch.float32


def test_class_confusion_is_a_number_where_a_class_has_no_probability_at_all():
    logits = torch.tensor([[400.0, -400, -400], [-400, 400, -400]], requires_grad=True)
    loss = MCC().unsupervised(logits, logits, logits)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


def test_poisoned_target_labels_change_nothing():
    hidden = TASK.shifted(tl.data.Shift("contrast")).train[498:]
    poisoned = tl.data.Split(hidden.images, (hidden.labels * 3 + 1) % 10, hidden.classes)
    found = []
    for target in (hidden.without_labels(), hidden, poisoned):
        for objective in (CORAL(augment=tl.data.weak), MMD(), MCC()):
            run = tl.Run(tl.models.SmallCNN(), objective, paired(target), steps=2, device="cpu").finish()
            found.append(digest(run.network))
    assert found == found[:3] * 3


def test_batches_of_unlike_size_are_taken():
    run = tl.Run(tl.models.SmallCNN(), MMD(), paired(ratio=2, batch_size=8), steps=2, device="cpu").finish()
    assert run.history.series("unsupervised")[1][-1] > 0
    sizes = PairedBatch(torch.rand(4, 1, 8, 8), torch.arange(4), torch.rand(6, 1, 12, 12), None)
    pooled = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = tl.models.Network(pooled, nn.Linear(4, 10))
    assert CORAL().forward(network, sizes)["loss"].isfinite()


def test_alignment_repairs_a_bad_camera_unless_statistics_are_mixed():
    """The confound that makes CORAL look useless: the same weights, with the statistics of both domains together."""
    options = {"steps": 150, "schedule": "one-cycle", "device": "cpu"}
    run = tl.Run(tl.models.SmallCNN(), CORAL(augment=tl.data.weak), paired(), **options).finish()
    own = tl.evaluate(run, CAMERA.test).accuracy
    both = torch.cat([CAMERA.train.images, CAMERA.unlabelled.images])
    mixed = tl.evaluate(tl.models.adapt_batchnorm(run.network, both), CAMERA.test).accuracy
    assert own > 0.85 and mixed < own - 0.2
    for_source = tl.models.adapt_batchnorm(run.network, CAMERA.train)
    assert tl.evaluate(for_source, CAMERA.validation).accuracy > 0.9


# ---- bad input ----


@pytest.mark.parametrize("objective", [CORAL(), MMD(), MCC()])
def test_what_cannot_be_aligned(objective):
    begin = lambda network, data: tl.Run(network, objective, data, steps=1, device="cpu")  # noqa: E731
    with pytest.raises(ValueError, match="learns from two domains, but these data have one"):
        begin(tl.models.SmallCNN(), CAMERA)
    letters = tl.data.glyphs("ABCDEFGHIJ", count=100, seed=0).train
    with pytest.raises(ValueError, match="source and target have other classes: '0'"):
        begin(tl.models.SmallCNN(), paired(letters))
    with pytest.raises(TypeError, match="does not say which of its layers make features"):
        begin(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), paired())
    large = tl.data.Split(torch.rand(8, 1, 16, 16), None, CAMERA.classes)
    with pytest.raises(ValueError, match=r"shapes \[1, 8, 8\] and \[1, 16, 16\]"):
        begin(tl.models.SmallCNN(), paired(large))
    with pytest.raises(ValueError, match="distinguishes 9 classes"):
        begin(tl.models.SmallCNN(classes=9), paired())
    plain = tl.models.Network(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), nn.Linear(5, 10))
    with pytest.raises(ValueError, match="its statistics need at least 2"):
        begin(plain, paired(batch_size=1))
    with pytest.raises(ValueError, match="there is no unlabelled image"):
        paired(CAMERA.unlabelled[:0])


def test_settings_that_cannot_work():
    with pytest.raises(ValueError, match="weight=-1, but it cannot be below 0"):
        CORAL(weight=-1)
    for widths in ((0,), (1, -1), ()):
        with pytest.raises(ValueError, match="a Gaussian kernel has a width above 0"):
            MMD(widths=widths)
    with pytest.raises(ValueError, match="temperature=0, but logits are divided by it"):
        MCC(temperature=0)


def test_features_that_are_maps_are_refused_with_what_to_move():
    conv = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    network = tl.models.Network(conv, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)))
    for objective in (CORAL(), MMD(), MCC()):
        with pytest.raises(ValueError, match=r"move pooling and nn\.Flatten"):
            tl.Run(network, objective, paired(), steps=1, device="cpu").finish()


def test_a_network_that_keeps_no_statistics_can_be_aligned():
    layers = nn.Linear(64, 8), nn.BatchNorm1d(8, track_running_stats=False)
    network = tl.models.Network(nn.Sequential(nn.Flatten(), *layers), nn.Linear(8, 10))
    assert tl.Run(network, MMD(widths=torch.tensor([0.5, 1])), paired(), steps=2, device="cpu").finish().finished
