"""How the network that reads drawings was pre-trained; it stands here, above the models, because it needs a Run."""

from __future__ import annotations

from functools import partial

from tlkit.data.augmentation import warp
from tlkit.data.characters import characters
from tlkit.models.networks import SmallCNN
from tlkit.models.teach import untrained_teach
from tlkit.objectives.supervised import CrossEntropy
from tlkit.training.run import Run

# What one hand does differently from another, in pictures of 16 x 16.
wobble = partial(warp, rotation=15, scale=0.1, shear=0.15, shift=1, elastic=0.1, cells=4)


def pretrain_teach(seed: int = 0) -> SmallCNN:
    """Train the network of `Teach` anew on 400 printed characters: 1,000 steps, about half a minute.

    The weights that travel with the package are
    `Path("tlkit/models/teach.int8").write_bytes(quantised(tl.models.pretrain_teach()))`.
    """
    network = untrained_teach(seed=seed)
    options = {"batch_size": 128, "lr": 4e-3, "schedule": "one-cycle", "seed": seed}
    Run(network, CrossEntropy(augment=wobble), characters(seed=seed), steps=1_000, **options).finish()
    return network
