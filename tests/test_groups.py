"""Layer groups: which parts a network has from its input to its head, and which groups of one's own cannot work."""

from __future__ import annotations

from functools import partial

import pytest
import torch
import torchvision
from helpers import network
from torch import nn

import tlkit as tl
from tlkit.groups import layer_groups, weights_of
from tlkit.models import Network, pretrained

SMALL = ["block1", "block2", "block3", "features", "head"]


def numbered(name: str, n: int) -> list[str]:
    return [f"{name}{number}" for number in range(1, n + 1)]


FAMILIES = {
    "resnet18": ["stem", *numbered("stage", 4), "head"],
    "resnext50_32x4d": ["stem", *numbered("stage", 4), "head"],
    "convnext_tiny": ["stem", *numbered("stage", 4), "head"],
    "mobilenet_v2": ["stem", *numbered("stage", 17), "last", "head"],
    "mobilenet_v3_small": ["stem", *numbered("stage", 11), "last", "head"],
    "efficientnet_b0": ["stem", *numbered("stage", 7), "last", "head"],
    "vit_b_16": ["stem", *numbered("block", 12), "norm", "head"],
    "vgg11": ["features", "head"],
    "densenet121": ["stem", *numbered("stage", 4), "head"],
}


def with_own_head(model: nn.Module) -> tl.models.Network:
    """The model as a backbone, its last layer replaced by one of its own."""
    name, child = list(model.named_children())[-1]
    if isinstance(child, nn.Sequential):
        last = child[-1]
        child[-1] = nn.Identity()
    else:
        last = child
        setattr(model, name, nn.Identity())
    return tl.models.Network(model, nn.Linear(last.in_features, 5))


@pytest.fixture(params=FAMILIES, scope="module")
def family(request):
    with torch.device("meta"):
        model = torchvision.models.get_model(request.param, weights=None)
    return request.param, model


def test_the_groups_of_a_family_are_its_stages_from_the_input_to_the_head(family):
    name, model = family
    groups = layer_groups(model)
    assert list(groups) == FAMILIES[name]
    assert list(groups["head"][0].children()) or groups["head"][0].out_features == 1000


def test_every_weight_and_every_buffer_of_a_family_is_in_one_group(family):
    _, model = family
    parts = [part for parts in layer_groups(model).values() for part in parts]
    assert sorted(map(id, weights_of(parts))) == sorted(map(id, model.parameters()))
    buffers = [id(buffer) for part in parts if isinstance(part, nn.Module) for buffer in part.buffers()]
    assert sorted(buffers) == sorted(map(id, model.buffers()))


def test_every_dropout_of_a_family_is_in_one_group(family):
    _, model = family
    parts = [part for parts in layer_groups(model).values() for part in parts if isinstance(part, nn.Module)]
    inside = [m for part in parts for m in part.modules() if isinstance(m, nn.Dropout)]
    assert sorted(map(id, inside)) == sorted(id(m) for m in model.modules() if isinstance(m, nn.Dropout))


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in ("vgg11", "densenet121")])
def test_a_backbone_with_a_head_of_its_own_has_the_groups_of_the_whole_model(name):
    with torch.device("meta"):
        net = with_own_head(torchvision.models.get_model(name, weights=None))
    groups = layer_groups(net)
    assert list(groups) == FAMILIES[name]
    assert groups["head"] == (net.head,)
    assert sorted(map(id, weights_of(p for ps in groups.values() for p in ps))) == sorted(map(id, net.parameters()))


def test_a_vits_class_token_and_positions_belong_to_its_stem():
    with torch.device("meta"):
        model = torchvision.models.vit_b_16()
    held = {id(weight) for weight in weights_of(layer_groups(model)["stem"])}
    assert {id(model.class_token), id(model.encoder.pos_embedding), id(model.conv_proj.weight)} <= held


def test_a_stage_of_convnext_begins_where_the_size_is_halved():
    with torch.device("meta"):
        model = torchvision.models.convnext_tiny()
    assert layer_groups(model)["stage2"] == (model.features[2], model.features[3])


OF_TIMM = {
    "resnet18": FAMILIES["resnet18"],
    "convnext_atto": FAMILIES["convnext_tiny"],
    "mobilenetv3_small_050": ["stem", *numbered("stage", 6), "last", "head"],
    "tf_efficientnet_lite0": FAMILIES["efficientnet_b0"],
    "vit_tiny_patch16_224": FAMILIES["vit_b_16"],
}


@pytest.mark.extra
@pytest.mark.parametrize("name", OF_TIMM)
def test_the_families_of_timm_have_the_same_groups(name):
    import timm

    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False)
        bare = timm.create_model(name, pretrained=False, num_classes=0)
    assert list(layer_groups(model)) == OF_TIMM[name]
    assert list(layer_groups(tl.models.Network(bare, nn.Linear(4, 2)))) == OF_TIMM[name]


class ForCifar(nn.Module):
    """A ResNet as it is written for CIFAR: three layers, and no classifier where it is a backbone."""

    def __init__(self, classifier: bool):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.layer1, self.layer2, self.layer3 = (nn.Sequential(nn.Conv2d(4, 4, 3)) for _ in range(3))
        if classifier:
            self.linear = nn.Linear(4, 10)


def test_a_resnet_for_cifar_is_known_with_and_without_its_classifier():
    names = ["stem", "stage1", "stage2", "stage3", "head"]
    assert list(layer_groups(ForCifar(True))) == names
    assert list(layer_groups(tl.models.Network(ForCifar(False), nn.Linear(4, 2)))) == names


def test_the_groups_of_the_lessons_network_are_its_blocks():
    net = tl.models.SmallCNN()
    groups = layer_groups(net)
    assert list(groups) == SMALL
    assert groups["block2"] == (net.backbone.block2,) and groups["head"] == (net.head,)


def test_any_other_network_has_its_children_with_weights_as_groups_and_the_last_is_the_head():
    net = nn.Sequential(
        nn.Dropout(), nn.Linear(4, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)
    )
    assert layer_groups(net) == {"1": (net[0], net[1], net[3]), "4": (net[4],), "head": (net[6],)}


def test_a_network_of_ones_own_with_the_name_of_a_family_has_its_children_as_groups():
    own = type("VisionTransformer", (nn.ModuleDict,), {})({"encoder": nn.Linear(2, 2), "heads": nn.Linear(2, 2)})
    assert list(layer_groups(own)) == ["encoder", "head"]


def test_a_head_before_its_body_without_a_forward_pass_is_refused():
    with pytest.raises(
        ValueError, match="the forward pass of this ModuleDict cannot be traced, so the order of its layers is unknown"
    ):
        layer_groups(nn.ModuleDict({"head": nn.Linear(2, 2), "body": nn.Linear(2, 2)}))


def test_a_wrapper_has_the_groups_of_what_it_wraps():
    assert list(layer_groups(nn.ModuleDict({"model": torchvision.models.resnet18()}))) == FAMILIES["resnet18"]


def test_a_network_of_one_layer_is_a_head():
    layer = nn.Linear(2, 2)
    assert layer_groups(layer) == {"head": (layer,)}


def test_groups_of_ones_own_are_modules_or_their_dotted_names():
    net = tl.models.SmallCNN()
    blocks = net.backbone
    by_module = layer_groups(
        net, groups={"early": [blocks.block1, blocks.block2], "late": [blocks.block3, blocks.features, net.head]}
    )
    by_name = layer_groups(
        net, {"early": ["backbone.block1", "backbone.block2"], "late": ["backbone.block3", "backbone.features", "head"]}
    )
    assert by_module == by_name and list(by_name) == ["early", "late"]


def test_two_groups_that_share_a_weight_are_refused():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    net[2].weight = net[0].weight
    with pytest.raises(ValueError, match=r"groups '0' and 'head' share the weight '0.weight'"):
        layer_groups(net)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"head": ["head"]}, "none of the groups holds 'backbone.block1.0.weight'.* and .* more; put it into one"),
        ({"head": ["top"]}, "this network has no part 'top'"),
        ({"head": [nn.Linear(2, 2)]}, "the group 'head' holds a weight that is not in this network"),
        ({"head": "head"}, "a group is a sequence of parts, even of a single one"),
    ],
    ids=["forgotten", "unknown", "foreign", "no sequence"],
)
def test_groups_of_ones_own_must_cover_the_network_and_nothing_else(groups, words):
    with pytest.raises(ValueError, match=words):
        layer_groups(tl.models.SmallCNN(), groups)


# ---- order and names that a structure does not show at once ----


class Odd(nn.Module):
    """A backbone whose parts were made in another order than it computes them in, one of them called head."""

    feature_dim = 8

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 8)
        self.last, self.first = nn.Linear(8, 8), nn.Linear(4, 8)

    def forward(self, x):
        return self.last(self.head(self.first(x).relu()).relu())


def test_groups_follow_the_forward_pass_whatever_the_parts_are_called_and_in_which_order_they_were_made():
    body = Odd()
    groups = layer_groups(Network(body, head := nn.Linear(8, 3)))
    assert groups == {"first": (body.first,), "inner_head": (body.head,), "last": (body.last,), "head": (head,)}
    assert layer_groups(body) == {"first": (body.first,), "inner_head": (body.head,), "head": (body.last,)}


def test_looking_at_the_order_leaves_no_trace_in_the_network():
    class Keeping(Odd):
        def forward(self, x):
            self.seen = x
            self.register_buffer("kept", x)
            return super().forward(x)

    body = Keeping()
    before = {**vars(body)}, [*body.state_dict()]
    assert [*layer_groups(body)] == ["first", "inner_head", "head"]
    assert ({**vars(body)}, [*body.state_dict()]) == before


def test_an_order_that_cannot_be_seen_is_refused_where_it_is_plainly_another_one():
    class Hidden(Odd):
        def forward(self, x):
            return super().forward(x) if x.sum() > 0 else x

    with pytest.raises(ValueError, match=r"unknown \('head' was made before 'first'\).* groups="):
        layer_groups(Network(Hidden(), nn.Linear(8, 3)))
    body = Hidden()
    groups = {"body": ["first", "head"], "head": ["last"]}
    assert layer_groups(body, groups) == {"body": (body.first, body.head), "head": (body.last,)}


@pytest.mark.parametrize("wrap", [partial(torch.compile, backend="eager"), nn.DataParallel])
def test_a_wrapper_changes_no_group(wrap):
    net = network()
    assert layer_groups(wrap(net)) == layer_groups(net)


STAGES = {
    "densenet121": ["stem", "stage1", "stage2", "stage3", "stage4", "head"],
    "squeezenet1_1": ["stem", "stage1", "stage2", "stage3", "head"],
    "mnasnet0_5": ["stem", "stage1", "stage2", "stage3", "stage4", "stage5", "stage6", "last", "head"],
}


@pytest.mark.parametrize(("name", "names"), STAGES.items())
def test_a_plan_for_it_need_not_freeze_all_or_nothing(name, names):
    net = pretrained(name, weights=None, classes=3)
    groups = layer_groups(net)
    assert [*groups] == names
    seen = []
    for group, parts in groups.items():
        parts[-1].register_forward_hook(lambda *_, group=group: seen.append(group))
    net.eval()(torch.zeros(1, 3, 64, 64))
    assert seen == names


def test_looking_at_the_order_moves_no_buffer_list_or_generator():
    class Counting(Odd):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(()))
            self.seen = []

        def forward(self, x):
            self.count += 1
            self.seen.append(x)
            torch.rand(3)
            return super().forward(x)

    body, state = Counting(), torch.get_rng_state()
    assert [*layer_groups(body)] == ["first", "inner_head", "head"]
    assert body.count == 0 and body.seen == [] and torch.get_rng_state().equal(state)
