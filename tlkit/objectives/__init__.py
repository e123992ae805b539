"""What a run minimises: an objective turns (network, batch) into `{"loss": ..., other named values}`."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.objectives.supervised import L2SP, CrossEntropy

__all__ = ["CrossEntropy", "L2SP"]  # noqa: RUF022, which takes L2SP for a constant

__getattr__, __dir__ = attributes(__name__, {"supervised": ("CrossEntropy", "L2SP")})
