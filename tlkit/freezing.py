"""What learns, at which rate and from when: plans for the layer groups that can be printed, compared and saved."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from tlkit.groups import Groups, Part, weights_of
from tlkit.groups import layer_groups as layer_groups
from tlkit.groups import objective_groups as objective_groups
from tlkit.words import listed, meant


@dataclass(frozen=True)
class Rule:
    """What one group does from a point of the run on: it learns at a rate, or it is frozen.

    Args:
        group: the name of a layer group, see `layer_groups`, or of a part of the objective, see `objective_groups`.
        rate: what multiplies the run's learning rate for the weights of the group; None freezes them.
        start: when the rule begins, as a share of the run in [0, 1); 0 is its first step.

    Raises:
        ValueError: if `rate` is not a finite number above 0, or `start` is outside [0, 1).

    Shares, because epochs are the wrong clock: with ten labelled images an epoch is one step.
    """

    group: str
    rate: float | None = 1.0
    start: float = 0.0

    def __post_init__(self):
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ValueError(
                f"rate={self.rate} for {self.group!r}, but a rate is larger than 0 and finite: it multiplies the "
                "run's learning rate; to freeze a group use None"
            )
        for name in ("rate", "start"):  # plain numbers, whatever library they come from
            if isinstance(value := getattr(self, name), np.generic):
                object.__setattr__(self, name, value.item())
        if not 0 <= self.start < 1:
            raise ValueError(
                f"start={self.start} for {self.group!r}, but a start is a share of the run: 0 is its first step, "
                "0.5 its middle, and it is smaller than 1"
            )


@dataclass(frozen=True, repr=False)
class FreezePlan:
    """Rules for the layer groups of a network: which of them learn, at which rate and from when.

    Args:
        rules: one or several for each group, of which the latest that has begun holds; each group needs one that
            starts at 0.
        parts: the dotted names of each group's parts, if the groups are your own. By default, with (), the groups are
            those of `layer_groups(network)`.

    Raises:
        ValueError: if there are no rules, if a group has no rule at 0, or two rules that start at the same time.

    A plan is a value and changes nothing: `tl.Run(..., plan=plan)` applies it.

    >>> from tlkit.freezing import FreezePlan, Rule
    >>> FreezePlan((Rule("block1", None), Rule("head"), Rule("block1", 0.5, start=0.4)))
    block1  frozen, from 40 % on 0.5 × lr
    head    1 × lr
    """

    rules: tuple[Rule, ...]
    parts: Mapping[str, Sequence[str]] | tuple[tuple[str, Sequence[str]], ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "parts", tuple((name, tuple(of)) for name, of in dict(self.parts).items()))
        groups = self.groups
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
        """The names of the groups that have rules, in the order in which the rules first name them."""
        return tuple(dict.fromkeys(rule.group for rule in self.rules))

    def rate(self, group: str, share: float) -> float | None:
        """What multiplies the run's learning rate for a group at a point of the run.

        Args:
            group: the name of a group that has rules.
            share: how much of the run is over, in [0, 1).

        Returns:
            The rate; None while the group is frozen.

        Raises:
            ValueError: if the plan has no such group.
        """
        if group not in self.groups:
            raise ValueError(f"this plan has no group {group!r}; {_groups_there_are(self.groups, group)}")
        return [rule.rate for rule in self._of(group) if rule.start <= share][-1]

    def groups_in(self, network: nn.Module, objective: nn.Module | None = None) -> dict[str, tuple[Part, ...]]:
        """The parts that each group of the plan has in a network, and in an objective.

        Args:
            network: the network of a run.
            objective: the objective of the run; None leaves out the rules for parts of an objective.

        Returns:
            The parts by group, see `layer_groups` and `objective_groups`.

        Raises:
            ValueError: if the plan is for another network: it has a rule for a group that is not there, or none for one
                that is.
        """
        found = layer_groups(network, dict(self.parts) or None)
        others = objective_groups(objective, network) if objective else {}
        wanted = [group for group in self.groups if objective or group.split(".")[0] != "objective"]
        strangers = [group for group in wanted if group not in found | others]
        if strangers:
            raise ValueError(
                f"this plan is for another network: it has rules for {listed(map(repr, strangers))}; "
                f"{_groups_there_are(found | others, strangers[0])}"
            )
        without = [group for group in found if group not in self.groups]
        if without:
            raise ValueError(
                f"the plan has no rule for {listed(map(repr, without))}, but every layer group of the network needs "
                f"one at start 0; add Rule({without[0]!r}, None) to freeze it"
            )
        return found | {group: parts for group, parts in others.items() if group in self.groups}

    def summary(self, network: nn.Module) -> PlanSummary:
        """The plan as a table, with the number of weights of each group.

        Args:
            network: the network that the plan is for; weights that you froze yourself are named.

        Returns:
            The table; a notebook shows it.

        Raises:
            ValueError: if the plan is for another network.
        """
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
        return json.dumps({"rules": [[r.group, r.rate, r.start] for r in self.rules], "parts": self.parts})

    @classmethod
    def from_json(cls, text: str) -> FreezePlan:
        """The plan that `to_json` wrote.

        Args:
            text: what `to_json` returned.

        Returns:
            A plan equal to the one that was written.

        Raises:
            ValueError: if the text is not such a plan.
        """
        try:
            read = json.loads(text)
            rules = tuple(Rule(*rule) for rule in read["rules"])
            parts = tuple(read["parts"] if "parts" in read else read["given"])  # its name in plans written earlier
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"this text is not a plan that FreezePlan.to_json() wrote: {text[:60]!r}") from error
        return cls(rules, parts)

    def _of(self, group: str) -> list[Rule]:
        """The rules of one group, by start."""
        return [rule for rule in self.rules if rule.group == group]

    def _in_words(self, group: str) -> str:
        """What a group does and from when, such as "frozen, from 40 % on 0.5 × lr"."""
        rates = ["frozen" if rule.rate is None else f"{rule.rate:.3g} × lr" for rule in self._of(group)]
        starts = [f"from {100 * rule.start:.3g} % on " if rule.start else "" for rule in self._of(group)]
        return ", ".join(start + rate for start, rate in zip(starts, rates, strict=True))

    def __repr__(self) -> str:
        return _table([(group, self._in_words(group)) for group in self.groups])


@dataclass(frozen=True, repr=False)
class PlanSummary:
    """A plan on a network, as a table; `plan.summary(network)` makes it.

    Args:
        rows: for each group its name, its number of weights, and in words when it learns and at which rate.
    """

    rows: tuple[tuple[str, int, str], ...]

    def __repr__(self) -> str:
        return _table([("group", "weights", "learns"), *((group, f"{n:,}", words) for group, n, words in self.rows)])

    def _repr_html_(self) -> str:
        rows = [f"<td>{escape(group)}</td><td>{n:,}</td><td>{escape(words)}</td>" for group, n, words in self.rows]
        head = "<th>group</th><th>weights</th><th>learns</th>"
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in [head, *rows])}</table>"


# ---- the usual plans: each names the groups of the network and changes nothing ----


def freeze(network: nn.Module, until: str, *, groups: Groups | None = None) -> FreezePlan:
    """Everything up to and including the group `until` is frozen, what follows learns.

    Args:
        network: the network that the plan is for.
        until: the name of the last group that is frozen.
        groups: groups of your own instead of the network's, see `layer_groups`.

    Returns:
        The plan.

    Raises:
        ValueError: if `until` is not a group, or is the last one, so that nothing could learn.

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
        raise ValueError(f"until={until!r} is not a layer group; {_groups_there_are(names, until)}")
    if until == names[-1]:
        raise ValueError(f"until={until!r} freezes every layer group, so nothing can learn; name an earlier one")
    return last_layers(network, len(names) - 1 - names.index(until), groups=groups)


def last_layers(network: nn.Module, n: int, *, groups: Groups | None = None) -> FreezePlan:
    """Only the last `n` groups learn.

    Args:
        network: the network that the plan is for.
        n: how many groups learn: 1 is the head alone, a linear probe; 2 also the group before it.
        groups: groups of your own instead of the network's, see `layer_groups`.

    Returns:
        The plan.

    Raises:
        ValueError: if `n` is below 1, or larger than the number of groups.
    """
    names = list(layer_groups(network, groups))
    if not 1 <= n <= len(names):
        raise ValueError(
            f"the last {n} of {len(names)} layer groups are to learn; choose 1 (only {names[-1]}) to {len(names)} (all)"
        )
    frozen = len(names) - n
    return _plan(network, groups, [Rule(name, None if at < frozen else 1.0) for at, name in enumerate(names)])


def gradual_unfreezing(network: nn.Module, *, rate: float = 0.5, groups: Groups | None = None) -> FreezePlan:
    """The head learns from the start, and one group after another thaws, from the head backwards.

    Args:
        network: the network that the plan is for.
        rate: what multiplies the run's learning rate for all groups but the head, once they have thawed.
        groups: groups of your own instead of the network's, see `layer_groups`.

    Returns:
        The plan: of n groups, the i-th from the head (the head is 0) thaws at the share i / n of the run.

    Raises:
        ValueError: if `rate` is not a finite number above 0.

    Source: Howard and Ruder, Universal Language Model Fine-tuning, 2018, section 3.3, where a group thaws each epoch.

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


def discriminative_rates(network: nn.Module, decay: float = 0.4, *, groups: Groups | None = None) -> FreezePlan:
    """Every group learns, the earlier in the network the more slowly.

    Args:
        network: the network that the plan is for.
        decay: the head learns at the run's learning rate, each group before it at `decay` x the rate of the next one.
            The paper has 1 / 2.6 = 0.38.
        groups: groups of your own instead of the network's, see `layer_groups`.

    Returns:
        The plan.

    Raises:
        ValueError: if `decay` is not a finite number above 0.

    Source: Howard and Ruder, Universal Language Model Fine-tuning, 2018, section 3.2.
    """
    names = list(layer_groups(network, groups))
    return _plan(network, groups, [Rule(name, decay ** (len(names) - 1 - place)) for place, name in enumerate(names)])


def probe_then_finetune(
    network: nn.Module, probe: float = 0.3, *, rate: float = 1.0, groups: Groups | None = None
) -> FreezePlan:
    """The head alone learns first, then everything does.

    Args:
        network: the network that the plan is for.
        probe: the share of the run, between 0 and 1, in which only the head learns.
        rate: what multiplies the run's learning rate after that, for the head too.
        groups: groups of your own instead of the network's, see `layer_groups`.

    Returns:
        The plan.

    Raises:
        ValueError: if `probe` is not between 0 and 1, or `rate` is not a finite number above 0.

    Source: Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, 2022.
    """
    if not 0 < probe < 1:
        raise ValueError(f"probe={probe}, but it is a share of the run, larger than 0 and smaller than 1")
    *body, head = layer_groups(network, groups)
    frozen, then = [Rule(name, None) for name in body], body if rate == 1 else [*body, head]
    return _plan(network, groups, [*frozen, Rule(head), *(Rule(name, rate, probe) for name in then)])


def batch_norm_still(network: nn.Module) -> FreezePlan:
    """Everything learns but the batch norms, which keep their weights and the statistics of the source.

    Args:
        network: the network that the plan is for.

    Returns:
        The plan, with two groups of its own: "norms" and "others".

    Raises:
        ValueError: if the network has no batch norm.
    """
    norms = [part for part in network.modules() if isinstance(part, _BatchNorm)]
    if not norms:
        raise ValueError("this network has no batch norm that could stand still; train it without a plan")
    held = {id(weight) for weight in weights_of(norms)}
    others = [weight for weight in network.parameters() if id(weight) not in held]
    return _plan(network, {"norms": norms, "others": others}, [Rule("norms", None), Rule("others")])


def _plan(network: nn.Module, groups: Groups | None, rules: Sequence[Rule]) -> FreezePlan:
    """A plan with these rules; it keeps groups of your own by the dotted names of their parts."""
    named = {id(part): name for name, part in [*network.named_modules(), *network.named_parameters()]}
    parts = {group: [p if isinstance(p, str) else named[id(p)] for p in of] for group, of in (groups or {}).items()}
    return FreezePlan(tuple(rules), parts)


# ---- words ----


def _groups_there_are(groups: Iterable[str], wanted: str) -> str:
    """For an error: the names of the groups, and which of them may have been meant."""
    return f"its layer groups are {', '.join(groups := list(groups))}{meant(wanted, groups)}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as lines of text; columns of numbers stand on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        sized = enumerate(zip(row, widths, strict=True))
        cells = [cell.rjust(w) if 0 < at < len(row) - 1 else cell.ljust(w) for at, (cell, w) in sized]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
