"""Photographs of lessons 30 and 31: what is computed once for an image is what its network would compute anew."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tlkit.data.tasks import Split, Task
from tlkit.experiments import Comparison
from tlkit.features import extract_features, linear_probe
from tlkit.lessons import photographs
from tlkit.models.networks import SmallCNN
from tlkit.models.torchvision_models import pretrained
from tlkit.training.run import Run

CLASSES = tuple("abcdefghij")


@pytest.fixture
def images(monkeypatch) -> Split:
    """1,800 pictures of 32 x 32 that take the place of CIFAR-10's: a class has a colour, the rest is noise."""
    labels = torch.arange(1_800) % len(CLASSES)
    noise = torch.rand(1_800, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    colours = torch.rand(10, 3, 1, 1, generator=torch.Generator().manual_seed(1))
    split = Split((noise + 3 * colours[labels]) / 4, labels, CLASSES)
    monkeypatch.setattr(photographs, "photographs", lambda: split)
    return split


@pytest.fixture
def small(monkeypatch) -> SmallCNN:
    """A small network that takes the place of ImageNet's."""
    network = SmallCNN((4, 4, 4), 16, channels=3, image_size=32, pool_after=(1, 2, 3), seed=1).eval()
    monkeypatch.setattr(photographs, "lite0", lambda weights="DEFAULT": network if weights else network.copy())
    return network


def drawn(comparison: Comparison, name: str, budget: int = 5, **settings) -> tuple[Task, object]:
    """A task of a comparison, and what one of its recipes makes of it."""
    task = comparison.task.few_labels(budget, seed=0)
    return task, comparison.recipes[name](task, 0, **settings)


def shown(images: Split, part: Split) -> Tensor:
    """The images that a split gives by number."""
    return images.images[part.inputs[:].flatten().long()]


def test_an_image_given_by_its_number_keeps_its_label_and_is_in_one_part_only(images):
    task = photographs.by_number(images)
    assert [len(part) for part in (task.test, task.validation, task.train)] == [1_000, 200, 600]
    parts = (task.train, task.validation, task.test)
    numbers = torch.cat([part.inputs[:] for part in parts]).flatten().long()
    assert numbers.sort().values.equal(torch.arange(1_800))
    assert torch.cat([part.labels for part in parts]).equal(images.labels[numbers])
    assert not task.redraw(1).test.inputs[:].equal(task.test.inputs[:])


def test_what_was_kept_is_augmented_only_while_a_network_is_trained():
    kept = torch.rand(4, 3)
    lookup = photographs.Lookup(kept, augment=lambda found: found + 1)
    numbers = torch.tensor([[2.0], [0.0]])
    assert lookup.train()(numbers).equal(kept[[2, 0]] + 1)
    assert lookup.eval()(numbers).equal(kept[[2, 0]])


def test_a_probe_by_number_predicts_what_one_on_the_images_does(images, small):
    task, probe = drawn(photographs.probes(), "probe, ImageNet")
    few = Split(shown(images, task.train), task.train.labels, CLASSES)
    by_image = linear_probe(extract_features(small, few), strengths=(0.1,), scaling="unit length")
    assert probe.predict(task.test.inputs[:]).equal(by_image.predict(shown(images, task.test)))


def test_a_layer_is_that_of_the_network_and_all_but_the_head_are_compared(images, small):
    comparison = photographs.layers()
    assert comparison.axes["layer"] == ("block1", "block2", "block3", "features")
    task, probe = drawn(comparison, "ImageNet", layer="block2")
    few = Split(shown(images, task.train), task.train.labels, CLASSES)
    expected = extract_features(small, few, layer="block2").values
    assert extract_features(probe.cut, task.train).values.allclose(expected, atol=1e-6)


def test_the_untrained_network_has_statistics_of_the_photographs_but_no_labels_and_no_gradients(images, small):
    network = photographs.untrained(images)
    norms = [part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert norms and all(norm.running_mean.abs().max() > 0 for norm in norms)
    assert not network.training and all(
        weight.equal(own) for weight, own in zip(network.parameters(), small.parameters(), strict=True)
    )


def test_from_scratch_a_network_is_trained_on_the_photographs_themselves(images, small):
    task, run = drawn(photographs.probes(), "from scratch")
    assert isinstance(run, Run) and run.steps == 200
    run.network.eval()
    by_number = run.network(task.test.inputs[:8].to(next(run.network.parameters()).device))
    run.network.preprocess = None
    assert by_number.equal(run.network(shown(images, task.test)[:8].to(by_number.device)))


def test_without_the_data_the_reason_is_printed_and_nothing_is_downloaded(monkeypatch, capsys):
    monkeypatch.setattr(photographs, "place", lambda name: None)
    monkeypatch.setattr(photographs, "find_spec", lambda name: object())
    assert photographs.neighbours() is None
    assert capsys.readouterr().out == "Not shown here: tlkit data fetch CIFAR10 brings it.\n"


def test_without_the_extra_the_reason_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(photographs, "find_spec", lambda name: None)
    assert photographs.neighbours() is None
    assert capsys.readouterr().out.startswith('Not shown here: pip install "timm')


@pytest.mark.extra
def test_the_blocks_that_are_fine_tuned_begin_as_those_of_the_whole_network(images, monkeypatch):
    whole = pretrained("tf_efficientnet_lite0", image_size=32)  # as it is it would take a minute
    monkeypatch.setattr(photographs, "lite0", lambda: whole)
    task, run = drawn(photographs.last_blocks(), "last blocks", budget=2)
    expected = whole.with_new_head(len(CLASSES), seed=0).eval()(shown(images, task.test)[:8])
    run.network.eval()
    found = run.network(task.test.inputs[:8].to(next(run.network.parameters()).device))
    torch.testing.assert_close(found.cpu(), expected, atol=1e-4, rtol=1e-4)
