"""What learns, at which rate, from when: layer groups, and plans for them that can be printed, compared and saved."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from tlkit.models.networks import Network
from tlkit.words import listed, meant

Part = nn.Module | nn.Parameter  # what a group holds: a ViT's class token belongs to no smaller module
Given = Mapping[str, Sequence[Part | str]]  # groups by hand: modules of the network, or their dotted names


# ---- layer groups ----


def layer_groups(network: nn.Module, given: Given | None = None) -> dict[str, tuple[Part, ...]]:
    """The parts of a network that freeze and thaw together, by name, from the input to the head.

    Known by their structure: ResNet (stem, stage1 to stage4, head), ConvNeXt (the same), MobileNet and EfficientNet
    (stem, stage1 to stage n, last, head), ViT (stem, block1 to block n, norm, head), in torchvision and in timm. Of
    any other network the children with weights are the groups, and the last is called head. The head is the last layer
    alone: what a new task replaces. A group holds modules with weights, and the dropout behind them; a weight that
    belongs to no module of a group (a ViT's class token) is held by the first group itself.

    `given`: your own groups instead, each a sequence of modules of the network or of their dotted names.
    Raises ValueError if two groups share a weight, or if a weight of the network is in none of the given groups.

    >>> import tlkit as tl
    >>> list(tl.freezing.layer_groups(tl.models.SmallCNN()))
    ['block1', 'block2', 'block3', 'features', 'head']
    """
    groups = _found(network) if given is None else {name: [*_parts(network, of)] for name, of in given.items()}
    names = {id(weight): name for name, weight in network.named_parameters()}
    home: dict[int, str] = {}
    for group, parts in groups.items():
        for weight in weights_of(parts):
            if home.setdefault(id(weight), group) != group:
                raise ValueError(
                    f"the groups {home[id(weight)]!r} and {group!r} share the weight {names.get(id(weight))!r}, "
                    "but a weight has one rate; put what shares it into one group: layer_groups(network, given={...})"
                )
            if id(weight) not in names:
                raise ValueError(f"the group {group!r} holds a weight that is not in this network; take its own parts")
    left = [weight for weight in network.parameters() if id(weight) not in home]
    if left and given is not None:
        raise ValueError(f"no given group holds {listed(repr(names[id(weight)]) for weight in left)}; put it into one")
    if left:
        next(iter(groups.values())).extend(left)
    return {name: tuple(parts) for name, parts in groups.items()}


def objective_groups(objective: nn.Module, network: nn.Module) -> dict[str, tuple[Part, ...]]:
    """The parts of an objective with weights of their own, as a plan names them: "objective.projector".

    Each child is a group; of an nn.ModuleDict or nn.ModuleList, such as heads of further tasks, each entry is one.
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
    """The weights of a group, each once, in order."""
    found = {id(w): w for part in parts for w in ([part] if isinstance(part, nn.Parameter) else part.parameters())}
    return list(found.values())


def _parts(network: nn.Module, given: Sequence[Part | str]) -> Iterator[Part]:
    if isinstance(given, str | nn.Module | nn.Parameter):
        raise ValueError("a group is a sequence of parts, even if it is one: given={'head': ['head']}")
    named = {**dict(network.named_modules()), **dict(network.named_parameters())}
    for part in given:
        if isinstance(part, str) and part not in named:
            raise ValueError(f"this network has no part {part!r}; network.named_modules() lists them")
        yield named[part] if isinstance(part, str) else part


def _found(network: nn.Module) -> dict[str, list]:
    """The groups of a network as its own structure names them."""
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
            head = groups.pop("head", None) or (groups.popitem()[1] if groups else [network])
            groups["head"] = head
    return {name: [part for part in parts if _matters(part)] for name, parts in groups.items()}


def _matters(part: nn.Module) -> bool:
    """Whether freezing changes anything about a module: it has weights or statistics, or it is dropout."""
    drops = any(isinstance(module, _DropoutNd) for module in part.modules())
    return drops or bool([*part.parameters(), *part.buffers()])


def _body(model: nn.Module) -> tuple[dict[str, list], nn.Module | None]:
    """The groups of a model without its classifier, and the classifier; None if the structure is not known."""
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
    """One group for each child with weights; the others belong to the one before, or to the first."""
    groups: dict[str, list] = {}
    waiting = []
    for name, child in children.items():
        if weights_of([child]):
            groups[name], waiting = [*waiting, child], []
        else:
            (groups[[*groups][-1]] if groups else waiting).append(child)
    return groups


# ---- plans ----


@dataclass(frozen=True)
class Rule:
    """From `start`, a share of the run in [0, 1), the weights of `group` learn at `rate` x the run's rate.

    `rate` None means frozen. Shares, because epochs are the wrong clock: with ten labelled images an epoch is one step.
    Raises ValueError for a rate that is not a finite number above 0, or a start outside [0, 1).
    """

    group: str
    rate: float | None = 1.0
    start: float = 0.0

    def __post_init__(self):
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ValueError(
                f"rate={self.rate} for {self.group!r}, but a rate is larger than 0 and finite: it multiplies the "
                "run's lr; to freeze a group say None"
            )
        if not 0 <= self.start < 1:
            raise ValueError(
                f"start={self.start} for {self.group!r}, but a start is a share of the run: 0 is its first step, "
                "0.5 its middle, and it is smaller than 1"
            )


@dataclass(frozen=True, repr=False)
class FreezePlan:
    """Rules for the layer groups of a network; of the rules of a group the latest that has begun holds.

    `given` are the dotted names of each group's parts where the groups are not those that the network itself names.
    A plan changes nothing: `tl.Run(..., plan=plan)` applies it. Raises ValueError if a group has no rule at 0, or two
    rules at one start.

    >>> from tlkit.freezing import FreezePlan, Rule
    >>> FreezePlan((Rule("block1", None), Rule("head"), Rule("block1", 0.5, start=0.4)))
    block1  frozen, from 40 % on 0.5 × lr
    head    1 × lr
    """

    rules: tuple[Rule, ...]
    given: Mapping[str, Sequence[str]] | tuple[tuple[str, Sequence[str]], ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "given", tuple((name, tuple(of)) for name, of in dict(self.given).items()))
        groups = list(dict.fromkeys(rule.group for rule in self.rules))
        ordered = sorted(self.rules, key=lambda rule: (groups.index(rule.group), rule.start))
        object.__setattr__(self, "rules", tuple(ordered))
        for rule, following in pairwise(ordered):
            if (rule.group, rule.start) == (following.group, following.start):
                raise ValueError(f"two rules for {rule.group!r} begin at {rule.start:g}; keep one of them")
        for group in groups:
            if self._of(group)[0].start > 0:
                raise ValueError(
                    f"no rule says what {group!r} does from the start; "
                    f"add Rule({group!r}, None) to freeze it there, or Rule({group!r}, 1.0)"
                )
        if not groups:
            raise ValueError("this plan has no rules; give every layer group one, for instance Rule('head', 1.0)")

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that have rules, in the order in which rules first name them."""
        return tuple(dict.fromkeys(rule.group for rule in self.rules))

    def rate(self, group: str, share: float) -> float | None:
        """What multiplies the run's rate for `group` when `share` of the run is over; None while it is frozen."""
        if group not in self.groups:
            raise ValueError(f"this plan has no group {group!r}; {_those_there_are(self.groups, group)}")
        return [rule.rate for rule in self._of(group) if rule.start <= share][-1]

    def groups_in(self, network: nn.Module, objective: nn.Module | None = None) -> dict[str, tuple[Part, ...]]:
        """What each group of the plan is in this network, and in the objective if it is given (see `objective_groups`).

        Raises ValueError if the plan is for another network: if the groups with rules are not the network's.
        """
        found = layer_groups(network, dict(self.given) or None)
        others = objective_groups(objective, network) if objective else {}
        asked = [group for group in self.groups if objective or group.split(".")[0] != "objective"]
        strangers = [group for group in asked if group not in found | others]
        if strangers:
            raise ValueError(
                f"this plan is for another network: it has rules for {listed(map(repr, strangers))}; "
                f"{_those_there_are(found | others, strangers[0])}"
            )
        without = [group for group in found if group not in self.groups]
        if without:
            raise ValueError(
                f"the plan has no rule for {listed(map(repr, without))}, but every layer group of the network needs "
                f"one at start 0; add Rule({without[0]!r}, None) to freeze it"
            )
        return found | {group: parts for group, parts in others.items() if group in self.groups}

    def summary(self, network: nn.Module) -> PlanSummary:
        """The plan as a table with the weights of each group. Raises ValueError if it is for another network."""
        rows = []
        for group, parts in self.groups_in(network).items():
            weights = weights_of(parts)
            yours = sum(w.numel() for w in weights if not w.requires_grad)
            count = sum(w.numel() for w in weights)
            note = "" if not yours else "frozen by you" if yours == count else f"{yours:,} weights frozen by you"
            when = self._in_words(group)
            rows.append((group, count, note if note == "frozen by you" else f"{when}; {note}" if note else when))
        return PlanSummary(tuple(rows))

    def to_json(self) -> str:
        """The plan as text that `from_json` reads back."""
        return json.dumps({"rules": [[r.group, r.rate, r.start] for r in self.rules], "given": self.given})

    @classmethod
    def from_json(cls, text: str) -> FreezePlan:
        """The plan that `to_json` wrote. Raises ValueError if the text is not one."""
        try:
            read = json.loads(text)
            rules, given = tuple(Rule(*rule) for rule in read["rules"]), tuple(read["given"])
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"this text is not a plan that FreezePlan.to_json() wrote: {text[:60]!r}") from error
        return cls(rules, given)

    def _of(self, group: str) -> list[Rule]:
        return [rule for rule in self.rules if rule.group == group]

    def _in_words(self, group: str) -> str:
        rates = ["frozen" if rule.rate is None else f"{rule.rate:.3g} × lr" for rule in self._of(group)]
        starts = [f"from {100 * rule.start:.3g} % on " if rule.start else "" for rule in self._of(group)]
        return ", ".join(start + rate for start, rate in zip(starts, rates, strict=True))

    def __repr__(self) -> str:
        return _table([(group, self._in_words(group)) for group in self.groups])


@dataclass(frozen=True, repr=False)
class PlanSummary:
    """A plan on a network: `rows` of group, number of weights, rate and when."""

    rows: tuple[tuple[str, int, str], ...]

    def __repr__(self) -> str:
        return _table([("group", "weights", "learns"), *((group, f"{n:,}", words) for group, n, words in self.rows)])

    def _repr_html_(self) -> str:
        rows = [f"<td>{escape(group)}</td><td>{n:,}</td><td>{escape(words)}</td>" for group, n, words in self.rows]
        head = "<th>group</th><th>weights</th><th>learns</th>"
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in [head, *rows])}</table>"


# ---- the usual plans: each names the network's own groups and changes nothing ----


def freeze(network: nn.Module, until: str, *, groups: Given | None = None) -> FreezePlan:
    """Everything up to and including the group `until` is frozen, what follows learns.

    `groups`, here and below: your own groups, see `layer_groups`. Raises ValueError for a name that is not a group.

    >>> import tlkit as tl
    >>> tl.freezing.freeze(tl.models.SmallCNN(), until="block3")
    block1    frozen
    block2    frozen
    block3    frozen
    features  1 × lr
    head      1 × lr
    """
    names = list(layer_groups(network, groups))
    if until not in names:
        raise ValueError(f"until={until!r} is not a layer group; {_those_there_are(names, until)}")
    if until == names[-1]:
        raise ValueError(f"until={until!r} freezes every layer group, so nothing can learn; name an earlier one")
    return last_layers(network, len(names) - 1 - names.index(until), groups=groups)


def last_layers(network: nn.Module, n: int, *, groups: Given | None = None) -> FreezePlan:
    """Only the last `n` groups learn: 1 is the head alone, a linear probe; 2 also the group before it."""
    names = list(layer_groups(network, groups))
    if not 1 <= n <= len(names):
        raise ValueError(
            f"the last {n} of {len(names)} layer groups are to learn; choose 1 (only {names[-1]}) to {len(names)} (all)"
        )
    frozen = len(names) - n
    return _plan(network, groups, [Rule(name, None if at < frozen else 1.0) for at, name in enumerate(names)])


def gradual_unfreezing(network: nn.Module, *, rate: float = 0.5, groups: Given | None = None) -> FreezePlan:
    """From the head backwards one group after the other thaws: of n groups the i-th from the head (from 0) at i / n.

    All but the head learn at `rate`. Howard and Ruder, Universal Language Model Fine-tuning, 2018, section 3.3, where
    a group thaws each epoch.

    >>> import tlkit as tl
    >>> tl.freezing.gradual_unfreezing(tl.models.SmallCNN())
    block1    frozen, from 80 % on 0.5 × lr
    block2    frozen, from 60 % on 0.5 × lr
    block3    frozen, from 40 % on 0.5 × lr
    features  frozen, from 20 % on 0.5 × lr
    head      1 × lr
    """
    *body, head = layer_groups(network, groups)
    n = len(body) + 1
    thawed = [Rule(name, rate, (n - 1 - place) / n) for place, name in enumerate(body)]
    return _plan(network, groups, [*(Rule(name, None) for name in body), *thawed, Rule(head)])


def discriminative_rates(network: nn.Module, decay: float = 0.4, *, groups: Given | None = None) -> FreezePlan:
    """The head learns at the run's rate, each group below at `decay` x the rate of the one above.

    Howard and Ruder, 2018, section 3.2, with a decay of 1 / 2.6 = 0.38.
    """
    names = list(layer_groups(network, groups))
    return _plan(network, groups, [Rule(name, decay ** (len(names) - 1 - place)) for place, name in enumerate(names)])


def probe_then_finetune(
    network: nn.Module, probe: float = 0.3, *, rate: float = 1.0, groups: Given | None = None
) -> FreezePlan:
    """The head alone learns for the share `probe` of the run, then everything at `rate`.

    Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, 2022. Raises
    ValueError if `probe` is not between 0 and 1.
    """
    if not 0 < probe < 1:
        raise ValueError(f"probe={probe}, but it is a share of the run, larger than 0 and smaller than 1")
    *body, head = layer_groups(network, groups)
    frozen, then = [Rule(name, None) for name in body], body if rate == 1 else [*body, head]
    return _plan(network, groups, [*frozen, Rule(head), *(Rule(name, rate, probe) for name in then)])


def batch_norm_still(network: nn.Module) -> FreezePlan:
    """Everything learns but the batch norms, which keep their weights and the statistics of the source.

    The plan has two groups of its own, "norms" and "others". Raises ValueError if the network has no batch norm.
    """
    norms = [part for part in network.modules() if isinstance(part, _BatchNorm)]
    if not norms:
        raise ValueError("this network has no batch norm that could stand still; train it without a plan")
    held = {id(weight) for weight in weights_of(norms)}
    others = [weight for weight in network.parameters() if id(weight) not in held]
    return _plan(network, {"norms": norms, "others": others}, [Rule("norms", None), Rule("others")])


def _plan(network: nn.Module, groups: Given | None, rules: Sequence[Rule]) -> FreezePlan:
    if groups is None:
        return FreezePlan(tuple(rules))
    named = {id(part): name for name, part in [*network.named_modules(), *network.named_parameters()]}
    given = {g: [p if isinstance(p, str) else named[id(p)] for p in parts] for g, parts in groups.items()}
    return FreezePlan(tuple(rules), given)


# ---- words ----


def _those_there_are(groups: Iterable[str], asked: str) -> str:
    return f"its layer groups are {', '.join(groups := list(groups))}{meant(asked, groups)}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as lines of text; columns of numbers stand on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        sized = enumerate(zip(row, widths, strict=True))
        cells = [cell.rjust(w) if 0 < at < len(row) - 1 else cell.ljust(w) for at, (cell, w) in sized]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
