"""Learning from images alone: draw them again, or recognise two views of one image among all others."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.augmentation import Augment, noise, strong, two_views
from tlkit.data.batches import Batch
from tlkit.models.networks import Network, seeded, unwrapped
from tlkit.objectives.objective import Objective
from tlkit.representations import alignment, deviation, effective_rank, uniformity


class Reconstruction(Objective):
    """Draw an image again from a corrupted copy of it: L = mean ||g(f(x~)) - x||^2.

    Args:
        noise: the standard deviation of the normal noise that is added, in units of the pixel values; 0 adds none.
        mask: the share of the patches that is hidden, at least 0 and below 1: 0 hides nothing, 1 would hide everything.
        patch: the side of a square patch, in pixels.

    Raises:
        ValueError: if `noise` is negative, `mask` is not in [0, 1), or a patch has no pixel.

    Source: Vincent et al., 2008 (denoising autoencoders); He et al., 2022 (masked autoencoders).

    f is the encoder, g the decoder, see `tl.models.Autoencoder`, and x~ is what the network sees of the image x:

    - x itself, by default: an autoencoder;
    - x with noise: a denoising autoencoder;
    - x with some patches black: a masked autoencoder. Then the mean is taken over the hidden pixels only.

    A run also records `error`, the mean squared error over all pixels.
    """

    def __init__(self, noise: float = 0.0, mask: float = 0.0, patch: int = 2):
        super().__init__()
        if noise < 0:
            raise ValueError(f"noise={noise}, but a deviation is not below 0; 0.2 is a good start")
        if not 0 <= mask < 1:
            raise ValueError(f"mask={mask}, but it is the share that is hidden, at least 0 and below 1; 0.5 is usual")
        if patch < 1:
            raise ValueError(f"patch={patch}, but a patch has at least 1 pixel a side")
        self.noise, self.mask, self.patch = noise, mask, patch

    def begin(self, network: nn.Module, batches: Any) -> None:
        """Look at the first images; a run calls it once, since looking in every step would wait for the device.

        Args:
            network: the run's network.
            batches: the run's data: `batches[step]` is a batch.

        Raises:
            ValueError: if the images are not in 0..1, which is what a decoder can draw.
        """
        low, high = batches[0].inputs.aminmax()
        if low < 0 or high > 1:
            raise ValueError(
                f"these images have values from {float(low):.2g} to {float(high):.2g}, but a decoder draws 0 to 1; "
                "give them as they are, and scale in preprocess= of the network, which the encoder alone sees"
            )

    def corrupt(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the network sees of images, with new noise and new hidden patches in each call.

        Args:
            images: `[n, channels, height, width]`.

        Returns:
            The corrupted images, of the same shape, and which pixels the loss is taken over, `[n, 1, height, width]`:
            the hidden ones, or all of them if none is hidden.

        Raises:
            ValueError: if `mask` is above 0 and the images cannot be cut into two or more patches.
        """
        if self.noise:
            images = noise(images, self.noise)
        if not self.mask:
            return images, torch.ones_like(images[:, :1], dtype=torch.bool)
        n, _, height, width = images.shape
        if height % self.patch or width % self.patch:
            raise ValueError(f"images of {height} x {width} cannot be cut into patches of {self.patch} x {self.patch}")
        rows, columns = height // self.patch, width // self.patch
        patches = rows * columns
        if patches < 2:
            raise ValueError(
                f"images of {height} x {width} are one patch of {self.patch} x {self.patch}, and to hide it would hide "
                "everything; use a smaller patch"
            )
        hidden = min(max(round(self.mask * patches), 1), patches - 1)
        order = torch.rand(n, patches, device=images.device).argsort(1)
        mask = (order < hidden).view(n, 1, rows, columns)
        mask = mask.repeat_interleave(self.patch, 2).repeat_interleave(self.patch, 3)
        return images.masked_fill(mask, 0), mask

    def forward(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The loss, and the error over all pixels.

        Args:
            network: turns images `[n, channels, height, width]` into images of the same shape.
            batch: images in 0..1; labels are not looked at.

        Returns:
            "loss" and "error", `[]` each.

        Raises:
            ValueError: if the network draws images of another shape.
        """
        images = batch.inputs
        corrupted, mask = self.corrupt(images)
        drawn = network(corrupted)
        if drawn.shape != images.shape:
            raise ValueError(
                f"this network turns images of the shape {list(images.shape)} into {list(drawn.shape)}, so they cannot "
                "be compared; give the run tl.models.Autoencoder(backbone, channels, image_size)"
            )
        error = (drawn - images).square()
        return {"loss": (error * mask).sum() / mask.expand_as(error).sum(), "error": error.mean()}  # ①


class TwoViews(Objective):
    """What the objectives with two views share: views, features, projections, and what is watched while they learn.

    Args:
        feature_dim: the length of the backbone's features.
        augment: makes one view of images `[n, channels, height, width]`; it is called twice.
        hidden: the width of the projector's hidden layer.
        projected: the length of a projection.
        seed: the projector's first weights.

    h = f(v) are the features of a view v, which transfer. z = g(h) are their projections, which the loss compares and
    which are thrown away with the projector g: linear, batch norm, ReLU, linear. Subclasses define `loss`.

    A run also records what the loss works on, the projections: their `alignment`, `uniformity`, `feature_std` and
    `rank` (see `tl.representations`), so that a collapse is seen as it happens. The loss alone does not show it.
    """

    def __init__(
        self, feature_dim: int = 64, augment: Augment = strong, hidden: int = 128, projected: int = 64, seed: int = 0
    ):
        super().__init__()
        self.feature_dim, self.augment = feature_dim, augment
        with seeded(seed):
            self.projector = nn.Sequential(
                nn.Linear(feature_dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, projected)
            )

    def loss(self, one: Tensor, other: Tensor) -> Tensor:
        """The loss of the projections of two views of the same images.

        Args:
            one: the projections of one view, `[n, d]`.
            other: those of the other view, in the same order, `[n, d]`.

        Returns:
            The loss, `[]`.
        """
        raise NotImplementedError

    def forward(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The loss, and what is watched.

        Args:
            network: a Network, whose features are taken, or a backbone.
            batch: images, at least two; labels are not looked at.

        Returns:
            "loss", "alignment", "uniformity", "feature_std" and "rank", `[]` each.

        Raises:
            ValueError: for a batch of one image, or features that are not vectors of `feature_dim` numbers.
        """
        n = len(batch.inputs)
        if n < 2:
            raise ValueError(f"a batch of {n} image holds no other image to compare it with; use batch_size=32 or more")
        views = torch.cat(two_views(batch.inputs, self.augment))
        inner = unwrapped(network)
        features = inner.features(views) if isinstance(inner, Network) else network(views)
        if features.shape[1:] != (self.feature_dim,):
            raise ValueError(
                f"this backbone turns an image into the shape {list(features.shape[1:])}, but the projector takes a "
                f"vector of {self.feature_dim} numbers; end the backbone with pooling and nn.Flatten(), or give "
                "feature_dim= its length"
            )
        one, other = self.projector(features).float().split(n)
        loss = self.loss(one, other)
        one, other = one.detach(), other.detach()
        agreement = {"alignment": alignment(one, other), "uniformity": uniformity(one)}
        return {"loss": loss, **agreement, "feature_std": deviation(one), "rank": effective_rank(one)}


class SimCLR(TwoViews):
    """Find the other view of the same image among all views of the batch: NT-Xent.

    Args:
        feature_dim: the length of the backbone's features.
        temperature: t, above 0: the lower, the more the nearest other images count.
        views: `augment`, one view of images, `hidden` and `projected`, the widths of the projector (128 and 64), and
            `seed`, its first weights.

    Raises:
        ValueError: if the temperature is not above 0.

    Source: Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of Visual Representations,
    2020.

    For each of the 2n projections, i, with j the other view of its image,
    L_i = -log exp(z_i z_j / t) / sum over k != i of exp(z_i z_k / t), z of length 1; the loss is the mean of L_i.

    A run also records `alignment`, `uniformity`, `feature_std` and `rank` of the projections, see `tl.representations`.
    """

    def __init__(self, feature_dim: int = 64, temperature: float = 0.2, **views):
        super().__init__(feature_dim, **views)
        if not temperature > 0:
            raise ValueError(f"temperature={temperature}, but it divides, so it is above 0; 0.2 is a good start")
        self.temperature = temperature

    def loss(self, one: Tensor, other: Tensor) -> Tensor:
        z = F.normalize(torch.cat([one, other]))
        n = len(one)
        similar = (z @ z.mT / self.temperature).fill_diagonal_(-torch.inf)  # no view is compared with itself
        positive = torch.arange(2 * n, device=z.device).roll(n)
        return F.cross_entropy(similar, positive)  # ①


class VICReg(TwoViews):
    """Agree on two views (invariance), keep every number alive (variance) and let no two say the same (covariance).

    Args:
        feature_dim: the length of the backbone's features.
        invariance: the weight of s, at least 0.
        variance: the weight of v, at least 0; with 0 the projections collapse.
        covariance: the weight of c, at least 0.
        views: `augment`, one view of images, `hidden` and `projected`, the widths of the projector (128 and 64), and
            `seed`, its first weights.

    Raises:
        ValueError: if a weight is negative.

    Source: Bardes, Ponce and LeCun, VICReg, 2022; the halves of v are in their code.

    L = invariance x s(Z, Z') + variance x [v(Z) + v(Z')]/2 + covariance x [c(Z) + c(Z')], where
    s = mean (z - z')^2, v = mean over the d numbers of max(0, 1 - sqrt(var + 0.0001)), and
    c = 1/d times the sum of the squared covariances of two different numbers.

    A run also records `alignment`, `uniformity`, `feature_std` and `rank` of the projections, see `tl.representations`.
    """

    def __init__(
        self, feature_dim: int = 64, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0, **views
    ):
        super().__init__(feature_dim, **views)
        if not min(invariance, variance, covariance) >= 0:
            raise ValueError(f"the weights are {invariance}, {variance} and {covariance}, but none can be below 0")
        self.invariance, self.variance, self.covariance = invariance, variance, covariance

    def loss(self, one: Tensor, other: Tensor) -> Tensor:
        s = F.mse_loss(one, other)
        v = c = torch.zeros_like(s)
        for z in (one, other):
            v = v + F.relu(1 - (z.var(0) + 1e-4).sqrt()).mean() / 2
            covariance = torch.atleast_2d(z.mT.cov())  # of one number it is no matrix
            c = c + (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
        return self.invariance * s + self.variance * v + self.covariance * c  # ①
