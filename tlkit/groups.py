"""Which parts a network has, from its input to its head: what freezes together, thaws together and shares a rate."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from tlkit.models.networks import Network
from tlkit.words import listed

Part = nn.Module | nn.Parameter  # what a group holds: a ViT's class token belongs to no smaller module
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
            network is in none of your groups.

    Known structures, in torchvision and in timm: ResNet (stem, stage1 to stage4, head), ConvNeXt (the same), MobileNet
    and EfficientNet (stem, stage1 to stage n, last, head), ViT (stem, block1 to block n, norm, head). In any other
    network each child with weights is a group, and the last one is called head. The head is the last layer alone: what
    a new task replaces.

    >>> import tlkit as tl
    >>> list(tl.freezing.layer_groups(tl.models.SmallCNN()))
    ['block1', 'block2', 'block3', 'features', 'head']
    """
    found = _found(network) if groups is None else {name: [*_parts(network, of)] for name, of in groups.items()}
    names = {id(weight): name for name, weight in network.named_parameters()}
    home: dict[int, str] = {}
    for group, parts in found.items():
        for weight in weights_of(parts):
            if home.setdefault(id(weight), group) != group:
                raise ValueError(
                    f"the groups {home[id(weight)]!r} and {group!r} share the weight {names.get(id(weight))!r}, "
                    "but a weight has one rate; put what shares it into one group: layer_groups(network, groups={...})"
                )
            if id(weight) not in names:
                raise ValueError(f"the group {group!r} holds a weight that is not in this network; take its own parts")
    left = [weight for weight in network.parameters() if id(weight) not in home]
    if left and groups is not None:
        raise ValueError(f"none of the groups holds {listed(repr(names[id(w)]) for w in left)}; put it into one")
    if left:
        next(iter(found.values())).extend(left)
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


def _found(network: nn.Module) -> dict[str, list]:
    """The groups that the network's own structure suggests."""
    if isinstance(network, Network):
        groups, classifier = _body(network.backbone)
        if classifier is not None:  # what is left of the backbone's own
            groups[[*groups][-1]].append(classifier)
        groups["head"] = [network.head]
    else:
        groups, classifier = _body(network)
        if classifier is not None:
            *before, last = [*classifier.children()] or [classifier]
            groups[[*groups][-1]] += before
            groups |= {"head": [last]} if weights_of([last]) else {}
        else:  # a structure that is not known: its last child is the head, unless one has that name
            groups["head"] = groups.pop("head", None) or (groups.popitem()[1] if groups else [network])
    return {name: [part for part in parts if _matters(part)] for name, parts in groups.items()}


def _matters(part: nn.Module) -> bool:
    """Whether freezing a module changes anything: it has weights or statistics, or contains dropout."""
    drops = any(isinstance(module, _DropoutNd) for module in part.modules())
    return drops or bool([*part.parameters(), *part.buffers()])


def _body(model: nn.Module) -> tuple[dict[str, list], nn.Module | None]:
    """The groups of a model without its classifier, and the classifier; None for a structure that is not known."""
    children = dict(model.named_children())
    kinds = {kind.__name__ for kind in type(model).__mro__}
    stem, behind, each, after = [], [], "stage", "last"
    if "layer1" in children:  # ResNet: torchvision's, timm's, and those for CIFAR
        spine = [name for name in children if re.fullmatch(r"layer\d+", name)]
        stages = [[children[name]] for name in spine]
    elif "features" in children and "ConvNeXt" in kinds:  # every stage but the first begins by halving the size
        spine, (first, *parts) = ["features"], children["features"].children()
        stem, stages = [first], [parts[max(0, 2 * n - 1) : 2 * n + 1] for n in range((len(parts) + 1) // 2)]
    elif "features" in children and kinds & {"MobileNetV2", "MobileNetV3", "EfficientNet"}:
        spine, (first, *parts, last) = ["features"], children["features"].children()
        stem, stages, behind = [first], [[part] for part in parts], [last]
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
        return _by_children(children), None
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
