"""Lesson 30 can fail: a source with nothing to teach leaves its claims false. And what its exercises accept."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import pytest
import torch

import tlkit as tl
from tlkit.lessons import find, run_lesson

NEEDED = (  # from the data to the last claim, without questions, pictures and what was recorded
    *("imports", "from-scratch", "measure-from-scratch", "sources", "pretrain", "compare", "measure"),
    *("claim-probe-wins", "claim-nothing-lost", "claim-knowledge"),
)
SOURCES = '{"near": near, "far": far}'
SHUFFLED = '{"near": near.with_shuffled_labels(seed=0), "far": far}'


def test_with_a_source_whose_labels_are_shuffled_the_claims_about_what_was_learnt_fall(tmp_path):
    lesson = find("30")
    notebook = nbformat.read(lesson.path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id in NEEDED]
    assert [cell.id for cell in notebook.cells] == list(NEEDED)
    assert sum(cell.source.count(SOURCES) for cell in notebook.cells) == 1
    for cell in notebook.cells:
        cell.source = cell.source.replace(SOURCES, SHUFFLED)
    nbformat.write(notebook, tmp_path / lesson.path.name)
    entry = run_lesson(replace(lesson, path=tmp_path / lesson.path.name), scale="quick")
    assert "error" not in entry
    wins, _, knowledge = entry["claims"]
    assert wins["holds"] is False and knowledge["holds"] is False


@pytest.fixture(scope="module")
def near():
    return tl.models.SmallCNN(seed=0).eval()


@pytest.fixture(scope="module")
def few():
    return tl.data.digits().few_labels(5, seed=0)


def missing(exercise, answer, *by):
    return list(tl.lessons.check(exercise, answer, *by).missing)


@pytest.mark.parametrize(
    ("layer", "grid", "lacks"),
    [
        ("block2", None, []),
        ("block2", 4, []),  # these are all the places there are
        ("block2", 1, ["every place kept", "few.train, after the second block"]),
        ("block1", 4, ["every place kept", "few.train, after the second block"]),
        ("block1", None, ["every place kept", "few.train, after the second block"]),
    ],
)
def test_exercise_1_wants_every_place_of_the_second_block(layer, grid, lacks, near, few):
    found = missing("30.1", tl.extract_features(near, few.train, layer=layer, grid=grid), near, few)
    assert [sentence.startswith(lack) for sentence, lack in zip(found, lacks, strict=True)] == [True] * len(lacks)


def test_exercise_1_wants_the_near_network_and_the_labelled_images(near, few):
    other = tl.extract_features(tl.models.SmallCNN(seed=1), few.train, layer="block2", grid=None)
    elsewhere = tl.extract_features(near, few.validation, layer="block2", grid=None)
    for answer in (other, elsewhere):
        assert missing("30.1", answer, near, few) == ["few.train, after the second block of the near network"]
    assert missing("30.1", torch.zeros(50, 512), near, few)[0].endswith("this is a Tensor")


def test_exercise_2_wants_a_strength_that_the_validation_images_chose(near, few):
    train, watched = (tl.extract_features(near, part) for part in (few.train, few.validation))
    assert missing("30.2", tl.linear_probe(train, strengths=(0.1, 1, 10), validation=watched), near, few) == []
    on_the_test = tl.extract_features(near, few.test)
    (found,) = missing("30.2", tl.linear_probe(train, strengths=(0.1, 1), validation=on_the_test), near, few)
    assert found.startswith("validation=, the features")
    assert len(missing("30.2", tl.linear_probe(train), near, few)) == 2


def test_exercise_3_wants_one_network_that_answers_as_the_probe_does(near, few):
    probe = tl.linear_probe(tl.extract_features(near, few.train))
    assert missing("30.3", tl.models.Network(near.backbone, probe.head), probe, few.test) == []
    other = tl.models.Network(tl.models.SmallCNN(seed=1).backbone, probe.head)
    assert missing("30.3", other, probe, few.test) == ["the probe's answers: this network gives others"]
    assert missing("30.3", probe.head, probe, few.test) == ["a Network(backbone, head); this is a Linear"]
