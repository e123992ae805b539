"""Networks as a backbone and a head."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.models.networks import Network, SmallCNN

__all__ = ["Network", "SmallCNN"]

__getattr__, __dir__ = attributes(__name__, {"networks": ("Network", "SmallCNN")})
