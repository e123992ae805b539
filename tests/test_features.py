"""Frozen features against the network's own layers, probes against scikit-learn, the cached way against the slow."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from helpers import NAMES, digest, network, run, split, task
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from torch import nn

import tlkit as tl
from tlkit.features import Features, extract_features, linear_probe


def features(n: int = 60, seed: int = 0) -> Features:
    return extract_features(network(), split(n, seed), device="cpu")


def cnn(seed: int = 0) -> tl.models.SmallCNN:
    return tl.models.SmallCNN(widths=(4, 6), features=5, classes=3, image_size=4, pool_after=(2,), seed=seed)


# ---- features ----


def test_features_are_the_input_of_the_head_in_evaluation_mode():
    net = network().train()
    expected = net.eval().features(split().images)
    torch.testing.assert_close(extract_features(net.train(), split(), device="cpu", batch_size=7).values, expected)


@pytest.mark.parametrize("layer", ["block1", "backbone.block1"])
def test_a_layer_is_a_group_or_a_dotted_name(layer):
    net, images = cnn().eval(), split().images
    maps = net.backbone.block1(images)
    torch.testing.assert_close(extract_features(net, split(), layer, device="cpu").values, maps.mean((2, 3)))
    torch.testing.assert_close(extract_features(net, split(), layer, grid=None, device="cpu").values, maps.flatten(1))
    quarters = maps.unflatten(2, (2, 2)).unflatten(4, (2, 2)).mean((3, 5)).flatten(1)
    torch.testing.assert_close(extract_features(net, split(), layer, grid=2, device="cpu").values, quarters)


def test_a_grid_finer_than_the_layer_is_the_layer():
    fine = extract_features(cnn(), split(), "block1", grid=9, device="cpu")
    assert fine.values.equal(extract_features(cnn(), split(), "block1", grid=None, device="cpu").values)


def test_a_group_that_ends_in_its_pooling_still_has_a_grid():
    from torchvision.models import resnet18

    net, images = resnet18(weights=None).eval(), split(4).images.expand(-1, 3, -1, -1).repeat_interleave(16, 2)
    photographs = replace(split(4), inputs=images.repeat_interleave(16, 3))
    assert extract_features(net, photographs, "stage4", grid=2, device="cpu").values.shape == (4, 512 * 4)
    pooled = extract_features(net, photographs, "stage4", device="cpu").values
    torch.testing.assert_close(extract_features(net, photographs, device="cpu").values, pooled)


def test_tokens_are_averaged_or_kept():
    net = nn.Sequential(nn.Flatten(2), nn.Linear(16, 5), nn.Flatten(), nn.Linear(5, 3))
    tokens = net[:2](split().images)
    torch.testing.assert_close(extract_features(net, split(), "1", device="cpu").values, tokens.mean(1))


def test_a_network_that_is_only_a_head_gives_the_pixels_themselves():
    assert extract_features(nn.Flatten(), split(), device="cpu").values.equal(split().images.flatten(1))


def test_no_layer_above_the_cut_is_computed():
    net = cnn()
    net.backbone.features = nn.Sequential(nn.Linear(1, 1))  # would fail
    assert extract_features(net, split(), "block2", device="cpu").values.shape == (30, 6)


def test_preprocessing_takes_part():
    net = network()
    halved = tl.models.Network(net.backbone, net.head, preprocess=lambda images: images / 2)
    expected = extract_features(net, replace(split(), inputs=split().images / 2), device="cpu")
    assert extract_features(halved, split(), device="cpu").values.equal(expected.values)


def test_dropout_takes_no_part():
    net = network()
    net.backbone.features.append(nn.Dropout(0.5))
    assert extract_features(net.train(), split(), device="cpu").values.equal(
        extract_features(network(), split(), device="cpu").values
    )


def test_the_network_stays_as_it_is():
    net = network().train()
    net.backbone.block1.eval()
    net.head(net.features(split().images)).sum().backward()
    modes, before, generator = [m.training for m in net.modules()], digest(net), torch.get_rng_state()
    gradients = [p.grad.clone() for p in net.parameters()]
    linear_probe(extract_features(net, split(), device="cpu")).predict(split().images)
    assert [m.training for m in net.modules()] == modes
    assert digest(net) == before and torch.get_rng_state().equal(generator)
    assert all(p.requires_grad and p.grad.equal(g) for p, g in zip(net.parameters(), gradients, strict=True))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_images_on_disk_give_the_features_of_those_in_memory(tmp_path):
    for part in "ab":
        (tmp_path / part).mkdir()
        for number in range(6):
            pixels = np.random.default_rng(number).integers(0, 255, (4, 4), np.uint8)
            Image.fromarray(pixels).save(tmp_path / part / f"{number}.png")
    held, streamed = (tl.data.image_folder(tmp_path, size=4, stream=stream).train for stream in (False, True))
    from_disk = extract_features(network(), streamed, batch_size=3, device="cpu")
    torch.testing.assert_close(from_disk.values, extract_features(network(), held, device="cpu").values)
    assert from_disk.files == held.files and from_disk.labels.equal(held.labels)


def test_features_say_what_they_are():
    assert repr(features()) == "60 features of 6 numbers, 3 classes"
    assert repr(extract_features(network(), replace(split(), labels=None))) == "30 features of 6 numbers, no labels"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((network(), task()), TypeError, "computed of a Split, not of a Task; of a Task take task.train"),
        ((network(), split(), "blok1"), ValueError, "groups are block1, features, head; did you mean 'block1'"),
        ((network(), split(), "xyz"), ValueError, "groups are block1, features, head; a module's dotted name"),
        ((network(), split()[:0]), ValueError, "no images"),
    ],
)
def test_what_has_no_features_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        extract_features(*arguments)


@pytest.mark.parametrize(("option", "words"), [("grid", "grid=0, but a grid has"), ("batch_size", "batch_size=0, but")])
def test_sizes_below_one_are_refused(option, words):
    with pytest.raises(ValueError, match=words):
        extract_features(network(), split(), **{option: 0})


def test_features_that_are_not_finite_are_refused():
    net = network()
    net.backbone.features[1].bias.data[0] = torch.nan
    with pytest.raises(ValueError, match="not finite; train the network again"):
        extract_features(net, split())


# ---- one loop ----


def trained(head: nn.Linear, data, optimizer, net: nn.Module | None = None, plan=None):
    net = net or tl.models.Network(nn.Flatten(), head)
    options = {"steps": 60, "batch_size": 8, "seed": 3, "optimizer": optimizer, "plan": plan, "device": "cpu"}
    tl.Run(net, tl.objectives.CrossEntropy(), data, **options).finish()
    return net.head


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_a_head_trained_on_features_is_the_head_trained_through_the_frozen_network(optimizer):
    net, cached = network(), features(30)
    slow = trained(net.head, split(), optimizer, net.copy(), tl.freezing.last_layers(net, 1))
    quick = trained(net.copy().head, cached, optimizer)
    torch.testing.assert_close(quick.weight, slow.weight, rtol=0, atol=1e-5)
    torch.testing.assert_close(quick.bias, slow.bias, rtol=0, atol=1e-5)
    assert not quick.weight.allclose(net.head.weight, atol=1e-3)


def test_features_are_a_split_from_which_a_task_draws_few_labels():
    few = tl.data.Task("features", features(), features(9, 1), features(30, 2)).few_labels(2)
    assert isinstance(few.train, Features) and len(few.train) == 6 and few.train.cut is not None
    probe = linear_probe(few.train)
    predicted = probe.predict_features(few.test.values)
    expected = (predicted == few.test.labels).double().mean().item()
    assert tl.evaluate(probe, few.test).accuracy == pytest.approx(expected)


# ---- probes ----


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("scaling", "theirs"), [("standardised", StandardScaler), ("unit length", Normalizer)])
def test_a_probe_is_scikit_learns_logistic_regression(scaling, theirs, classes):
    train, test, strengths = features(), features(40, 1), (0.01, 1.0, 100.0)
    train = train[train.labels < classes]
    probe = linear_probe(
        replace(train, classes=NAMES[:classes]), strengths=strengths, validation=train, scaling=scaling
    )
    for strength in strengths:
        fitted = make_pipeline(theirs(), LogisticRegression(C=1 / strength, tol=1e-9, max_iter=10_000))
        expected = fitted.fit(train.values.double(), train.labels).predict_proba(test.values.double())
        beliefs = probe.heads[strength](test.values).softmax(1).detach()
        assert np.abs(beliefs.numpy() - expected).max() < 1e-4


def test_more_features_than_examples_and_features_that_never_change_are_no_trouble():
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(30, 200, generator=generator)
    values[:, :20] = 0.3
    wide = Features(values, torch.arange(30) % 3, NAMES)
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, tol=1e-9, max_iter=10_000))
    expected = fitted.fit(values.double(), wide.labels).predict_proba(values.double())
    beliefs = linear_probe(wide).head(values).softmax(1).detach()
    assert np.abs(beliefs.numpy() - expected).max() < 1e-3


@pytest.mark.parametrize("scaling", ["standardised", "unit length"])
def test_a_probes_head_on_the_backbone_is_the_probe(scaling):
    net, test = network(), split(40, seed=1)
    probe = linear_probe(features(), scaling=scaling)
    whole = tl.models.Network(net.backbone, probe.head)
    expected = probe.predict_features(features(40, 1).values)
    assert tl.evaluate(whole, test).confusion.equal(tl.evaluate(probe, test).confusion)
    assert probe.predict(test.images).equal(expected) and probe.predict(features(40, 1).inputs).equal(expected)


def test_the_head_of_a_standardised_probe_is_linear():
    assert type(linear_probe(features()).head) is nn.Linear


def test_a_probe_remembers_the_network_as_it_was():
    net = network()
    probe = linear_probe(extract_features(net, split(60), device="cpu"))
    before = probe.predict(split().images)
    nn.init.zeros_(net.backbone.features[1].weight)
    assert probe.predict(split().images).equal(before)


def test_one_strength_is_taken_and_of_several_the_best_on_validation():
    train, validation = features(12), features(60, 1)
    assert "strength 5 (given)" in repr(linear_probe(train, strengths=(5,), validation=validation))
    probe = linear_probe(train, strengths=(0.01, 1, 1e4), validation=validation)
    alone = {s: linear_probe(train, strengths=(s,)).predict_features(validation.values) for s in (0.01, 1, 1e4)}
    right = {s: (predicted == validation.labels).double().mean().item() for s, predicted in alone.items()}
    assert probe.accuracies == right
    assert probe.strength == max(right, key=lambda s: (right[s], s))
    assert linear_probe(train, strengths=(1, 1.0001), validation=validation).strength == 1.0001  # of equal ones
    assert f"chosen of 3 on validation ({100 * right[probe.strength]:.1f} % right)" in repr(probe)


def test_a_probe_is_a_recipes_predictor():
    def probe(task, seed):
        return linear_probe(extract_features(network(seed), task.train))

    assert len(tl.compare({"probe": probe}, task(), seeds=range(2), budgets=(2,)).finish().trials) == 2


def test_a_probe_that_does_not_converge_warns(monkeypatch):
    monkeypatch.setattr("tlkit.features.NEWTON_STEPS", 1)
    with pytest.warns(UserWarning, match="did not converge; try larger strengths"):
        linear_probe(features())


def test_a_probe_draws_no_random_numbers():
    train, generator = features(), torch.get_rng_state()
    linear_probe(train)
    assert torch.get_rng_state().equal(generator)


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (replace(features(), labels=None), {}, "no labels"),
        (features()[features().labels != 1], {}, 'class "b" has no example'),
        (Features(torch.rand(3, 2), torch.zeros(3, dtype=torch.int64), ("a",)), {}, "only one class"),
        (features(), {"strengths": (0.0,)}, "each larger than 0"),
        (features(), {"strengths": ()}, "at least one"),
        (features(), {"strengths": 10}, r"strengths=10, but give at least one.*\(10,\)"),
        (features(), {"strengths": (1.0, 2.0)}, "2 strengths, but no validation= to choose one by"),
        (features(), {"scaling": "none"}, "use 'standardised' or 'unit length'"),
    ],
)
def test_a_probe_that_cannot_work_is_refused(data, options, words):
    with pytest.raises(ValueError, match=words):
        linear_probe(data, **options)


def test_features_made_by_hand_predict_features_only():
    probe = linear_probe(Features(features().values, features().labels, NAMES))
    assert probe.predict_features(features().values).shape == (60,)
    with pytest.raises(ValueError, match=r"not made by extract_features, so use probe\.predict_features"):
        probe.predict(split().images)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_a_probe_of_features_in_another_precision_is_chosen_and_predicts(dtype):
    net, data = network().to(dtype), split(60)
    data = replace(data, inputs=data.inputs.to(dtype))
    features = extract_features(net, data)
    assert features.values.dtype == torch.float32
    probe = linear_probe(features, strengths=(1, 10), validation=features)
    assert tl.evaluate(probe, data).accuracy == max(probe.accuracies.values())


def test_strengths_may_be_an_array():
    features = extract_features(network(), split(60))
    probe = linear_probe(features, strengths=np.logspace(0, 2, 3), validation=features)
    assert [*probe.heads] == [1, 10, 100]


class Tied(nn.Module):
    """Two layers that share a weight."""

    def __init__(self):
        super().__init__()
        self.one, self.other, self.head = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 3)
        self.other.weight = self.one.weight

    def forward(self, x):
        return self.head(self.other(self.one(x.flatten(1)).relu()).relu())


@pytest.mark.parametrize("layer", [None, "one", "other"])
def test_layers_that_share_a_weight_have_features(layer):
    net = Tied()
    values = extract_features(net, split(), layer, device="cpu").values
    x = net.one(split().inputs.flatten(1))
    expected = {"one": x, "other": net.other(x.relu()), None: net.other(x.relu()).relu()}[layer]
    torch.testing.assert_close(values, expected.detach())


def old_weight_norm():
    with pytest.warns(FutureWarning):
        return nn.Sequential(nn.Flatten(), nn.utils.weight_norm(nn.Linear(16, 3)))


def test_networks_that_keep_what_they_computed_are_copied():
    net = old_weight_norm()
    net(split().inputs)  # its weight has a history now, and cannot be copied with it
    assert extract_features(net, split()).values.equal(net(split().inputs).detach())
    going = run(3, net=net, average=0.5).finish()
    assert tl.evaluate(going, split()).accuracy >= 0
    assert tl.range_test(net, tl.objectives.CrossEntropy(), split(), steps=10, device="cpu").losses


@pytest.mark.parametrize("wrap", [partial(torch.compile, backend="eager"), nn.DataParallel])
def test_a_wrapped_network_has_the_features_of_what_it_wraps(wrap):
    net = network()
    for layer in (None, "block1"):
        assert extract_features(wrap(net), split(), layer).values.equal(extract_features(net, split(), layer).values)


def test_a_module_is_named_where_the_order_of_the_layers_is_unknown():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.body = nn.Linear(8, 3), nn.Linear(16, 8)

        def forward(self, x):
            x = self.body(x.flatten(1))
            return self.fc(x) if x.sum() > -1e9 else x

    net = Hidden()
    values = extract_features(net, split(), "body", device="cpu").values
    torch.testing.assert_close(values, net.body(split().inputs.flatten(1)).detach())
    with pytest.raises(ValueError, match="cannot be traced, so the order of its layers is unknown"):
        extract_features(net, split(), device="cpu")


def test_a_traced_network_is_tested_as_before():
    net = network().eval()
    traced = torch.jit.trace(net, split().inputs)
    assert tl.evaluate(traced, split()).accuracy == tl.evaluate(net, split()).accuracy
