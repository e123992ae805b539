"""Classical rivals as recipes: they are fitted as scikit-learn is by hand, and see no hidden label."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.semi_supervised import LabelSpreading

import tlkit as tl

FEW = tl.data.digits().few_labels(2, seed=0)
SPREADING = partial(LabelSpreading, kernel="knn")


class Remembers:
    """What `fit` was given, and a prediction that does not depend on it."""

    def fit(self, inputs, labels):
        self.inputs, self.labels = inputs, labels

    def predict(self, inputs):
        return np.zeros(len(inputs), dtype=int)


def test_a_classical_rival_is_what_scikit_learn_is_by_hand():
    assert FEW.unlabelled is not None
    images = torch.cat([FEW.train.images, FEW.unlabelled.images]).flatten(1).numpy()
    labels = np.r_[FEW.train.labels, np.full(len(FEW.unlabelled), -1)]
    with np.errstate(invalid="ignore"):
        by_hand = SPREADING().fit(images, labels).predict(FEW.test.images.flatten(1).numpy())
    ours = tl.classical_recipe(SPREADING, unlabelled=True)(FEW, 0)
    assert (ours.predict(FEW.test.images) == by_hand).all()
    assert tl.evaluate(ours, FEW.test).accuracy == np.mean(by_hand == FEW.test.labels.numpy())


def test_it_gets_the_labels_of_train_and_minus_one_for_all_others():
    fitted = tl.classical_recipe(Remembers, unlabelled=True)(FEW, 0).classifier
    assert fitted.labels[: len(FEW.train)].tolist() == FEW.train.labels.tolist()
    assert len(fitted.labels) == len(fitted.inputs) == 997 and set(fitted.labels[len(FEW.train) :]) == {-1}


@pytest.mark.parametrize("task", [FEW, replace(FEW, unlabelled=None)])
def test_without_unlabelled_examples_it_learns_from_train_alone(task):
    assert len(tl.classical_recipe(Remembers)(task, 0).classifier.labels) == 20
    assert len(tl.classical_recipe(Remembers, unlabelled=task is not FEW)(task, 0).classifier.labels) == 20


def test_its_family_says_whether_it_uses_unlabelled_examples():
    families = [tl.classical_recipe(SPREADING, unlabelled=used).family for used in (True, False)]
    assert families == ["unlabelled target", "nothing learnt"]
    assert tl.classical_recipe(SPREADING, family="from scratch").family == "from scratch"


def test_images_that_no_label_reaches_raise_no_warning():
    assert FEW.unlabelled is not None
    far = replace(FEW.unlabelled, inputs=1 - FEW.unlabelled.images)  # their nearest neighbours are each other
    images = torch.cat([FEW.train.images, far.images]).flatten(1).numpy()
    with pytest.warns(RuntimeWarning, match="invalid value"):
        SPREADING().fit(images, np.r_[FEW.train.labels, np.full(len(far), -1)]).predict(images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tl.classical_recipe(SPREADING, unlabelled=True)(replace(FEW, unlabelled=far), 0).predict(far.images)


def test_a_classical_rival_is_compared_like_any_other():
    nearest = tl.classical_recipe(lambda: KNeighborsClassifier(1))
    compared = tl.compare({"nearest": nearest}, tl.data.digits(), seeds=range(2), budgets=(1, 20)).finish()
    assert compared.mean("nearest", 20) > compared.mean("nearest", 1) > 0.4
