"""Choosing between networks for a target domain whose labels nobody has: numbers that need none of them."""

from typing import Any

import torch
from torch import Tensor

from tlkit.data.tasks import Split
from tlkit.evaluation import predict


def target_entropy(network: Any, inputs: Tensor | Split) -> float:
    """How unsure a network is of the examples of a target domain: the mean entropy of its predictions.

    Args:
        network: a network that classifies, or a Run.
        inputs: the examples `[n, ...]`, or a Split, whose labels are not looked at.

    Returns:
        The mean over the examples of -sum_c p_c log p_c, natural logarithm: from 0, sure, to log(classes). Lower is
        taken for better; a network that gives one class to all is sure as well.

    Raises:
        ValueError: if the network does not fit the examples.

    Source: Morerio et al., Minimal-Entropy Correlation Alignment for Unsupervised Deep Domain Adaptation, 2018.
    """
    return float(torch.special.entr(predict(network, inputs).probabilities).sum(1).mean())


def importance_weights(source: Tensor, target: Tensor, features: Tensor) -> Tensor:
    """How much likelier each example is in the target domain than in the source domain.

    Args:
        source: features of the source domain, `[n, d]`.
        target: features of the target domain, `[m, d]`.
        features: of the examples whose weights are wanted, `[k, d]`.

    Returns:
        `[k]` float64, w = (n/m) p/(1 - p), p the probability that a logistic regression on standardised features gives
        the target domain: an estimate of the ratio of the two densities.

    Source: Bickel, Brueckner and Scheffer, Discriminative Learning for Differing Training and Test Distributions, 2007.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    both = torch.cat([source, target]).detach().double().cpu().numpy()
    domain = [0] * len(source) + [1] * len(target)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000)).fit(both, domain)
    log_odds = classifier.decision_function(features.detach().double().cpu().numpy())
    return torch.as_tensor(log_odds).exp() * len(source) / len(target)


def deep_embedded_validation(weights: Tensor, losses: Tensor) -> float:
    """What a loss on the target domain is likely to be, from losses on labelled source examples.

    Args:
        weights: the importance weight of each validation example of the source, `[n]`, see `importance_weights`.
        losses: its loss, such as 1 for an error and 0 for none, `[n]`.

    Returns:
        mean(w l) + eta mean(w) - eta, eta = -cov(w l, w) / var(w). The mean of weights is 1 in truth, so what is added
        is 0 in expectation and takes away as much variance as it can (a control variate). With equal weights it is the
        plain mean of w l.

    Raises:
        ValueError: if there are not as many weights as losses, or fewer than 2.

    Source: You et al., Towards Accurate Model Selection in Deep Unsupervised Domain Adaptation, 2019, section 3.
    """
    if weights.shape != losses.shape or weights.ndim != 1 or len(weights) < 2:
        shapes = f"{list(weights.shape)} and {list(losses.shape)}"
        raise ValueError(f"weights and losses have the shapes {shapes}; give one of each for 2 examples or more: [n]")
    weighted, weights = weights.double() * losses.double(), weights.double()
    (_, covariance), (_, variance) = torch.stack([weighted, weights]).cov().tolist()
    eta = -covariance / variance if variance else 0.0
    return float(weighted.mean() + eta * weights.mean() - eta)
