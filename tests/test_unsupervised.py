"""Unsupervised objectives against the papers' equations by hand, against lightly, and by what they do to a network."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from helpers import network, run, split
from torch import nn

import tlkit as tl
from tlkit.data.batches import Batch

IMAGES = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def batch(images=IMAGES) -> Batch:
    return Batch(images, None)


def two(n: int = 16, d: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(n, d, generator=generator), torch.randn(n, d, generator=generator)


# ---- two views ----


@pytest.mark.parametrize("temperature", [0.1, 0.2, 1.0])
@pytest.mark.parametrize("n", [2, 16, 100])
def test_nt_xent_is_lightlys(temperature, n):
    from lightly.loss import NTXentLoss

    ours = tl.objectives.SimCLR(8, temperature).loss(*two(n))
    assert float(ours) == pytest.approx(float(NTXentLoss(temperature)(*two(n))), abs=1e-5)


@pytest.mark.parametrize("weights", [(25.0, 25.0, 1.0), (25.0, 0.0, 1.0), (1.0, 2.0, 3.0)])
@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_vicreg_is_lightlys(weights, spread):
    from lightly.loss import VICRegLoss

    one, other = (spread * z for z in two())
    lightlys = VICRegLoss(*weights, eps=0.0001)(one, other)  # its own default since 1.5 has the same value
    assert float(tl.objectives.VICReg(8, *weights).loss(one, other)) == pytest.approx(float(lightlys), rel=1e-5)


@pytest.mark.parametrize("make", [tl.objectives.SimCLR, tl.objectives.VICReg])
def test_the_loss_compares_projections_in_full_precision(make):
    compared = []
    objective = make(6)
    exact = objective.loss
    objective.loss = lambda one, other: compared.append(one.dtype) or exact(one, other)
    run(1, objective=objective, precision="bfloat16").finish()
    assert compared == [torch.float32]


def test_nt_xent_of_three_images_by_hand():
    """All six views on two axes: z = x, x, y for the one view and x, y, y for the other; temperature 1."""
    x, y, e = [3.0, 0.0], [0.0, 0.5], math.e
    one, other = torch.tensor([x, x, y]), torch.tensor([x, y, y])
    # Of the six, three are x and three are y. A view of x sees two others on its axis and three across; the first and
    # third image have both views on one axis, the second has them on two.
    same, across = -math.log(e / (2 * e + 3)), -math.log(1 / (2 * e + 3))
    expected = (4 * same + 2 * across) / 6
    assert float(tl.objectives.SimCLR(2, temperature=1.0).loss(one, other)) == pytest.approx(expected, abs=1e-6)


def test_vicreg_of_three_images_by_hand():
    one = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0]])
    other = torch.tensor([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.0]])
    invariance = (0.25 + 4 + 0.25 + 4) / 6
    # Variances 1 and 4, 0.25 and 0: only the other view falls short of 1.
    variance = (0 + ((1 - math.sqrt(0.25 + 1e-4)) + (1 - math.sqrt(1e-4))) / 2) / 2
    covariance = (2 * 2**2) / 2  # of the one view, twice off the diagonal; the other has none
    expected = 25 * invariance + 25 * variance + covariance
    assert float(tl.objectives.VICReg(2).loss(one, other)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("objective", [tl.objectives.SimCLR(8), tl.objectives.VICReg(8)], ids=["SimCLR", "VICReg"])
def test_gradients_are_those_of_finite_differences(objective):
    one, other = (z.double().requires_grad_() for z in two(6))
    assert torch.autograd.gradcheck(objective.loss, (one, other))


TWO_VIEWS = {"SimCLR": tl.objectives.SimCLR, "VICReg": tl.objectives.VICReg}


@pytest.mark.parametrize("objective", TWO_VIEWS.values(), ids=TWO_VIEWS)
def test_the_loss_is_that_of_the_projections_of_two_views_and_leaves_the_head_alone(objective):
    views = iter([IMAGES, 1 - IMAGES])
    objective, net = objective(6, augment=lambda images: next(views)), network()
    values = objective(net, batch())
    z = objective.projector(net.features(torch.cat([IMAGES, 1 - IMAGES]))).split(8)
    assert values["loss"] == objective.loss(*z)
    values["loss"].backward()
    assert net.head.weight.grad is None
    assert all(p.grad is not None for p in [*net.backbone.parameters(), *objective.parameters()])


def test_what_is_watched_is_what_representations_say_of_the_projections():
    views = iter([IMAGES, 1 - IMAGES])
    objective, net = tl.objectives.SimCLR(6, augment=lambda images: next(views)), network()
    values = objective(net, batch())
    one, other = (z.detach() for z in objective.projector(net.features(torch.cat([IMAGES, 1 - IMAGES]))).split(8))
    assert values["alignment"] == tl.representations.alignment(one, other)
    assert values["uniformity"] == tl.representations.uniformity(one)
    assert values["feature_std"] == tl.representations.deviation(one)
    assert values["rank"] == tl.representations.effective_rank(one)
    assert not any(value.requires_grad for name, value in values.items() if name != "loss")


@pytest.mark.parametrize("objective", TWO_VIEWS.values(), ids=TWO_VIEWS)
def test_any_backbone_learns_with_it(objective):
    backbone = nn.Sequential(nn.Flatten(), nn.Linear(16, 5))
    before = backbone[1].weight.detach().clone()
    run(3, split(), backbone, objective(5)).finish()
    assert not backbone[1].weight.equal(before)


@pytest.mark.parametrize("objective", TWO_VIEWS.values(), ids=TWO_VIEWS)
def test_projectors_are_drawn_from_their_seed_and_nothing_else_is(objective):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, same, another = objective(4), objective(4), objective(4, seed=1)
    assert torch.get_rng_state().equal(before)
    weights = [made.projector[0].weight for made in (first, same, another)]
    assert weights[0].equal(weights[1])
    assert not weights[0].equal(weights[2])


@pytest.mark.parametrize("objective", TWO_VIEWS.values(), ids=TWO_VIEWS)
def test_one_image_has_nothing_to_be_compared_with(objective):
    with pytest.raises(ValueError, match=r"a batch of 1 image holds no other image.*use batch_size=32 or more"):
        objective(6)(network(), batch(IMAGES[:1]))


def test_a_backbone_without_a_vector_is_refused_with_what_to_add():
    maps = nn.Conv2d(1, 6, 3)
    with pytest.raises(ValueError, match=r"shape \[6, 2, 2\], but.*a vector of 6 numbers; end the backbone with pool"):
        tl.objectives.SimCLR(6)(maps, batch())


def test_another_length_is_refused_too():
    with pytest.raises(ValueError, match=r"shape \[6\], but.*vector of 64 numbers.*feature_dim= its length"):
        tl.objectives.VICReg()(network(), batch())


def test_an_augmentation_that_changes_the_shape_is_found():
    with pytest.raises(ValueError, match="a view has the shape of its image"):
        tl.objectives.SimCLR(6, augment=lambda images: images[..., 1:])(network(), batch())


@pytest.mark.parametrize("temperature", [0, -1.0, math.nan])
def test_a_temperature_is_above_zero(temperature):
    with pytest.raises(ValueError, match=r"temperature=.*it is above 0; 0.2 is a good start"):
        tl.objectives.SimCLR(temperature=temperature)


def test_weights_of_vicreg_are_not_negative():
    with pytest.raises(ValueError, match=r"the weights are 25.0, -1 and 1.0, but none can be below 0"):
        tl.objectives.VICReg(variance=-1)


# ---- reconstruction ----


def autoencoder() -> tl.models.Autoencoder:
    return tl.models.Autoencoder(network().backbone, image_size=4, widths=(8, 4))


def test_the_plain_loss_is_the_mean_squared_error():
    net = autoencoder()
    values = tl.objectives.Reconstruction()(net, batch())
    error = (net(IMAGES) - IMAGES).square().mean()
    assert float(values["loss"].detach()) == pytest.approx(float(error.detach()), abs=1e-7)
    assert float(values["error"].detach()) == pytest.approx(float(error.detach()), abs=1e-7)


class Drawing(nn.Module):
    """Draws a constant and remembers its inputs."""

    def forward(self, images):
        self.images = images
        return torch.full_like(images, 0.25)


@pytest.mark.parametrize(("mask", "hidden"), [(0.25, 1), (0.5, 2), (0.01, 1), (0.99, 3)])
def test_a_share_of_the_patches_is_hidden_in_each_image_and_the_loss_asks_for_them(mask, hidden):
    objective, net = tl.objectives.Reconstruction(mask=mask, patch=2), Drawing()
    images = (IMAGES / 2 + 0.5).repeat(1, 2, 1, 1)  # no pixel is black of itself
    values = objective(net, batch(images))
    black = net.images == 0
    assert black[:, 0].equal(black[:, 1])
    patches = black[:, 0].view(8, 2, 2, 2, 2).transpose(2, 3).flatten(3)
    assert patches.all(3).equal(patches.any(3))
    assert patches.all(3).sum((1, 2)).tolist() == [hidden] * 8
    assert net.images[~black].equal(images[~black])
    errors = (images - 0.25).square()
    assert float(values["loss"]) == pytest.approx(float(errors[black].mean()), rel=1e-6)
    assert float(values["error"]) == pytest.approx(float(errors.mean()), rel=1e-6)


def test_every_patch_is_hidden_in_its_turn():
    mask = tl.objectives.Reconstruction(mask=0.25).corrupt(IMAGES.repeat(50, 1, 1, 1))[1]
    assert mask.float().mean((0, 1)).flatten().tolist() == pytest.approx([0.25] * 16, abs=0.12)


def test_noise_is_added_to_what_the_network_sees_and_not_to_what_it_is_to_draw():
    objective, net = tl.objectives.Reconstruction(noise=0.1), Drawing()
    images = IMAGES.repeat(50, 1, 1, 1)
    values = objective(net, batch(images))
    assert 0.09 < float((net.images - images).std()) < 0.1  # values stay in 0..1, so less than 0.1
    assert float(values["loss"]) == pytest.approx(float((images - 0.25).square().mean()), rel=1e-5)


@pytest.mark.parametrize("mask", [-0.1, 1, 1.5])
def test_a_mask_hides_a_share(mask):
    with pytest.raises(ValueError, match=f"mask={mask}, but it is the share that is hidden, at least 0 and below 1"):
        tl.objectives.Reconstruction(mask=mask)


def test_noise_and_patches_have_a_size():
    with pytest.raises(ValueError, match="noise=-1, but a deviation is not below 0"):
        tl.objectives.Reconstruction(noise=-1)
    with pytest.raises(ValueError, match="patch=0, but a patch has at least 1 pixel"):
        tl.objectives.Reconstruction(mask=0.5, patch=0)
    with pytest.raises(ValueError, match="images of 4 x 4 cannot be cut into patches of 3 x 3"):
        tl.objectives.Reconstruction(mask=0.5, patch=3)(autoencoder(), batch())
    with pytest.raises(ValueError, match=r"images of 4 x 4 are one patch of 4 x 4, .* use a smaller patch"):
        tl.objectives.Reconstruction(mask=0.5, patch=4)(autoencoder(), batch())


def test_images_outside_what_a_decoder_can_draw_are_refused_by_each_run():
    shared, known = tl.objectives.Reconstruction(), split()
    run(net=autoencoder(), objective=shared)
    with pytest.raises(ValueError, match=r"values from .* to .*, but a decoder draws 0 to 1; .*preprocess="):
        run(data=replace(known, inputs=2 * known.images - 1, kind=tl.data.Kind()), net=autoencoder(), objective=shared)


def test_a_network_that_draws_nothing_is_refused():
    with pytest.raises(ValueError, match=r"shape \[8, 1, 4, 4\] into \[8, 3\].*give the run tl.models.Autoencoder"):
        tl.objectives.Reconstruction()(network(), batch())


# ---- what it comes to ----


def digits() -> tl.data.Task:
    return tl.data.digits().with_fixed_split()


def test_an_autoencoder_learns_to_draw_and_its_encoder_transfers():
    task = digits()
    auto = tl.models.Autoencoder(tl.models.SmallCNN().backbone)
    always_the_mean = float((task.train.images - task.train.images.mean(0)).square().mean())
    trained = tl.Run(auto, tl.objectives.Reconstruction(), task.train.without_labels(), steps=60, device="cpu").finish()
    assert trained.history.series("error")[1][-1] < 0.7 * always_the_mean
    classifier = auto.with_new_head(10)
    assert type(classifier) is tl.models.Network
    assert classifier(task.test.images[:3]).shape == (3, 10)
    assert classifier.backbone is not auto.backbone


def test_without_its_variance_term_vicreg_collapses_before_a_probe_shows_it():
    """Each 25 steps: the deviation of the features is under a tenth of its start before a probe reads under 20 %."""
    task = digits()
    few = task.few_labels(5).train

    def probed(run):
        features = tl.extract_features(run.network, few)
        return {"accuracy": tl.evaluate(tl.linear_probe(features), task.validation).accuracy}

    deviations, accuracies = {}, {}
    for variance in (25.0, 0.0):
        objective = tl.objectives.VICReg(variance=variance)
        options = {"steps": 75, "batch_size": 64, "lr": 2e-3, "device": "cpu"}
        run = tl.Run(tl.models.SmallCNN(), objective, task.train.without_labels(), **options)
        history = tl.observed(run, probed, every=25).finish().history
        deviations[variance] = history.series("feature_std")[1]
        accuracies[variance] = history.series("accuracy")[1]
    collapsed = next(check for check in (25, 50, 75) if deviations[0.0][check - 1] < deviations[0.0][0] / 10)
    assert min(accuracies[0.0][: collapsed // 25 + 1]) > 0.2
    assert deviations[25.0][-1] > deviations[25.0][0] / 2
    assert accuracies[25.0][-1] > accuracies[0.0][-1] + 0.05


def test_simclr_brings_views_of_an_image_together_and_keeps_images_apart():
    options = {"steps": 40, "batch_size": 64, "device": "cpu"}
    history = tl.Run(tl.models.SmallCNN(), tl.objectives.SimCLR(), digits().train, **options).finish().history
    losses, distances = history.series("loss")[1], history.series("alignment")[1]
    assert losses[-1] < losses[0] - 0.2
    assert distances[-1] < 0.8 * distances[0]
    assert history.series("uniformity")[1][-1] < -1  # 0 if all were one


@pytest.mark.parametrize("objective", [tl.objectives.SimCLR, tl.objectives.VICReg])
def test_a_projection_may_be_one_number(objective):
    going = run(3, objective=objective(feature_dim=6, projected=1)).finish()
    assert all(math.isfinite(loss) for loss in going.history.series("loss")[1])


@pytest.mark.parametrize("wrap", [partial(torch.compile, backend="eager"), nn.DataParallel])
def test_the_features_of_a_wrapped_network_are_projected(wrap):
    assert run(2, net=wrap(network()), objective=tl.objectives.SimCLR(feature_dim=6)).finish().finished
