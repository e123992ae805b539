"""The exercises of lesson 30."""

from typing import Any

from tlkit.data.tasks import Split, Task
from tlkit.experiments import Comparison
from tlkit.features import LinearProbe, extract_features
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import Network, predictions


@exercise("30.1")
def the_best_layer(answer: Any, cuts: Comparison) -> Judgement:
    """The best layer.

    where to look: The picture shows it: which point of the upper curve is highest?
    in numbers: cuts.mean("near", {"layer": "block1"}), and the same for the other layers.
    in code: max(layers, key=lambda layer: cuts.mean("near", {"layer": layer}))
    """
    reached = {layer: cuts.mean("near", {"layer": layer}) for layer in cuts.axes["layer"]}
    if answer not in [*reached]:  # an answer may be a list
        return f"one of the layers: {', '.join(reached)}"
    best = max(reached.values())
    return {("no other layer does better", "the best: another layer does better"): reached[answer] == best}


@exercise("30.2")
def one_network_again(answer: Any, probe: LinearProbe, test: Split) -> Judgement:
    """One network again.

    what a network is: A network is a backbone and a head. You have both.
    which backbone: The features were computed by networks["near"], so its backbone belongs below.
    the line: tl.models.Network(networks["near"].backbone, head.head)
    """
    if not isinstance(answer, Network):
        return f"a Network(backbone, head); this is a {type(answer).__name__}"
    try:
        classes = predictions(answer, test.inputs)
    except RuntimeError as error:
        return f"a head that fits its backbone: {error}"
    same = bool((classes == probe.predict(test.inputs)).float().mean() > 0.99)
    return {("it answers as the probe does", "the probe's answers: this network gives others"): same}


@exercise("30.3")
def chosen_on_validation(answer: Any, network: Network, few: Task) -> Judgement:
    """Chosen on validation.

    two arguments: tl.linear_probe takes strengths= (several) and validation= (features).
    what validation is: tl.extract_features(networks["near"], few.validation)
    the line: tl.linear_probe(features, strengths=(0.1, 1, 10, 100), validation=watched)
    """
    if not isinstance(answer, LinearProbe):
        return f"a probe, what tl.linear_probe returns; this is a {type(answer).__name__}"
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
