"""Tasks and their data: kinds of examples, real digits, rendered characters, few labels, batches and augmentation."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.data.augmentation import brightness, contrast, cut_out, each, noise, strong, two_views, warp, weak
    from tlkit.data.batches import Batch, Batches, JointBatches, PairedBatch, PairedBatches
    from tlkit.data.image_folders import image_folder
    from tlkit.data.kinds import Images, Kind, Tokens, Vectors, Waves
    from tlkit.data.shifts import Shift
    from tlkit.data.sources import digits, glyphs
    from tlkit.data.tasks import Split, Task, as_split
    from tlkit.data.torchvision_data import cifar10, mnist, torchvision_task

__getattr__, __dir__ = attributes(__name__)
