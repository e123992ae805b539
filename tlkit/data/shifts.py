"""A bad camera: the same images in another style, as strongly as one likes, without a label that changes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Shift:
    """A change of style of images, as a bad camera makes it: what they show, and so their labels, stay.

    Args:
        kind: "contrast" (grey takes the place of black and white), "brightness" (every value moves towards 1),
            "blur" (a Gaussian blur of an eighth of the side, and noise), "inversion" (0 becomes 1) or "mirror".
        strength: from 0, which changes nothing, to 1.
        seed: of the noise; the other kinds draw nothing.

    Raises:
        ValueError: for another kind, or a strength outside 0..1; when it is called, for what is not images in 0..1.

    It is called with images `[n, channels, height, width]` in 0..1 and returns such. The noise is the same in every
    call and on every device: that of an image depends on its place among the images, not on what it shows. Between 0
    and 1, "inversion" and "mirror" fade from the image into its negative or its mirror image; an image halfway to its
    negative is plain grey.

    >>> import tlkit as tl
    >>> tl.data.digits().shifted(Shift("contrast")).name
    'handwritten digits, contrast 1'
    """

    kind: str
    strength: float = 1.0
    seed: int = 0

    def __post_init__(self):
        if self.kind not in SHIFTS:
            raise ValueError(f"there is no shift {self.kind!r}; use one of {', '.join(SHIFTS)}")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength={self.strength}, but it goes from 0, which changes nothing, to 1")

    def __call__(self, images: Tensor) -> Tensor:
        if not isinstance(images, Tensor) or images.ndim != 4:
            what = f"of the shape {list(getattr(images, 'shape', ()))}"
            raise ValueError(f"a shift changes images in one tensor [n, channels, height, width], but these are {what}")
        if not images.is_floating_point() or not ((images >= 0) & (images <= 1)).all():
            low, high = float(images.min()), float(images.max())
            raise ValueError(
                f"a shift changes fractions in 0..1, but these are {images.dtype} from {low:.3g} to {high:.3g}; a "
                "tl.data.Split of uint8 images scales them"
            )
        if not self.strength or not len(images):
            return images.clone()
        return SHIFTS[self.kind](images, self.strength, self.seed).clamp(0, 1)

    def __str__(self) -> str:
        return f"{self.kind} {self.strength:g}"


def _contrast(images: Tensor, strength: float, seed: int) -> Tensor:
    return 0.5 + (images - 0.5) * (1 - 0.8 * strength)


def _brightness(images: Tensor, strength: float, seed: int) -> Tensor:
    return images + 0.6 * strength * (1 - images)


def _blur(images: Tensor, strength: float, seed: int) -> Tensor:
    side = images.shape[-1]
    reach = max(side // 4, 1)
    at = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    weights = torch.exp(-0.5 * (at / max(side / 8 * strength, 1e-3)).square())
    weights = weights / weights.sum()
    channels = images.shape[1]
    for shape, padding in (((1, 1, -1, 1), (0, 0, reach, reach)), ((1, 1, 1, -1), (reach, reach, 0, 0))):
        kernel = weights.view(shape).expand(channels, *[-1] * 3)
        images = F.conv2d(F.pad(images, padding, mode="replicate"), kernel, groups=channels)
    drawn = torch.randn(images.shape, generator=torch.Generator().manual_seed(int(seed)))
    return images + 0.1 * strength * drawn.to(images)


def _inversion(images: Tensor, strength: float, seed: int) -> Tensor:
    return images.lerp(1 - images, strength)


def _mirror(images: Tensor, strength: float, seed: int) -> Tensor:
    return images.lerp(images.flip(-1), strength)


SHIFTS: dict[str, Callable[[Tensor, float, int], Tensor]] = {
    "contrast": _contrast,
    "brightness": _brightness,
    "blur": _blur,
    "inversion": _inversion,
    "mirror": _mirror,
}
