"""Batch-norm statistics of other inputs, and passes that leave statistics as they are."""

import pytest
import torch
from helpers import digest
from torch import nn

import tlkit as tl
from tlkit.models.batch_norm import call_unmoved


def norms(network):
    return [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]


def test_the_statistics_are_those_of_the_inputs_layer_by_layer():
    network, images = tl.models.SmallCNN(), tl.data.digits().train.images
    adapted = tl.models.adapt_batchnorm(network, images)
    x = images
    for ours, adapted_one in zip(norms(network), norms(adapted), strict=True):
        block = next(b for b in adapted.backbone.children() if adapted_one in b.children())
        for layer in block.children():
            if layer is adapted_one:
                flat = x.double().transpose(0, 1).flatten(1)
                assert torch.allclose(layer.running_mean.double(), flat.mean(1), atol=1e-5)
                assert torch.allclose(layer.running_var.double(), flat.var(1), rtol=1e-4)
                spread = flat.var(1, correction=0)
                x = (x - flat.mean(1).float()[:, None, None]) / (spread + layer.eps).sqrt().float()[:, None, None]
                x = x * layer.weight[:, None, None] + layer.bias[:, None, None]
            else:
                x = layer(x)
        assert adapted_one.momentum == ours.momentum == 0.1


def test_nothing_else_changes_and_no_label_is_looked_at():
    network, split = tl.models.SmallCNN().eval(), tl.data.digits().train
    before, state = digest(network), torch.get_rng_state()
    adapted = tl.models.adapt_batchnorm(network, split)
    poisoned = tl.models.adapt_batchnorm(network, tl.data.Split(split.images, (split.labels + 1) % 10, split.classes))
    assert digest(adapted) == digest(poisoned) == digest(tl.models.adapt_batchnorm(network, split.images))
    assert digest(network) == before and torch.get_rng_state().equal(state)
    assert not adapted.training and not any(norm.training for norm in norms(adapted))
    assert tl.models.adapt_batchnorm(network.train(), split).training
    for (name, one), other in zip(network.named_parameters(), adapted.parameters(), strict=True):
        assert one.equal(other), name


def test_the_order_of_the_examples_does_not_matter():
    """Sorted by class, a batch would hold one class alone."""
    split = tl.data.digits().train
    several = tl.data.Split(split.images.repeat(3, 1, 1, 1), split.labels.repeat(3), split.classes)
    network = tl.models.SmallCNN()
    by_class = tl.models.adapt_batchnorm(network, several.images[several.labels.argsort()])
    whole = tl.models.adapt_batchnorm(network, split)  # the same statistics, in one batch
    for one, other in zip(norms(by_class), norms(whole), strict=True):
        assert torch.allclose(one.running_mean, other.running_mean, atol=0.05)
        assert torch.allclose(one.running_var, other.running_var, rtol=0.1)


def test_a_bad_camera_is_mostly_repaired():
    task = tl.data.digits()
    camera = task.adapted_to(task.shifted(tl.data.Shift("contrast")))
    objective = tl.objectives.CrossEntropy(augment=tl.data.weak)
    run = tl.Run(tl.models.SmallCNN(), objective, camera, steps=150, schedule="one-cycle", device="cpu").finish()
    broken = tl.evaluate(run, camera.test).accuracy
    repaired = tl.evaluate(tl.models.adapt_batchnorm(run.network, camera.unlabelled), camera.test).accuracy
    assert broken < 0.35 and repaired > broken + 0.2


def test_dropout_draws_nothing_and_streams_and_other_precisions_are_taken():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 10))
    images = tl.data.digits().train.images
    one, other = (tl.models.adapt_batchnorm(network, images) for _ in range(2))
    assert digest(one) == digest(other) and float(one[3].running_var.mean()) < 1
    double = tl.models.adapt_batchnorm(tl.models.SmallCNN().double(), images)
    assert norms(double)[0].running_mean.dtype == torch.float64


def test_what_cannot_be_adapted():
    with pytest.raises(ValueError, match="keeps no batch-norm statistics, so there is nothing to adapt"):
        tl.models.adapt_batchnorm(nn.Linear(3, 2), torch.rand(5, 3))
    without = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, track_running_stats=False))
    with pytest.raises(ValueError, match="nothing to adapt"):
        tl.models.adapt_batchnorm(without, torch.rand(5, 3))
    with pytest.raises(ValueError, match="at least 2 inputs, but there are 1"):
        tl.models.adapt_batchnorm(tl.models.SmallCNN(), torch.rand(1, 1, 8, 8))


def test_a_pass_that_moves_nothing_gives_the_same_outputs_and_gradients():
    network, images = tl.models.SmallCNN().train(), torch.rand(6, 1, 8, 8)
    before = digest(network)
    outputs = call_unmoved(network, images)
    assert digest(network) == before
    outputs.sum().backward()
    gradient = network.head.weight.grad.clone()
    network.zero_grad()
    plain = network(images)
    plain.sum().backward()
    assert plain.equal(outputs) and network.head.weight.grad.equal(gradient) and digest(network) != before


def test_runs_data_sets_and_images_of_a_camera_are_taken():
    split = tl.data.digits().train
    run = tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), split, steps=1, device="cpu").finish()
    wanted = digest(tl.models.adapt_batchnorm(run.network, split))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(split.images, split.labels), 64)
    assert digest(tl.models.adapt_batchnorm(run, split)) == digest(tl.models.adapt_batchnorm(run, loader)) == wanted
    bytes_ = (split.images * 255).round().byte()
    assert digest(tl.models.adapt_batchnorm(run, bytes_)) == digest(tl.models.adapt_batchnorm(run, bytes_ / 255))
    with pytest.raises(TypeError, match="of a task give one of its splits"):
        tl.models.adapt_batchnorm(run, tl.data.digits())


def test_an_image_that_is_not_finite_is_named():
    images = torch.rand(5, 1, 8, 8)
    images[3] = torch.nan
    with pytest.raises(ValueError, match="3 has values that are not finite"):
        tl.models.adapt_batchnorm(tl.models.SmallCNN(), images)


def test_statistics_that_the_inputs_do_not_reach_stay():
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    network.aside = nn.Identity()
    network.aside.norm = nn.BatchNorm1d(2)
    network.aside.norm.running_mean.fill_(7)
    assert tl.models.adapt_batchnorm(network, torch.rand(5, 3)).aside.norm.running_mean.tolist() == [7, 7]
