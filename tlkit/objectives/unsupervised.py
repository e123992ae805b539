"""Learning from images alone: draw them again, or know two views of one image among all others."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.augmentation import Augment, noise, strong, two_views
from tlkit.data.batches import Batch
from tlkit.models.networks import Network, seeded
from tlkit.objectives.objective import Objective
from tlkit.representations import alignment, deviation, effective_rank, uniformity


class Reconstruction(Objective):
    """Draw the image that was given, or what was hidden in it: L = mean ||g(f(x~)) - x||^2 over the pixels asked for.

    f is the encoder, g the decoder (see `tl.models.Autoencoder`), and x~ is what the network is given of the image x:

    - x itself, unless said: an autoencoder;
    - x with normal noise of the deviation `noise` added: a denoising autoencoder (Vincent et al., 2008);
    - x with the share `mask` of its `patch` x `patch` squares black: a masked autoencoder (He et al., 2022). Then L is
      taken over the hidden pixels only.

    A run also records `error`, the mean squared error over all pixels. Raises ValueError if `noise` is negative, `mask`
    is not in 0..1 (0 hides nothing, and 1 would hide everything), or a patch has no pixel.
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
        """Look at the first images; a Run asks for it once. Looking at those of every step would wait for the device.

        Raises ValueError if they are not in 0..1, which is what a decoder can draw.
        """
        low, high = batches[0].inputs.aminmax()
        if low < 0 or high > 1:
            raise ValueError(
                f"these images have values from {float(low):.2g} to {float(high):.2g}, but a decoder draws 0 to 1; "
                "give them as they are, and scale in preprocess= of the network, which the encoder alone sees"
            )

    def given(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the network is given of images [n, channels, height, width], and which pixels are asked for [n, 1, ...].

        Raises ValueError if the images cannot be cut into two or more patches.
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
        asked = (order < hidden).view(n, 1, rows, columns)
        asked = asked.repeat_interleave(self.patch, 2).repeat_interleave(self.patch, 3)
        return images.masked_fill(asked, 0), asked

    def forward(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The loss, and the error over all pixels. Raises ValueError if the network draws no such images."""
        images = batch.inputs
        given, asked = self.given(images)
        drawn = network(given)
        if drawn.shape != images.shape:
            raise ValueError(
                f"this network turns images of the shape {list(images.shape)} into {list(drawn.shape)}, so they cannot "
                "be compared; give the run tl.models.Autoencoder(backbone, channels, image_size)"
            )
        error = (drawn - images).square()
        return {"loss": (error * asked).sum() / asked.expand_as(error).sum(), "error": error.mean()}  # ①


class TwoViews(Objective):
    """What the objectives with two views share: views, features, projections, and what is watched while they learn.

    h = f(v) are the features of a view v, which transfer; z = g(h) their projections, which the loss compares and
    which are thrown away with the projector g: linear, batch norm, ReLU, linear. Subclasses say what `loss` compares.

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
        """The loss of the projections of two views of the same images, [n, d] each."""
        raise NotImplementedError

    def forward(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The loss, and what is watched: `alignment`, `uniformity`, `feature_std`, `rank`.

        Raises ValueError for a batch of one image, or features that are no vectors of `feature_dim` numbers.
        """
        n = len(batch.inputs)
        if n < 2:
            raise ValueError(f"a batch of {n} image holds no other image to tell it from; use batch_size=32 or more")
        views = torch.cat(two_views(batch.inputs, self.augment))
        features = network.features(views) if isinstance(network, Network) else network(views)
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

    For each of the 2n projections, i, with j the other view of its image,
    L_i = -log exp(z_i z_j / t) / sum over k != i of exp(z_i z_k / t), z of length 1, t the `temperature`;
    the loss is the mean of L_i. Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of
    Visual Representations, 2020. `feature_dim`, `augment`, `hidden`, `projected`: see `TwoViews`.

    Raises ValueError if the temperature is not above 0.
    """

    def __init__(self, feature_dim: int = 64, temperature: float = 0.2, **views):
        super().__init__(feature_dim, **views)
        if not temperature > 0:
            raise ValueError(f"temperature={temperature}, but it divides, so it is above 0; 0.2 is a good start")
        self.temperature = temperature

    def loss(self, one: Tensor, other: Tensor) -> Tensor:
        """NT-Xent of projections [n, d] and [n, d]."""
        z = F.normalize(torch.cat([one, other]))
        n = len(one)
        similar = (z @ z.mT / self.temperature).fill_diagonal_(-torch.inf)  # no view is compared with itself
        positive = torch.arange(2 * n, device=z.device).roll(n)
        return F.cross_entropy(similar, positive)  # ①


class VICReg(TwoViews):
    """Agree on two views (invariance), keep every number alive (variance) and let no two say the same (covariance).

    L = invariance x s(Z, Z') + variance x [v(Z) + v(Z')]/2 + covariance x [c(Z) + c(Z')], where
    s = mean (z - z')^2, v = mean over the d numbers of max(0, 1 - sqrt(var + 0.0001)), and
    c = 1/d times the sum of the squared covariances of two different numbers.
    Bardes, Ponce and LeCun, VICReg, 2022; the halves of v are in their code. Without variance it collapses.
    `feature_dim`, `augment`, `hidden`, `projected`: see `TwoViews`.

    Raises ValueError if a weight is negative.
    """

    def __init__(
        self, feature_dim: int = 64, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0, **views
    ):
        super().__init__(feature_dim, **views)
        if not min(invariance, variance, covariance) >= 0:
            raise ValueError(f"the weights are {invariance}, {variance} and {covariance}, but none can be below 0")
        self.invariance, self.variance, self.covariance = invariance, variance, covariance

    def loss(self, one: Tensor, other: Tensor) -> Tensor:
        """The three terms of projections [n, d] and [n, d], weighted and added."""
        s = F.mse_loss(one, other)
        v = c = torch.zeros_like(s)
        for z in (one, other):
            v = v + F.relu(1 - (z.var(0) + 1e-4).sqrt()).mean() / 2
            covariance = z.mT.cov()
            c = c + (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
        return self.invariance * s + self.variance * v + self.covariance * c  # ①
