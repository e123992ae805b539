"""Networks: a backbone that transfers and a head that does not."""

from __future__ import annotations

import pytest
import torch
from helpers import digest, network, run, split
from torch import nn

import tlkit as tl
from tlkit.models.networks import predictions


def weights(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_the_network_of_the_lessons_has_40618_weights():
    assert weights(tl.models.SmallCNN()) == 40_618


def test_the_sizes_of_the_tutorial_have_6_4_million_weights():
    net = tl.models.SmallCNN(widths=(64, 128), features=1000, image_size=28, pool_after=(1, 2))
    assert weights(net) == 6_357_890


def test_the_layer_groups_stand_in_order():
    net = tl.models.SmallCNN()
    assert [name for name, _ in net.backbone.named_children()] == ["block1", "block2", "block3", "features"]
    assert [name for name, _ in net.named_children()] == ["backbone", "head"]


@pytest.mark.parametrize(
    ("options", "images"),
    [
        ({}, (5, 1, 8, 8)),
        (dict(channels=3, image_size=12, classes=4, features=7), (2, 3, 12, 12)),
        (dict(widths=(8,), image_size=5, pool_after=(1,)), (2, 1, 5, 5)),
    ],
    ids=["defaults", "colour", "odd size"],
)
def test_images_become_features_and_features_become_logits(options, images):
    net = tl.models.SmallCNN(**options)
    features = net.features(torch.zeros(images))
    assert features.shape == (images[0], net.backbone.feature_dim)
    assert net(torch.zeros(images)).shape == (images[0], options.get("classes", 10))


def test_a_network_is_head_of_backbone_of_preprocessed_images():
    backbone = nn.Flatten()
    net = tl.models.Network(backbone, nn.Linear(4, 2), preprocess=lambda images: images - 0.5)
    images = torch.rand(3, 1, 2, 2)
    torch.testing.assert_close(net(images), net.head((images - 0.5).flatten(1)))


def test_no_unit_of_the_feature_layer_can_die():
    """Below zero it still passes a tenth, so that a gradient comes through."""
    images = torch.rand(50, 1, 4, 4, requires_grad=True)
    features = network().features(images)
    assert features.min() < 0
    features[features < 0].sum().backward()
    assert images.grad.abs().sum() > 0


def test_a_copy_has_the_same_weights_and_training_it_leaves_the_original():
    original = network()
    before = digest(original)
    copy = original.copy()
    assert digest(copy) == before
    run(steps=3, net=copy).finish()
    assert digest(original) == before and digest(copy) != before


def test_a_new_head_stands_on_a_copy_of_the_same_backbone():
    original = network()
    assert original.with_new_head(7, seed=1).head.out_features == 7
    new = original.with_new_head(3, seed=1)
    assert digest(new.backbone) == digest(original.backbone)
    run(steps=3, net=new).finish()
    assert digest(new.backbone) != digest(original.backbone)


def test_a_new_head_is_drawn_from_its_seed():
    heads = [digest(network().with_new_head(3, seed).head) for seed in (1, 1, 2)]
    assert heads[0] == heads[1] != heads[2]


def test_the_same_seed_draws_the_same_network_and_another_seed_another():
    assert digest(network(1)) == digest(network(1)) != digest(network(2))


def test_drawing_weights_leaves_torchs_generator_as_it_was():
    before = torch.get_rng_state()
    network(seed=3).with_new_head(2, seed=4)
    assert torch.get_rng_state().equal(before)


def test_halving_an_image_to_nothing_is_refused():
    with pytest.raises(ValueError, match="image_size=4 is halved 3 times and nothing is left"):
        tl.models.SmallCNN(image_size=4, pool_after=(1, 2, 3))


def test_a_network_says_its_size_and_its_groups():
    assert repr(network()) == f"SmallCNN of {weights(network())} weights: block1, features, head"


def test_predictions_are_the_largest_logit_whatever_the_size_of_the_parts():
    net, images = network().eval(), split(10).images
    assert predictions(net, images, batch_size=3).equal(net(images).argmax(1))


def test_predicting_leaves_every_module_in_its_mode():
    net = network().train()
    net.backbone.block1.eval()
    before = [module.training for module in net.modules()]
    predictions(net, split().images)
    assert [module.training for module in net.modules()] == before


@pytest.mark.parametrize(
    ("backbone", "options", "images"),
    [
        (lambda: tl.models.SmallCNN(features=2).backbone, {}, (3, 1, 8, 8)),
        (lambda: network().backbone, dict(image_size=4, widths=(8, 4)), (3, 1, 4, 4)),
        (
            lambda: tl.models.pretrained("squeezenet1_1", weights=None, classes=3).backbone,
            dict(channels=3, image_size=64),
            (2, 3, 64, 64),
        ),
    ],
    ids=["two numbers", "small", "torchvision's"],
)
def test_an_autoencoder_draws_what_any_backbone_has_seen(backbone, options, images):
    net = tl.models.Autoencoder(backbone(), **options)
    outputs = net(torch.rand(images))
    assert outputs.shape == images
    assert 0 <= float(outputs.min().detach()) <= float(outputs.max().detach()) <= 1
    assert net.features(torch.rand(images)).shape == (images[0], net.backbone.feature_dim)


def test_training_an_autoencoder_trains_the_backbone_it_was_given():
    net = network()
    auto = tl.models.Autoencoder(net.backbone, image_size=4, widths=(8, 4))
    before = digest(net.backbone)
    run(2, net=auto, objective=tl.objectives.Reconstruction()).finish()
    assert digest(net.backbone) != before


def test_the_classifier_of_an_autoencoder_scales_its_images_as_the_encoder_learnt_to_read_them():
    auto = tl.models.Autoencoder(network().backbone, image_size=4, widths=(8, 4), preprocess=lambda images: 2 * images)
    assert auto.with_new_head(3).preprocess is auto.preprocess is not None


def test_a_size_that_cannot_be_doubled_to_is_refused():
    with pytest.raises(ValueError, match=r"image_size=10, but 3 widths .* doubled 2 times, so .* a multiple of 4"):
        tl.models.Autoencoder(network().backbone, image_size=10)
