"""Numbers that choose without target labels, against independent computations."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import tlkit as tl
from tlkit.label_free import deep_embedded_validation, importance_weights, target_entropy


def test_entropy_is_that_of_scipy_and_runs_from_sure_to_even():
    from scipy.special import softmax
    from scipy.stats import entropy

    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    images = torch.rand(20, 1, 2, 2)
    logits = network(images).detach().numpy()
    assert target_entropy(network, images) == pytest.approx(entropy(softmax(logits, axis=1), axis=1).mean(), abs=1e-6)
    with torch.no_grad():
        network[1].weight.zero_()
        network[1].bias.zero_()
    assert target_entropy(network, images) == pytest.approx(math.log(3))


def test_weights_estimate_the_ratio_of_two_densities():
    """Of N(0, 1) and N(1, 1) it is exp(x - 1/2)."""
    generator = torch.Generator().manual_seed(0)
    source, target = (torch.randn(20_000, 1, generator=generator) + mean for mean in (0, 1))
    x = torch.linspace(-1, 2, 7)[:, None]
    assert torch.allclose(importance_weights(source, target[:5_000], x), (x[:, 0] - 0.5).exp().double(), rtol=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_the_estimate_is_that_of_the_paper_in_float64(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 50))
    weights, losses = random.exponential(size=n), random.integers(0, 2, n).astype(float)
    weighted = weights * losses
    eta = -np.cov(weighted, weights, ddof=1)[0, 1] / np.var(weights, ddof=1)
    expected = weighted.mean() + eta * weights.mean() - eta
    assert deep_embedded_validation(torch.tensor(weights), torch.tensor(losses)) == pytest.approx(expected, abs=1e-9)


def test_equal_weights_give_the_plain_mean():
    assert deep_embedded_validation(torch.ones(4), torch.tensor([1.0, 0, 0, 0])) == 0.25


def test_the_control_variate_steadies_the_estimate():
    generator = torch.Generator().manual_seed(0)
    found = {"plain": [], "steadied": []}
    for _ in range(300):
        x = torch.randn(200, generator=generator)
        weights, losses = (x - 0.5).exp(), (x > 0.8).double()  # the target is N(1, 1)
        found["plain"].append(float((weights * losses).mean()))
        found["steadied"].append(deep_embedded_validation(weights, losses))
    truth = 1 - 0.5 * (1 + math.erf((0.8 - 1) / math.sqrt(2)))
    assert np.std(found["steadied"]) < 0.8 * np.std(found["plain"])
    assert np.mean(found["steadied"]) == pytest.approx(truth, abs=0.03)


def test_weights_and_losses_belong_together():
    with pytest.raises(ValueError, match=r"the shapes \[3\] and \[2\]"):
        deep_embedded_validation(torch.ones(3), torch.ones(2))
    with pytest.raises(ValueError, match="2 examples or more"):
        tl.label_free.deep_embedded_validation(torch.ones(1), torch.ones(1))
