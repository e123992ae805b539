"""What features are like, without a classifier: functions of tensors `[n, d]`, one row for each image."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def alignment(one: Tensor, other: Tensor) -> Tensor:
    """How far the features of two views of one image lie apart on the sphere: mean ||z_i - z'_i||^2.

    Args:
        one: features of one view of each image, `[n, d]`; each row is first divided by its length.
        other: those of the other view, `[n, d]`, row by row of the same images.

    Returns:
        A scalar, 0 to 4. Smaller is better: the features ignore what the views differ in.

    Source: Wang and Isola, Understanding Contrastive Representation Learning through Alignment and Uniformity on the
    Hypersphere, 2020 (alpha = 2).
    """
    return (_directions(one) - _directions(other)).square().sum(1).mean()


def uniformity(features: Tensor) -> Tensor:
    """How evenly features fill the sphere: log mean exp(-2 ||z_i - z_j||^2) over all pairs of two images.

    Args:
        features: `[n, d]`; each row is first divided by its length.

    Returns:
        A scalar. 0 where all are one point (collapse), towards -4 in many dimensions where they are spread evenly:
        smaller is better. Features that are all 0 are one point, the middle of the sphere.

    Raises:
        ValueError: with fewer than two images.

    Source: Wang and Isola, 2020, as for `alignment` (t = 2).
    """
    _require_several(features)
    z = _directions(features)
    n, squares = len(z), z.square().sum(1)  # of length 1, or 0
    distances = (squares[:, None] + squares - 2 * z @ z.mT).clamp_min(0)  # ||z_i - z_j||^2
    return (((-2 * distances).exp().sum() - n) / (n * (n - 1))).log()


def deviation(features: Tensor) -> Tensor:
    """The standard deviation of each feature over the images, averaged over the features.

    Args:
        features: `[n, d]`.

    Returns:
        A scalar in the unit of the features; 0 is collapse.

    Raises:
        ValueError: with fewer than two images.
    """
    _require_several(features)
    return features.std(0).mean()


def effective_rank(features: Tensor) -> Tensor:
    """How many directions features really use: (sum lambda)^2 / sum lambda^2, lambda the eigenvalues of the covariance.

    Args:
        features: `[n, d]`.

    Returns:
        A scalar, 1 to d; 0 if all features are equal.

    Raises:
        ValueError: with fewer than two images.

    Source: the participation ratio, which is the exponential of Renyi's entropy of order 2 of the spectrum. Roy and
    Vetterli, The Effective Rank, 2007, use Shannon's entropy instead.

    Both sums come from the entries of the covariance, so nothing is decomposed.

    >>> import torch
    >>> float(effective_rank(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])))
    2.0
    """
    _require_several(features)
    covariance = torch.atleast_2d(_centred(features).mT.cov())  # of one feature it is a number
    return covariance.trace().square() / covariance.square().sum().clamp_min(_tiny(features))


def cka(one: Tensor, other: Tensor) -> Tensor:
    """How similar two sets of features of the same images are: linear centred kernel alignment.

    Args:
        one: X, `[n, d]`.
        other: Y, `[n, e]`, row by row of the same images.

    Returns:
        ||Y'X||^2 / (||X'X|| ||Y'Y||) in Frobenius norms, with X and Y centred: a scalar, 0 to 1.

    Raises:
        ValueError: with fewer than two images, or if the two are not of the same number of images.

    Source: Kornblith, Norouzi, Lee and Hinton, Similarity of Neural Network Representations Revisited, 2019.

    It does not change when features are rotated or all multiplied by a number, so layers and networks of any width can
    be compared. With n not much larger than d it is high even for features that have nothing to do with each other.
    """
    for features in (one, other):
        _require_several(features)
    if len(one) != len(other):
        raise ValueError(f"features of {len(one)} and of {len(other)} images; CKA compares features of the same images")
    x, y = _centred(one), _centred(other)
    return (y.mT @ x).square().sum() / ((x.mT @ x).norm() * (y.mT @ y).norm()).clamp_min(_tiny(one))


def _centred(features: Tensor) -> Tensor:
    """Features with the mean 0 and the largest number 1, whatever their unit; all 0 where they are all equal."""
    centred = features - features.mean(0)
    return centred / centred.detach().abs().max().clamp_min(_tiny(features))


def _directions(features: Tensor) -> Tensor:
    """Each row divided by its length; a row of zeros stays one."""
    return F.normalize(features, eps=_tiny(features))


def _tiny(features: Tensor) -> float:
    """The smallest number of the features' precision: what is divided by where there would be 0."""
    return torch.finfo(features.dtype).tiny


def _require_several(features: Tensor) -> None:
    """Refuse what is not features `[n, d]` of at least two images."""
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"features have the shape {list(features.shape)}, but this compares several images with each other; "
            "give [n, d] with n at least 2, such as tl.extract_features(network, split).values"
        )


# ---- neighbours, and places on a map ----


def neighbours(features: Tensor, k: int = 5) -> Tensor:
    """The nearest images of each image, by the cosine distance of their features.

    Args:
        features: `[n, d]`.
        k: how many neighbours each image gets.

    Returns:
        Image numbers, `[n, k]` int64, the nearest first; the image itself is left out.

    Raises:
        ValueError: if there are not `k` other images.

    >>> import torch
    >>> neighbours(torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]]), k=1).tolist()
    [[1], [0], [1]]
    """
    _require_several(features)
    if not 1 <= k < len(features):
        others = len(features) - 1
        raise ValueError(f"k={k}, but each of {len(features)} images has {others} others; use 1 to {others}")
    z = _directions(features)
    return (z @ z.mT).fill_diagonal_(-2).topk(k).indices  # a cosine is at least -1


def shared_labels(features: Tensor, labels: Tensor, k: int = 5) -> float:
    """The share of an image's nearest neighbours that have its own label, averaged over the images.

    Args:
        features: `[n, d]`.
        labels: the numbers of the classes, `[n]` int64.
        k: how many neighbours of each image count.

    Returns:
        A share, 0 to 1.

    Raises:
        ValueError: if there are not `k` other images.

    It measures how well the classes are separated without fitting a classifier; unlike the other measures it needs
    labels.
    """
    labels = labels.to(features.device)
    return float((labels[neighbours(features, k)] == labels[:, None]).double().mean())


def placed(frames: Tensor | Sequence[Tensor], method: str = "t-SNE") -> Tensor:
    """Place images on a map by their features; of several frames each map follows the one before.

    Args:
        frames: features of the same images, `[n, d]`, or a sequence of such, one for each frame. They are divided by
            their length, so that close on the map means close by the cosine distance.
        method: "t-SNE", which keeps neighbours together and nothing else, or "PCA", the two directions in which the
            features vary most.

    Returns:
        Places `[frames, n, 2]` in -1..1. Each frame has its own scale: a map has no units.

    Raises:
        ValueError: for another method, with fewer than two images, or for frames of different images.

    Source: van der Maaten and Hinton, Visualizing Data using t-SNE, 2008.

    t-SNE starts each frame from the places of the frame before, the first from PCA. Each frame is then turned or
    mirrored onto the frame before (orthogonal Procrustes). The same features always give the same map.
    """
    if method not in ("PCA", "t-SNE"):
        raise ValueError(f"method={method!r}; use 'PCA' or 't-SNE'")
    frames = [frames] if isinstance(frames, Tensor) else frames
    places: list[Tensor] = []
    for features in frames:
        _require_several(features)
        if len(features) != len(frames[0]):
            raise ValueError(f"frames of {len(frames[0])} and of {len(features)} images; a map follows the same images")
        before = places[-1] if places else None
        now = _by_tsne(features, before) if method == "t-SNE" else _by_pca(features)
        now = now - now.mean(0)
        if before is not None:
            left, _, right = torch.linalg.svd(now.mT @ before)
            now = now @ left @ right
        places.append(now)
    return torch.stack([now / now.abs().max().clamp_min(1e-12) for now in places])


def _by_pca(features: Tensor) -> Tensor:
    """The two directions in which features of length 1 vary most, `[n, 2]`."""
    z = _directions(features.float().cpu())
    left, sizes, _ = torch.linalg.svd(z - z.mean(0), full_matrices=False)
    return F.pad(left * sizes, (0, 1))[:, :2]  # a single feature has one direction


def _by_tsne(features: Tensor, before: Tensor | None) -> Tensor:
    """t-SNE from where the images were, `[n, 2]`: nine frames of 280 images take about 2 s on one core.

    300 steps with exaggeration 4. With scikit-learn's own 1,000 steps and 12 as many neighbours stay together, but
    images jump from frame to frame (measured on a network that learns the digits).
    """
    from sklearn.manifold import TSNE

    z = _directions(features.float().cpu())
    start = _by_pca(features) if before is None else before
    if before is None:
        start = 1e-4 * start / start.std().clamp_min(1e-12)
    perplexity = min(30, (len(z) - 1) / 3)
    init: Any = start.numpy()  # for type checkers, scikit-learn's `init` is the str that is its default
    tsne = TSNE(init=init, perplexity=perplexity, early_exaggeration=4, max_iter=300, random_state=0)
    return torch.from_numpy(tsne.fit_transform(z.numpy()))
