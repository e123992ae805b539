"""The exercises of lesson 30."""

from typing import Any

from tlkit.data.tasks import Split, Task
from tlkit.features import Features, LinearProbe, extract_features
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import Network, predictions
from tlkit.words import with_article


@exercise("30.1")
def a_third_cut(answer: Any, network: Network, few: Task) -> Judgement:
    """A third cut.

    where to look: The cell that prints few.train and features does it at the last layer.
    two arguments: tl.extract_features takes layer= (here "block2") and grid= (None keeps every place).
    the line: tl.extract_features(networks["near"], few.train, layer="block2", grid=None)
    """
    if not isinstance(answer, Features):
        return f"features, what tl.extract_features returns; this is {with_article(type(answer).__name__)}"
    wanted, width = extract_features(network, few.train, layer="block2", grid=None), answer.values.shape[1]
    every = width == wanted.values.shape[1]
    same = answer.values.shape == wanted.values.shape and answer.values.allclose(wanted.values, atol=1e-5)
    return {
        (
            f"an image is now {width} numbers",
            f"every place kept: an image is {width} numbers, and could be more",
        ): every,
        (
            "they are what the second block makes of few.train",
            "few.train, after the second block of the near network",
        ): same,
    }


@exercise("30.2")
def chosen_on_validation(answer: Any, network: Network, few: Task) -> Judgement:
    """Chosen on validation.

    two arguments: tl.linear_probe takes strengths= (several) and validation= (features).
    what validation is: watched = tl.extract_features(networks["near"], few.validation)
    the line: tl.linear_probe(features, strengths=(0.1, 1, 10, 100), validation=watched)
    """
    if not isinstance(answer, LinearProbe):
        return f"a probe, what tl.linear_probe returns; this is {with_article(type(answer).__name__)}"
    watched = extract_features(network, few.validation)
    labels = few.validation.required_labels("so nothing can be chosen on it")
    right = {
        strength: float((predictions(head, watched.values) == labels).double().mean())
        for strength, head in answer.heads.items()
        if getattr(answer.cut, "feature_dim", None) == watched.values.shape[1]
    }
    elsewhere = "validation=, the features that networks['near'] gives few.validation, and no other images"
    return {
        ("several strengths were tried", "several strengths: strengths=(0.1, 1, 10, 100)"): len(answer.heads) > 1,
        ("one was chosen on the validation images", elsewhere): bool(right) and right == answer.accuracies,
    }


@exercise("30.3")
def one_network_again(answer: Any, probe: LinearProbe, test: Split) -> Judgement:
    """One network again.

    what a network is: A network is a backbone and a head. You have both.
    which backbone: The features were computed by networks["near"], so its backbone belongs below.
    the line: tl.models.Network(networks["near"].backbone, head.head)
    """
    if not isinstance(answer, Network):
        return f"a Network(backbone, head); this is {with_article(type(answer).__name__)}"
    try:
        classes = predictions(answer, test.inputs)
    except RuntimeError as error:
        return f"a head that fits its backbone: {error}"
    same = bool((classes == probe.predict(test.inputs)).float().mean() > 0.99)
    return {("it answers as the probe does", "the probe's answers: this network gives others"): same}
