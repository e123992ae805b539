"""Learning from a network's own labels: which of them to trust, so that no class starves."""

import math
from dataclasses import replace
from typing import Any

import torch

from tlkit.data.tasks import Split
from tlkit.evaluation import predict


def balanced_pseudo_labels(network: Any, split: Any, share: float) -> Split:
    """What a network says of examples, of each class where it is surest: no class starves.

    Args:
        network: a network that classifies, or a Run, as for `tl.predict`.
        split: the examples without labels, a Split, whose labels are not looked at.
        share: how many of the examples are wanted, above 0 and at most 1, evenly over the classes: of n examples and C
            classes, the share * n / C of each predicted class that the network is surest of, rounded up.

    Returns:
        A Split of these examples with the network's own labels. Of a class that is predicted less often there are as
        many as there are, and none of one that is predicted nowhere.

    Raises:
        ValueError: if `share` is not in (0, 1], the network does not fit the examples, or these have labels of several
            tasks.
        TypeError: if `split` is not a Split, or the network gives no probabilities.

    Source: Zou et al., Unsupervised Domain Adaptation for Semantic Segmentation via Class-Balanced Self-Training, 2018.

    An untrained network says the same of all images; of that class there are no more than of any other:

    >>> import tlkit as tl
    >>> tl.balanced_pseudo_labels(tl.models.SmallCNN(), tl.data.digits().test, share=0.5)
    30 grey images of 8 x 8, 10 classes
    """
    if not isinstance(split, Split):
        raise TypeError(f"a {type(split).__name__} is not a split; give one without labels, such as task.unlabelled")
    if not 0 < share <= 1:
        raise ValueError(f"share={share}, but it is above 0, which would keep nothing, and at most 1, which keeps all")
    split.one_label_each()
    sure, labels = predict(network, split).probabilities.max(1)
    order = sure.argsort(descending=True)
    members = [order[labels[order] == label] for label in range(len(split.classes))]
    most = math.ceil(round(share * len(split) / len(split.classes), 9))
    kept = torch.cat([of[:most] for of in members]).to(split.inputs.device)
    return replace(split[kept], labels=labels[kept.cpu()].to(split.inputs.device))
