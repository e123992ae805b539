"""Which parts a network has, from its input to its head: what freezes together, thaws together and shares a rate."""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from tlkit.models.networks import Network, unwrapped
from tlkit.words import listed

Part = nn.Module | nn.Parameter  # what a group holds: a ViT's class token belongs to no smaller module
HEADS = ("head", "heads", "fc", "classifier", "output")  # what the last layer is often called
Groups = Mapping[str, Sequence[Part | str]]  # groups of your own: modules of the network, or their dotted names


def layer_groups(network: nn.Module, groups: Groups | None = None) -> dict[str, tuple[Part, ...]]:
    """The parts of a network that freeze and thaw together, by name, from the input to the head.

    Args:
        network: any network; it stays as it is.
        groups: groups of your own, each a sequence of modules of the network or of their dotted names. By default the
            structure of the network names them.

    Returns:
        The parts of each group in the order of the forward pass: modules with weights, and the dropout behind them. A
        weight that belongs to no module of a group, such as a ViT's class token, stands in the first group by itself.

    Raises:
        ValueError: if two groups share a weight, if a name or a weight is not in this network, or if a weight of the
            network is in none of your groups, or if the order of the layers cannot be seen.

    Known structures, in torchvision and in timm: ResNet (stem, stage1 to stage4, head), ConvNeXt (the same), DenseNet,
    SqueezeNet, MNASNet, MobileNet and EfficientNet (stem, stage1 to stage n, last, head), ViT (stem, block1 to block n,
    norm, head). In any other network each child with weights is a group, in the order in which its forward pass calls
    them, and the last one is called head. The head is the last layer alone: what a new task replaces.

    >>> import tlkit as tl
    >>> list(tl.freezing.layer_groups(tl.models.SmallCNN()))
    ['block1', 'block2', 'block3', 'features', 'head']
    """
    network = unwrapped(network)
    found = found_groups(network) if groups is None else {name: [*_parts(network, of)] for name, of in groups.items()}
    names = {id(weight): name for name, weight in network.named_parameters()}
    home: dict[int, str] = {}
    for group, parts in found.items():
        for weight in weights_of(parts):
            if home.setdefault(id(weight), group) != group:
                raise ValueError(
                    f"the groups {home[id(weight)]!r} and {group!r} share the weight {names.get(id(weight))!r}, "
                    "but a weight has one rate; put what shares it into one group: groups={...}"
                )
            if id(weight) not in names:
                raise ValueError(f"the group {group!r} holds a weight that is not in this network; take its own parts")
    if left := [repr(name) for weight, name in names.items() if weight not in home]:
        raise ValueError(f"none of the groups holds {listed(left)}; put it into one")
    return {name: tuple(parts) for name, parts in found.items()}


def objective_groups(objective: nn.Module, network: nn.Module) -> dict[str, tuple[Part, ...]]:
    """The parts of an objective with weights of their own, under the names that a plan uses: "objective.projector".

    Args:
        objective: the objective of a run.
        network: the network of that run; weights that belong to it are left out.

    Returns:
        The parts of each group that can learn. Each child of the objective is a group; of an nn.ModuleDict or
        nn.ModuleList, such as heads of further tasks, each entry is one. Weights that the objective holds itself are
        the group "objective".
    """
    known = {id(weight) for weight in network.parameters()}
    groups: dict[str, tuple[Part, ...]] = {}
    for name, child in objective.named_children():
        several = isinstance(child, nn.ModuleDict | nn.ModuleList)
        for inner, part in child.named_children() if several else [("", child)]:
            own = [weight for weight in part.parameters() if id(weight) not in known]
            if any(weight.requires_grad for weight in own):
                whole = len(own) == len([*part.parameters()])  # else it holds a part of the network too
                groups[".".join(filter(None, ("objective", name, inner)))] = (part,) if whole else tuple(own)
    own = [w for w in objective.parameters(recurse=False) if w.requires_grad and id(w) not in known]
    return groups | ({"objective": tuple(own)} if own else {})


def weights_of(parts: Iterable[Part]) -> list[nn.Parameter]:
    """The weights of a group, each once, in order.

    Args:
        parts: the modules and weights of the group.

    Returns:
        The weights, frozen ones included.
    """
    found = {id(w): w for part in parts for w in ([part] if isinstance(part, nn.Parameter) else part.parameters())}
    return list(found.values())


def _parts(network: nn.Module, group: Sequence[Part | str]) -> Iterator[Part]:
    """The parts of one group, those that are named by their dotted name looked up in the network."""
    if isinstance(group, str | nn.Module | nn.Parameter):
        raise ValueError("a group is a sequence of parts, even of a single one: groups={'head': ['head']}")
    named = {**dict(network.named_modules()), **dict(network.named_parameters())}
    for part in group:
        if isinstance(part, str) and part not in named:
            raise ValueError(f"this network has no part {part!r}; network.named_modules() lists them")
        yield named[part] if isinstance(part, str) else part


def found_groups(network: nn.Module) -> dict[str, list[Part]]:
    """The groups that the network's own structure suggests; two of them may share a weight.

    Args:
        network: any network.

    Returns:
        The parts of each group, as `layer_groups` returns them.

    Raises:
        ValueError: if the order of the layers cannot be seen.
    """
    if isinstance(network, Network):
        groups, classifier = _body(network.backbone)
        if classifier is not None:  # what is left of the backbone's own
            groups[[*groups][-1]].append(classifier)
        head: list = [network.head]
    else:
        groups, classifier = _body(network)
        if classifier is not None:
            layers = [*classifier.children()] or [classifier]
            head = [layer for layer in layers if weights_of([layer])][-1:]
            groups[[*groups][-1]] += layers[: layers.index(head[0])] if head else layers
        else:  # a structure that is not known: what it computes last is the head
            head = groups.popitem()[1] if groups else [network]
    if "head" in groups:  # a part of the body that is called so
        groups = {"inner_head" if name == "head" else name: parts for name, parts in groups.items()}
    groups |= {"head": head} if head else {}
    found: dict[str, list[Part]] = {name: [part for part in parts if _matters(part)] for name, parts in groups.items()}
    held = set(map(id, weights_of(part for parts in found.values() for part in parts)))
    next(iter(found.values())).extend(weight for weight in network.parameters() if id(weight) not in held)
    return found


def _matters(part: nn.Module) -> bool:
    """Whether freezing a module changes anything: it has weights or statistics, or contains dropout."""
    drops = any(isinstance(module, _DropoutNd) for module in part.modules())
    return drops or bool([*part.parameters(), *part.buffers()])


def _body(model: nn.Module) -> tuple[dict[str, list], nn.Module | None]:
    """The groups of a model without its classifier, and the classifier; None for a structure that is not known."""
    children = dict(model.named_children())
    kinds = {kind.__name__ for kind in type(model).__mro__}
    stem, behind, each, after = [], [], "stage", "last"
    if {"layer1", "layer2"} <= children.keys():  # ResNet: torchvision's, timm's, and those for CIFAR
        spine = [name for name in children if re.fullmatch(r"layer\d+", name)]
        stages = [[children[name]] for name in spine]
    elif "features" in children and "ConvNeXt" in kinds:  # every stage but the first begins by halving the size
        spine, (first, *parts) = ["features"], children["features"].children()
        stem, stages = [first], [parts[max(0, 2 * n - 1) : 2 * n + 1] for n in range((len(parts) + 1) // 2)]
    elif "features" in children and kinds & {"MobileNetV2", "MobileNetV3", "EfficientNet"}:
        spine, (first, *parts, last) = ["features"], children["features"].children()
        stem, stages, behind = [first], [[part] for part in parts], [last]
    elif "features" in children and kinds & {"DenseNet", "SqueezeNet"}:
        # A stage of DenseNet is a block and the transition behind it, one of SqueezeNet what lies between two poolings.
        spine, begins = ["features"], r"denseblock\d+" if "DenseNet" in kinds else "MaxPool2d"
        stages = [[]]
        for name, part in children["features"].named_children():
            if re.fullmatch(begins, name) or re.fullmatch(begins, type(part).__name__):
                stages.append([])
            stages[-1].append(part)
        stem = stages.pop(0)
    elif "layers" in children and "MNASNet" in kinds:
        spine, parts = ["layers"], [*children["layers"].children()]
        stem, stages, behind = parts[:8], [[part] for part in parts[8:-3]], parts[-3:]
    elif {"conv_proj", "encoder"} <= children.keys() and "VisionTransformer" in kinds:
        inner = dict(children["encoder"].named_children())
        spine, stages = ["encoder"], [[block] for block in inner["layers"].children()]
        stem, behind, each, after = [inner["dropout"]], [inner["ln"]], "block", "norm"
    elif kinds & {"ConvNeXt", "EfficientNet", "MobileNetV3", "VisionTransformer"} and (
        spine := [name for name in children if name in ("blocks", "stages")]
    ):  # timm's
        stages = [[block] for block in children[spine[0]].children()]
        each, after = ("block", "norm") if "VisionTransformer" in kinds else (each, after)
    elif len(children) == 1 and [*(only := next(iter(children.values()))).children()]:
        return _body(only)  # a wrapper
    else:
        return _by_children(_in_forward_order(model)), None
    names = list(children)
    behind += [children[name] for name in names[names.index(spine[-1]) + 1 :]]
    classifier = behind.pop() if names[-1] != spine[-1] else nn.Identity()  # a backbone may never have had one
    groups = {"stem": [*(children[name] for name in names[: names.index(spine[0])]), *stem]}
    groups |= {f"{each}{number}": list(parts) for number, parts in enumerate(stages, start=1)}
    if weights_of(behind):
        groups[after] = behind
    else:
        groups[[*groups][-1]] += behind
    return groups, classifier


def _in_forward_order(model: nn.Module) -> dict[str, nn.Module]:
    """The children of a model as its forward pass first calls them; those it does not call stand first.

    Where the pass cannot be traced they stand as they were made, unless that order is plainly another one.
    """
    children = dict(model.named_children())
    if isinstance(model, nn.Sequential):
        return children
    from torch import fx

    class Children(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return True

    traced = copy.copy(model)  # what its forward pass keeps stays in this copy
    vars(traced).update({name: copy.copy(it) for name, it in vars(model).items() if isinstance(it, dict | list | set)})
    vars(traced)["_buffers"] = {name: it if it is None else it.clone() for name, it in model._buffers.items()}
    try:
        with torch.random.fork_rng(devices=[]):
            nodes = Children().trace(traced).nodes
    except Exception:  # whatever a forward pass does with a value that it does not yet have
        weighty = [name for name, child in children.items() if weights_of([child])]
        if early := [name for name in weighty[:-1] if name in HEADS]:
            raise ValueError(
                f"the forward pass of this {type(model).__name__} cannot be traced, so the order of its layers is "
                f"unknown ({early[0]!r} was made before {weighty[-1]!r}). Make them in the order in which they are "
                "called, or, in what takes groups=, name the groups from input to head by their parts' dotted names: "
                "groups={'body': ['conv1', 'conv2'], 'head': ['fc']}"
            ) from None
        return children
    called = dict.fromkeys(
        str(node.target).partition(".")[0] for node in nodes if node.op in ("call_module", "get_attr")
    )
    order = {name: number for number, name in enumerate(called)}
    return dict(sorted(children.items(), key=lambda child: order.get(child[0], -1)))


def _by_children(children: Mapping[str, nn.Module]) -> dict[str, list]:
    """One group for each child with weights; a child without weights joins the group before it, or else the first."""
    groups: dict[str, list] = {}
    waiting = []
    for name, child in children.items():
        if weights_of([child]):
            groups[name], waiting = [*waiting, child], []
        else:
            (groups[[*groups][-1]] if groups else waiting).append(child)
    return groups
