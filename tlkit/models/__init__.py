"""Networks as a backbone and a head."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.models.batch_norm import adapt_batchnorm
    from tlkit.models.moving_average import MovingAverage
    from tlkit.models.networks import Autoencoder, Network, SmallCNN
    from tlkit.models.teach import beliefs, class_means, drawing_features, pretrained_teach
    from tlkit.models.torchvision_models import pretrained

__getattr__, __dir__ = attributes(__name__)
