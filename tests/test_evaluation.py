"""Reports against scikit-learn, and validation that changes nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import NAMES, Knowing, digest, network, run, split, task
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support
from sklearn.neighbors import KNeighborsClassifier
from torch.utils.data import DataLoader, TensorDataset

import tlkit as tl


def predicting(labels):
    """A predictor that always gives these labels."""
    return SimpleNamespace(predict=lambda images: labels)


def drawn(true_classes, predicted_classes, n: int = 200):
    """Random labels and predictions among these classes, of four."""
    torch.manual_seed(0)
    labels = torch.tensor(true_classes)[torch.randint(len(true_classes), (n,))]
    predicted = torch.tensor(predicted_classes)[torch.randint(len(predicted_classes), (n,))]
    return tl.data.Split(torch.zeros(n, 1, 1, 1), labels, tuple("abcd")), predicted


CASES = pytest.mark.parametrize(
    ("true", "predicted"),
    [((0, 1, 2, 3), (0, 1, 2, 3)), ((0, 1, 2, 3), (0, 1, 3)), ((0, 1, 2), (0, 1, 2, 3)), ((0, 1), (2, 3))],
    ids=["all classes", "one never predicted", "one absent", "nothing right"],
)


@CASES
def test_a_report_is_what_scikit_learn_computes(true, predicted):
    test, guesses = drawn(true, predicted)
    report = tl.evaluate(predicting(guesses), test)
    shares = precision_recall_fscore_support(test.labels, guesses, labels=range(4), zero_division=0)
    for name, expected in zip(("precision", "recall", "f1"), shares, strict=False):
        assert getattr(report, name).tolist() == pytest.approx(expected.tolist()), name
        assert report.macro[name] == pytest.approx(expected.mean()), name
    assert report.accuracy == pytest.approx(accuracy_score(test.labels, guesses))
    assert report.confusion.tolist() == confusion_matrix(test.labels, guesses, labels=range(4)).tolist()


def test_a_network_is_judged_by_its_largest_logit():
    net, test = network().eval(), split(50)
    expected = accuracy_score(test.labels, net(test.images).argmax(1))
    assert tl.evaluate(net, test).accuracy == pytest.approx(expected)


def test_a_run_is_judged_by_its_network():
    finished = run(5).finish()
    assert tl.evaluate(finished, split(50)).confusion.equal(tl.evaluate(finished.network, split(50)).confusion)


def test_anything_that_predicts_labels_can_be_judged():
    train, test = split(60), split(40, seed=1)
    nearest = KNeighborsClassifier(1).fit(train.images.flatten(1), train.labels)
    judged = tl.evaluate(SimpleNamespace(predict=lambda images: nearest.predict(images.flatten(1))), test)
    assert judged.accuracy == pytest.approx(nearest.score(test.images.flatten(1), test.labels))


def test_evaluation_changes_nothing():
    net = network().train()
    net.backbone.eval()
    modes, before, generator = [m.training for m in net.modules()], digest(net), torch.get_rng_state()
    tl.evaluate(net, split())
    assert [m.training for m in net.modules()] == modes
    assert digest(net) == before and torch.get_rng_state().equal(generator)
    assert all(p.requires_grad and p.grad is None for p in net.parameters())


@pytest.mark.parametrize(
    ("predicted", "words"),
    [
        (torch.zeros(30, 3), r"30 images got predictions of shape \[30, 3\]; give one class number each"),
        (torch.full((30,), 3), "predictions run from 3 to 3, but the split has the classes 0 to 2; does the head"),
        (torch.full((30,), -1), "predictions run from -1 to -1"),
    ],
    ids=["logits", "too large", "negative"],
)
def test_predictions_that_are_no_class_numbers_are_refused(predicted, words):
    with pytest.raises(ValueError, match=words):
        tl.evaluate(predicting(predicted), split())


def test_a_network_that_answers_no_number_is_not_judged():
    broken = network()
    broken.head.bias.data[0] = float("nan")
    with pytest.raises(ValueError, match="outputs are not all finite; train it again with a lower learning rate"):
        tl.evaluate(broken, split(9))


def test_without_labels_nothing_can_be_judged():
    unlabelled = replace(split(), labels=None)
    with pytest.raises(ValueError, match="no labels"):
        tl.evaluate(Knowing(1), unlabelled)
    with pytest.raises(ValueError, match="this split has no labels, and validation needs them"):
        tl.validated(run(), unlabelled)


def test_a_report_says_its_shares_in_words():
    assert repr(tl.evaluate(Knowing(0.9), split(30))) == (
        "90.0 % of 30 images right; macro precision 90.0 %, macro recall 90.0 %, macro F1 90.0 %"
    )


def test_in_the_table_of_a_report_names_of_classes_are_text_not_markup():
    named = replace(split(30), classes=("<b>&", *NAMES[1:]))
    html = tl.evaluate(Knowing(0.9), named)._repr_html_()
    assert "<td>&lt;b&gt;&amp;</td>" in html and "<b>" not in html
    assert "90.0 % of all images right" in html


# ---- validation ----


@pytest.mark.parametrize(("steps", "expected"), [(7, [0, 3, 6, 7]), (6, [0, 3, 6]), (2, [0, 2])])
def test_validation_measures_before_the_first_step_every_so_often_and_after_the_last(steps, expected):
    finished = tl.validated(run(steps), split(9), every=3).finish()
    assert finished.history.series("accuracy")[0] == expected


def test_what_validation_measures_is_what_evaluation_finds():
    test = split(50, seed=1)
    finished = tl.validated(run(20), test, every=7).finish()
    accuracies = finished.history.series("accuracy")[1]
    assert accuracies[0] == tl.evaluate(network(), test).accuracy
    assert accuracies[-1] == tl.evaluate(finished.network, test).accuracy


def test_validation_gives_the_same_steps_and_the_same_weights():
    noisy = tl.objectives.CrossEntropy(augment=tl.data.noise)
    watched, alone = run(20, objective=noisy), run(20, objective=noisy)
    assert [step.loss for step in tl.validated(watched, split(9), every=1)] == [step.loss for step in alone]
    assert digest(watched.network) == digest(alone.network)


def test_breaking_off_is_early_stopping_and_going_on_measures_nothing_twice():
    watched = tl.validated(run(8), split(9), every=2)
    for step in watched:
        if step.number == 4:
            break
    assert watched.run.step == 4
    watched.finish()
    assert watched.run.history.series("accuracy")[0] == [0, 2, 4, 6, 8]


def test_a_restarted_run_is_validated_from_its_beginning():
    watched = tl.validated(run(4), split(9), every=2)
    watched.finish().restart()
    assert watched.finish().history.series("accuracy")[0] == [0, 2, 4]


def test_a_look_is_taken_before_the_first_step_every_so_often_and_after_the_last():
    steps = []
    looked = tl.observed(run(7), lambda run: steps.append(run.step) or {"size": 2.0 * run.step}, every=3)
    assert looked.finish().history.series("size") == ([0, 3, 6, 7], [0, 6, 12, 14])
    assert steps == [0, 3, 6, 7]


def test_a_look_that_measures_nothing_is_taken_once_all_the_same():
    steps = []
    looked = tl.observed(run(4), lambda run: steps.append(run.step) or {}, every=2)
    next(looked)
    looked.run.set_lr(0.01)
    looked.finish()
    assert steps == [0, 2, 4]


def test_a_run_is_looked_at_at_most_once_a_step():
    with pytest.raises(ValueError, match="every=0, but a run can be looked at at most once a step"):
        tl.validated(run(), split(), every=0)


def test_a_validated_run_says_what_it_is_tested_on():
    assert repr(tl.validated(run(5), split(9))) == "Run ready at step 0 of 5 on cpu, tested on 9 images every 20 steps"


@pytest.mark.parametrize("predicted", [torch.full((30,), 0.7), np.linspace(0, 1, 30)])
def test_probabilities_are_not_cut_to_class_numbers(predicted):
    with pytest.raises(ValueError, match=r"predictions are fractions, .*; of probabilities .* take \.argmax\(1\)"):
        tl.evaluate(predicting(predicted), split())


def test_class_numbers_may_be_written_as_fractions():
    assert tl.evaluate(predicting(split().labels.double()), split()).accuracy == 1


def test_what_is_no_split_cannot_be_tested_on():
    with pytest.raises(TypeError, match=r"a Task cannot be made into a split: .* of a task give one of its splits"):
        tl.evaluate(network(), task())


def test_a_torch_data_set_and_a_loader_of_it_are_tested_on():
    data, net = split(), network()
    dataset = TensorDataset(data.images, data.labels)
    for given in (dataset, DataLoader(dataset, 4)):
        assert tl.evaluate(net, given).accuracy == tl.evaluate(net, data).accuracy
    history = tl.validated(run(3), dataset, every=3).finish().history
    assert len(history.series("accuracy")[1]) == 2


# ---- predictions of new examples ----


def test_a_prediction_is_the_most_probable_class_by_name_with_all_probabilities():
    data, net = split(9), network()
    found = tl.predict(net, data)
    assert found.probabilities.equal(net.eval()(data.inputs).detach().softmax(1))
    assert found.names == tuple(NAMES[number] for number in tl.evaluate(net, data).predictions)
    assert found.classes == NAMES and len(found) == 9


def test_a_run_knows_the_names_of_its_classes_and_answers_with_its_average():
    going = run(3, average=0.5).finish()
    found = tl.predict(going, split(9).inputs)
    assert found.classes == NAMES
    assert found.probabilities.equal(tl.predict(going.averaged, split(9)).probabilities)


def test_without_names_classes_are_numbers_and_names_can_be_given():
    inputs = split(4).inputs
    assert tl.predict(network(), inputs).classes == ("0", "1", "2")
    assert set(tl.predict(network(), inputs, ["x", "y", "z"]).names) <= {"x", "y", "z"}


def test_predicting_changes_nothing():
    net = network().train()
    before = digest(net)
    tl.predict(net, split())
    assert digest(net) == before and net.training


def test_predictions_are_said_in_words():
    found = tl.predict(network(), split(20).inputs)
    assert re.fullmatch(r"(\d \(\d+ %\), ){9}\d \(\d+ %\) and 10 more", repr(found))


@pytest.mark.parametrize(
    ("network", "inputs", "classes", "error", "words"),
    [
        (Knowing(1.0), split().inputs, None, TypeError, "a Knowing gives no probabilities; give a network or a Run"),
        (network(), split().inputs, ["x"], ValueError, "distinguishes 3 classes, but these images have 1"),
        (network(), split().inputs.numpy(), None, TypeError, r"take torch.from_numpy\(array\)"),
    ],
)
def test_what_cannot_be_predicted_is_refused(network, inputs, classes, error, words):
    with pytest.raises(error, match=words):
        tl.predict(network, inputs, classes)
