"""Supervised objectives against formulas computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import digest, network, run, split
from torch import nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.data.batches import Batch
from tlkit.objectives.supervised import L2SP, CrossEntropy

BATCH = Batch(split().images, split().labels)


def moved() -> tl.models.SmallCNN:
    """The network with every weight a little elsewhere, and a new head."""
    net = network().with_new_head(3, seed=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in net.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator)
    return net.eval()


def test_class_weights_weigh_the_mean():
    weights, net = torch.tensor([1.0, 2.0, 5.0]), network().eval()
    each, of = F.cross_entropy(net(BATCH.inputs), BATCH.labels, reduction="none"), weights[BATCH.labels]
    loss = CrossEntropy(class_weights=weights)(net, BATCH)["loss"]
    assert loss.item() == pytest.approx(((of * each).sum() / of.sum()).item())


def test_equal_class_weights_and_none_are_the_same():
    equal = CrossEntropy(class_weights=torch.full((3,), 2.0))(network(), BATCH)["loss"]
    assert equal.item() == pytest.approx(CrossEntropy()(network(), BATCH)["loss"].item())


def test_a_class_of_no_weight_is_not_learnt():
    weights = torch.tensor([1.0, 1.0, 0.0])
    predicted = run(60, objective=CrossEntropy(class_weights=weights)).finish().predict(split().images)
    assert predicted.eq(2).sum() <= 2 < predicted.ne(2).sum()


@pytest.mark.parametrize(
    ("weights", "words"),
    [([1.0, 2.0], r"shape \[2\], but the network distinguishes 3 classes"), ([1.0, -1.0, 1.0], "at least 0")],
)
def test_class_weights_that_do_not_fit_are_refused(weights, words):
    with pytest.raises(ValueError, match=words):
        CrossEntropy(class_weights=torch.tensor(weights))(network(), BATCH)


def test_l2sp_is_its_formula():
    start, net = network(), moved()
    near = sum(
        ((w - w0) ** 2).sum() for w, w0 in zip(net.backbone.parameters(), start.backbone.parameters(), strict=True)
    )
    new = net.head.weight.square().sum() + net.head.bias.square().sum()
    cross_entropy = F.cross_entropy(net(BATCH.inputs), BATCH.labels)
    values = L2SP(start, strength=0.3, head_strength=0.07)(net, BATCH)
    assert values["loss"].item() == pytest.approx((cross_entropy + 0.3 / 2 * near + 0.07 / 2 * new).item())
    assert values["cross_entropy"].item() == pytest.approx(cross_entropy.item())
    assert values["distance"].item() == pytest.approx(near.sqrt().item())


def test_a_stronger_l2sp_stays_nearer_to_the_start_and_leaves_the_start_alone():
    start = network()
    before = digest(start)
    distances = []
    for strength in (0.0, 0.1, 10.0):
        finished = run(60, net=start.with_new_head(3, seed=1), objective=L2SP(start, strength)).finish()
        distances.append(finished.history.series("distance")[1][-1])
        assert digest(finished.objective.start) == before
    assert distances[0] > 1.1 * distances[1] > 1.1**2 * distances[2]
    assert digest(start) == before


def test_at_the_start_l2sp_has_a_gradient_and_it_is_that_of_cross_entropy():
    start = network().eval()
    net = start.copy()
    L2SP(start, head_strength=0)(net, BATCH)["loss"].backward()
    expected = torch.autograd.grad(CrossEntropy()(start, BATCH)["loss"], list(start.parameters()))
    for weight, gradient in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient)


def test_l2sp_augments_and_weighs_as_cross_entropy_does():
    options = {"augment": lambda images: images / 2, "class_weights": torch.tensor([1.0, 2.0, 3.0])}
    expected = CrossEntropy(**options)(moved(), BATCH)["loss"]
    assert L2SP(network(), **options)(moved(), BATCH)["cross_entropy"].equal(expected)


def test_l2sp_without_a_common_weight_or_with_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match="no weight of the start"):
        L2SP(torch.nn.Linear(2, 2))(network(), BATCH)
    with pytest.raises(ValueError, match="neither can be below 0"):
        L2SP(network(), strength=-1)


@pytest.mark.parametrize("weights", [np.array([1.0, 2.0, 4.0]), torch.tensor([1.0, 2.0, 4.0]).double(), [1, 2, 4]])
def test_class_weights_may_be_of_any_precision_and_library(weights):
    expected = run(objective=CrossEntropy(class_weights=torch.tensor([1.0, 2.0, 4.0]))).finish()
    assert digest(run(objective=CrossEntropy(class_weights=weights)).finish().network) == digest(expected.network)


def test_a_batch_in_which_no_example_counts_teaches_nothing_and_ends_nothing():
    data = split(9)
    net = network()
    before = [weight.clone() for weight in net.parameters()]
    objective = CrossEntropy(class_weights=torch.tensor([0.0, 0.0, 1.0]))
    sgd = torch.optim.SGD
    going = run(3, data=data[data.labels < 2], net=net, objective=objective, optimizer=sgd).finish()
    assert going.history.series("loss")[1] == [0, 0, 0]
    assert all(weight.equal(old) for weight, old in zip(net.parameters(), before, strict=True))


def test_class_weights_that_are_all_0_are_refused():
    with pytest.raises(ValueError, match="and one of them is above 0"):
        CrossEntropy(class_weights=torch.zeros(3))


def test_a_network_that_takes_more_than_the_examples_is_refused_with_its_signature():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, images, mask, scale=1):
            return self.net(images * mask)

    words = r"Masked is called as forward\(images, mask, scale=1\), but a classifier takes the examples alone"
    with pytest.raises(ValueError, match=words):
        run(net=Masked())
    with pytest.raises(ValueError, match=words):
        tl.evaluate(Masked(), split())


def test_a_label_that_the_network_does_not_know_is_named_in_batches_of_ones_own_too():
    batches = [Batch(split().inputs[:4], torch.tensor([0, 1, 7, 2]))]
    with pytest.raises(ValueError, match="a label is 7, but the network distinguishes the classes 0 to 2; give"):
        next(run(data=batches))
