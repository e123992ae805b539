"""Random changes of images that keep their label, drawn for each image, on the device where the images are.

The code is our own because the images are so small: at 8 x 8 and a batch of 64 a random affine map takes 0.1 ms here,
0.4 ms in kornia, 3.6 ms in torchvision image by image, and a training step about 5 ms. Any callable from images to
images can take its place; torchvision's transforms, which draw once for all that they get, are called for each image.
Everything here draws from torch's default generator; a `Run` seeds it for each step.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Augment = Callable[[Tensor], Tensor]  # images [n, channels, height, width] to such images


def warp(
    images: Tensor,
    *,
    rotation: float = 0.0,
    scale: float = 0.0,
    shift: float = 0.0,
    shear: float = 0.0,
    stretch: tuple[tuple[float, float], tuple[float, float]] | None = None,
    elastic: float = 0.0,
    cells: int = 3,
) -> Tensor:
    """Rotate, scale, shift, shear, stretch and bend each image at random, in one resampling.

    Args:
        images: `[n, channels, height, width]`.
        rotation: the largest angle, in degrees. This and the next three are drawn uniformly between minus and plus it.
        scale: the largest change of size, as a share: 0.1 is 90 to 110 %.
        shift: the largest move along each axis, in pixels.
        shear: the largest shear, as a share.
        stretch: ranges that the scales of x and of y are drawn from, such as `((0.75, 1.25), (0.9, 1.1))`; None is 1.
        elastic: how far the points of a grid move, as a share of half the image, smoothly in between.
        cells: points along each side of that grid; 3 bend a whole image, more bend its parts.

    Returns:
        Images of the same shape, black where they come from outside the image. By default nothing changes.
    """
    n, _, height, width = images.shape
    device = images.device
    amounts = torch.rand(n, 7, device=device) * 2 - 1
    angle, size, slant, right, down, wide, high = amounts.unbind(1)
    angle, size, slant = angle * math.radians(rotation), 1 + size * scale, slant * shear
    along_x, along_y = size, size
    if stretch:
        (x0, x1), (y0, y1) = stretch
        along_x = size * ((x0 + x1) / 2 + wide * (x1 - x0) / 2)
        along_y = size * ((y0 + y1) / 2 + high * (y1 - y0) / 2)
    # An output point looks up its input point: the inverse of stretch, then rotation, then shear. Points count in half
    # widths and half heights, which differ unless the image is square.
    cos, sin, tall = angle.cos(), angle.sin(), height / width
    row_x = [cos / along_x, (sin - slant * cos) * tall / along_x, right * (2 * shift / width)]
    row_y = [-sin / tall / along_y, (cos + slant * sin) / along_y, down * (2 * shift / height)]
    matrix = torch.stack([*row_x, *row_y], dim=1).view(n, 2, 3)
    with torch.autocast(device.type, enabled=False):  # bfloat16 would move the pixels
        grid = (pixel_centres(height, width, device) @ matrix.mT).view(n, height, width, 2)
    if elastic:
        knots = (torch.rand(n, 2, cells, cells, device=device) * 2 - 1) * elastic
        bend = F.interpolate(knots, (height, width), mode="bicubic", align_corners=True)
        grid = grid + bend.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, align_corners=False)


@lru_cache(maxsize=32)
def pixel_centres(height: int, width: int, device: torch.device) -> Tensor:
    """Where the pixels of an image lie, `[height * width, 3]`: x and y in -1..1, and 1 for the shift."""
    y, x = ((torch.arange(size, device=device) * 2 + 1) / size - 1 for size in (height, width))
    return torch.stack([x.repeat(height), y.repeat_interleave(width), torch.ones(height * width, device=device)], dim=1)


def brightness(images: Tensor, amount: float = 0.2) -> Tensor:
    """Multiply the values of each image by a random factor.

    Args:
        images: `[n, channels, height, width]` in 0..1.
        amount: the factor is drawn uniformly between 1 - `amount` and 1 + `amount`.

    Returns:
        Images of the same shape, values cut to 0..1, or to the range of the image where that is wider.
    """
    factor = 1 + (torch.rand(len(images), 1, 1, 1, device=images.device) * 2 - 1) * amount
    return _cut(images * factor, images)


def noise(images: Tensor, deviation: float = 0.05) -> Tensor:
    """Add normal noise to each pixel.

    Args:
        images: `[n, channels, height, width]` in 0..1.
        deviation: the standard deviation of the noise.

    Returns:
        Images of the same shape, values cut to 0..1, or to the range of the image where that is wider.
    """
    return _cut(images + deviation * torch.randn_like(images), images)


def contrast(images: Tensor, amount: float = 0.3) -> Tensor:
    """Stretch the values of each image about its mean by a random factor.

    Args:
        images: `[n, channels, height, width]` in 0..1.
        amount: the factor is drawn uniformly between 1 - `amount` and 1 + `amount`.

    Returns:
        Images of the same shape, values cut to 0..1, or to the range of the image where that is wider.
    """
    factor = 1 + (torch.rand(len(images), 1, 1, 1, device=images.device) * 2 - 1) * amount
    mean = images.mean((1, 2, 3), keepdim=True)
    return _cut(mean + (images - mean) * factor, images)


def _cut(changed: Tensor, images: Tensor) -> Tensor:
    """`changed` in 0..1, or in the range that an image had before: one of mean 0 does not lose its dark half."""
    low, high = images.flatten(1).aminmax(dim=1, keepdim=True)
    return changed.clamp(low.clamp(max=0)[:, :, None, None], high.clamp(min=1)[:, :, None, None])


def cut_out(images: Tensor, size: int = 3) -> Tensor:
    """Blacken one random square in each image, wholly inside it.

    Args:
        images: `[n, channels, height, width]`.
        size: the side of the square, in pixels; 3 suits images of 8 x 8.

    Returns:
        Images of the same shape.

    Source: T. DeVries and G. Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017.
    """
    n, _, height, width = images.shape

    def inside(length: int) -> Tensor:
        """Which of `length` rows or columns the square covers: `[n, length]`."""
        first = torch.randint(max(length - size, 0) + 1, (n, 1), device=images.device)
        place = torch.arange(length, device=images.device)
        return (first <= place) & (place < first + size)

    hidden = inside(height)[:, None, :, None] & inside(width)[:, None, None, :]
    return images.masked_fill(hidden, 0)


def weak(images: Tensor) -> Tensor:
    """Make the small changes that every recipe of the lessons makes: 12 degrees, 10 % of size, one pixel.

    Args:
        images: `[n, channels, height, width]`.

    Returns:
        Images of the same shape.
    """
    return warp(images, rotation=12, scale=0.1, shift=1)


def strong(images: Tensor) -> Tensor:
    """Make large changes, under which a digit is still the digit.

    Args:
        images: `[n, channels, height, width]` in 0..1.

    Returns:
        Images of the same shape: rotated by up to 20 degrees, 15 % larger or smaller, shifted, bent, with another
        contrast, noisy, and with a square cut out.

    Made for images of 8 x 8: shifts of up to 1.1 pixels, a square of 3 x 3. In larger images both grow in proportion.
    """
    eighth = images.shape[-1] / 8
    images = warp(images, rotation=20, scale=0.15, shift=1.1 * eighth, elastic=0.2)
    return cut_out(noise(contrast(images, 0.3), 0.05), round(3 * eighth))


def two_views(images: Tensor, augment: Augment = strong) -> tuple[Tensor, Tensor]:
    """Draw two random views of each image, as contrastive methods compare them.

    Args:
        images: `[n, channels, height, width]`.
        augment: a random change of images that keeps their shape.

    Returns:
        Two batches of views, each of the shape of `images`.

    Raises:
        ValueError: if `augment` returns images of another shape.

    A contrastive method learns to recognise the second view of an image among those of all other images.

    >>> one, other = two_views(torch.rand(5, 1, 8, 8))
    >>> one.shape == other.shape, bool((one == other).all())
    (True, False)
    """
    one, other = drawn_views(images, augment, 2)
    return one, other


class each(nn.Module):
    """Call a transform for each image of a batch by itself, so that each gets a random change of its own.

    Args:
        transform: from one image `[channels, height, width]` to one, of the same size for all.

    Raises:
        ValueError: when it is called, if the images that come back differ in size.

    torchvision's transforms draw one change for all that they are called with. Given to an objective they are called
    for each image by themselves; a function of yours that uses one is not, so put the transform into `each`.

    >>> from torchvision.transforms.v2 import RandomHorizontalFlip
    >>> each(RandomHorizontalFlip())
    each(RandomHorizontalFlip(p=0.5))
    """

    def __init__(self, transform: Augment):
        super().__init__()
        self.transform = transform

    def forward(self, images: Tensor) -> Tensor:
        """The images, each changed by itself.

        Args:
            images: `[n, channels, height, width]`.

        Returns:
            What the transform made of each, in one tensor.
        """
        views = [self.transform(image) for image in images]
        other = next((view.shape for view in views if view.shape != views[0].shape), None)
        if other is not None:
            raise ValueError(
                f"each made images of the shapes {list(views[0].shape)} and {list(other)}; a batch holds images of one "
                "size, so end the transform with one that crops or resizes"
            )
        return torch.stack(views)

    def __repr__(self) -> str:
        return f"each({getattr(self.transform, '__qualname__', None) or repr(self.transform)})"


def drawn_for_each(augment: Any) -> Any:
    """An augmentation, or several, as an objective uses them: torchvision's transforms are put into `each`."""
    if isinstance(augment, Sequence):
        return tuple(map(drawn_for_each, augment))
    if isinstance(augment, nn.Sequential):
        return nn.Sequential(*map(drawn_for_each, augment))
    of_torchvision = any(kind.__module__.startswith("torchvision.transforms") for kind in type(augment).__mro__)
    return each(augment) if of_torchvision else augment


def drawn_views(images: Tensor, augment: Augment, count: int, name: str = "the augmentation") -> list[Tensor]:
    """`count` random views of each image; ValueError, with the augmentation's `name`, if they have another shape."""
    augment = drawn_for_each(augment)
    views = [augment(images.clone()) for _ in range(count)]  # an augmentation may write into its images
    for view in views:
        if view.shape != images.shape:
            raise ValueError(
                f"{name} turned images of the shape {list(images.shape)} into {list(view.shape)}; "
                "a view has the shape of its image"
            )
    return views
