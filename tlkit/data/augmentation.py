"""Random changes of images that keep their label, drawn for each image, on the device where the images are.

Own code because of the size of the images: at 8 x 8 and a batch of 64 a random affine takes 0.1 ms here, kornia 0.4,
torchvision's image by image 3.6, and a training step about 5. Any callable from images to images serves instead.
Everything here draws from torch's default generator; a `Run` seeds it for each step.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
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
    """Rotate, scale, shift, shear, stretch and bend each image in one resampling.

    `images` [n, channels, height, width]. Each amount is drawn uniformly between minus and plus what is given:
    `rotation` in degrees, `scale` and `shear` as shares, `shift` in pixels; `stretch` is a range for x and one for y.
    `elastic` moves the points of a `cells` x `cells` grid by up to that share of half the image, smoothly in between.
    Outside the image it is black.
    """
    n, _, height, width = images.shape
    device = images.device
    drawn = torch.rand(n, 7, device=device) * 2 - 1
    angle, size, slant, right, down, wide, high = drawn.unbind(1)
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
    """Where the pixels of an image lie, [height * width, 3]: x and y in -1..1, and 1 for the shift."""
    y, x = ((torch.arange(size, device=device) * 2 + 1) / size - 1 for size in (height, width))
    return torch.stack([x.repeat(height), y.repeat_interleave(width), torch.ones(height * width, device=device)], dim=1)


def brightness(images: Tensor, amount: float = 0.2) -> Tensor:
    """Multiply each image [n, channels, height, width] by a factor between 1 - `amount` and 1 + `amount`."""
    factor = 1 + (torch.rand(len(images), 1, 1, 1, device=images.device) * 2 - 1) * amount
    return (images * factor).clamp(0, 1)


def noise(images: Tensor, deviation: float = 0.05) -> Tensor:
    """Add normal noise of the given standard deviation to each pixel; values stay in 0..1."""
    return (images + deviation * torch.randn_like(images)).clamp(0, 1)


def contrast(images: Tensor, amount: float = 0.3) -> Tensor:
    """Stretch the values of each image about its mean by a factor between 1 - `amount` and 1 + `amount`."""
    factor = 1 + (torch.rand(len(images), 1, 1, 1, device=images.device) * 2 - 1) * amount
    mean = images.mean((1, 2, 3), keepdim=True)
    return (mean + (images - mean) * factor).clamp(0, 1)


def cut_out(images: Tensor, size: int = 3) -> Tensor:
    """Blacken one square of `size` pixels in each image, wholly inside it: DeVries and Taylor, 2017."""
    n, _, height, width = images.shape

    def inside(length: int) -> Tensor:
        """Which of `length` rows or columns the square covers: [n, length]."""
        first = torch.randint(max(length - size, 0) + 1, (n, 1), device=images.device)
        place = torch.arange(length, device=images.device)
        return (first <= place) & (place < first + size)

    hidden = inside(height)[:, None, :, None] & inside(width)[:, None, None, :]
    return images.masked_fill(hidden, 0)


def weak(images: Tensor) -> Tensor:
    """The small changes that every recipe of the lessons makes: 12 degrees, 10 % of size, one pixel."""
    return warp(images, rotation=12, scale=0.1, shift=1)


def strong(images: Tensor) -> Tensor:
    """Large changes, under which a digit is still the digit: 20 degrees, 15 % of size, bent, paler, noisy, cut out.

    Made for images of 8 x 8: shifts are 1.1 pixels, the square cut out is 3 x 3. In larger images both grow with them.
    """
    eighth = images.shape[-1] / 8
    images = warp(images, rotation=20, scale=0.15, shift=1.1 * eighth, elastic=0.2)
    return cut_out(noise(contrast(images, 0.3), 0.05), round(3 * eighth))


def two_views(images: Tensor, augment: Augment = strong) -> tuple[Tensor, Tensor]:
    """Two random views of each image: what a contrastive method tells from all other images.

    >>> one, other = two_views(torch.rand(5, 1, 8, 8))
    >>> one.shape == other.shape, bool((one == other).all())
    (True, False)

    Raises ValueError if `augment` returns images of another shape.
    """
    one, other = drawn_views(images, augment, 2)
    return one, other


def drawn_views(images: Tensor, augment: Augment, count: int, called: str = "the augmentation") -> list[Tensor]:
    """`count` random views of each image, of which each is of its shape; `called` names the augmentation if not."""
    views = [augment(images.clone()) for _ in range(count)]  # it may write into what it is given
    for view in views:
        if view.shape != images.shape:
            raise ValueError(
                f"{called} turned images of the shape {list(images.shape)} into {list(view.shape)}; "
                "a view has the shape of its image"
            )
    return views
