"""What a plan means for a run: which weights learn in a step, and what multiplies their learning rate."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from torch import nn
from torch.optim import Optimizer

from tlkit.freezing import FreezePlan
from tlkit.groups import weights_of
from tlkit.models.modes import set_modes

WARM_UP = 0.05  # the share of a run's steps in which the rate of a group rises after it has thawed


class PlanInForce:
    """A plan that a run follows: everything it does is a function of the step, from 0.

    Args:
        plan: the plan.
        network: the network of the run.
        objective: the run's own copy of its objective.
        steps: how many steps the run has.

    Raises:
        ValueError: if the plan is for another network, or if at some step nothing can learn.

    Frozen, a group's weights get no gradient and its modules are in evaluation mode, so that neither batch-norm
    statistics nor dropout move. That holds within a step only: between two steps the network is as its owner left it.
    Weights with `requires_grad=False` are the owner's: they never learn. The objective's own weights learn at the run's
    learning rate where no rule names them.
    """

    def __init__(self, plan: FreezePlan, network: nn.Module, objective: nn.Module, steps: int):
        self.network, self.steps = network, steps
        self._parts = plan.groups_in(network, objective)
        self._weights = {name: [w for w in weights_of(ps) if w.requires_grad] for name, ps in self._parts.items()}
        planned = {id(weight) for weight in [*network.parameters(), *weights_of(sum(self._parts.values(), ()))]}
        self._own = [w for w in objective.parameters() if w.requires_grad and id(w) not in planned]
        begins = {bisect_left(range(steps), rule.start, key=lambda step: step / steps) for rule in plan.rules}
        self._changes = sorted(begins - {steps})  # the steps at which the plan changes; the first is 0
        self._plan = [{name: plan.rate(name, step / steps) for name in self._parts} for step in self._changes]
        self._thawed = [dict.fromkeys(self._parts, 0)]  # since when each group learns, if it does
        for step, (before, now) in zip(self._changes[1:], pairwise(self._plan), strict=True):
            thawed = {name: step for name, rate in now.items() if rate is not None and before[name] is None}
            self._thawed.append(self._thawed[-1] | thawed)
        self._phase = -1
        self._frozen: list[nn.Parameter] = []
        self._still: list[nn.Module] = []
        for begin, end in zip(self._changes, [*self._changes[1:], steps], strict=True):
            if not self._own and not any(self.rates(begin).values()):
                raise ValueError(self._nothing_learns(begin, end))

    def learning(self) -> list[nn.Parameter]:
        """The weights that ever learn, in the order of their groups, and the objective's own."""
        ever = [name for name in self._parts if any(self.rates(step)[name] for step in self._changes)]
        return [*(weight for name in ever for weight in self._weights[name]), *self._own]

    def split(self, optimizer: Optimizer) -> None:
        """Let each of an optimizer's parameter groups hold weights of one layer group, named by its "layer_group"."""
        home = {id(weight): name for name, weights in self._weights.items() for weight in weights}
        groups = []
        for group in optimizer.param_groups:
            for name in dict.fromkeys(home.get(id(weight)) for weight in group["params"]):
                weights = [weight for weight in group["params"] if home.get(id(weight)) == name]
                groups.append(group | {"params": weights} | ({} if name is None else {"layer_group": name}))
        optimizer.param_groups[:] = groups

    def rates(self, step: int) -> dict[str, float | None]:
        """What multiplies the run's learning rate in a step, warm-up included.

        Args:
            step: the step, from 0.

        Returns:
            The rate of each group; None while it is frozen.
        """
        phase, found = self._phase_of(step), {}
        for name, rate in self._plan[phase].items():
            thawed = self._thawed[phase][name]
            warm = min(1.0, (step - thawed + 1) / (WARM_UP * self.steps)) if thawed else 1.0
            found[name] = None if rate is None or not self._weights[name] else rate * warm
        return found

    @contextmanager
    def holding(self, step: int, optimizer: Optimizer) -> Iterator[None]:
        """Hold what is frozen in a step, and let it go again at its end.

        Args:
            step: the step, from 0.
            optimizer: the run's; a group that thaws starts in it with a fresh state.
        """
        self._prepare(step, optimizer)
        held = [weight for weight in self._frozen if weight.requires_grad]
        modes = {module: module.training for module in self._still}
        try:
            set_modes(dict.fromkeys(modes, False))
            for weight in held:
                weight.requires_grad = False
            yield
        finally:
            for weight in held:
                weight.requires_grad = True
            set_modes(modes)

    def _prepare(self, step: int, optimizer: Optimizer) -> None:
        """Work out what is frozen, where the plan changes; a group that thaws starts with a fresh optimizer state."""
        phase = self._phase_of(step)
        for name in [name for name, thawed in self._thawed[phase].items() if step and thawed == step]:
            for weight in self._weights[name]:
                optimizer.state.pop(weight, None)
        if phase == self._phase:
            return
        self._phase = phase
        frozen = [name for name, rate in self._plan[phase].items() if rate is None]
        self._frozen = [weight for name in frozen for weight in self._weights[name]]
        for weight in self._frozen:
            weight.grad = None  # a gradient of zero would let momentum and weight decay move it
        parts = [part for name in frozen for part in self._parts[name]]
        held = {id(weight) for weight in weights_of(parts)}
        still = []
        for module in self.network.modules():  # what stands above frozen groups only, such as the whole backbone
            weights = {id(weight) for weight in module.parameters()}
            if weights and weights <= held:
                still.append(module)
        still += [module for part in parts if isinstance(part, nn.Module) for module in part.modules()]
        self._still = list(dict.fromkeys(still))

    def _phase_of(self, step: int) -> int:
        """How many changes of the plan lie before a step."""
        return bisect_right(self._changes, step) - 1

    def _nothing_learns(self, begin: int, end: int) -> str:
        """For an error: from when to when nothing can learn, why, and what to do."""
        yours = [repr(name) for name, rate in self._plan[self._phase_of(begin)].items() if rate is not None]
        start = int(1e4 * begin / self.steps) / 1e4  # rounded up it would begin a step too late
        why, do = "", f"let one learn there, for instance Rule({[*self._parts][-1]!r}, 1.0, {start:g})"
        if yours:
            why = f" ({', '.join(yours)} by you: requires_grad=False)"
            do = "set requires_grad=True on weights of one before the run, or let another group learn there"
        words = f"from step {begin + 1} to step {end} of {self.steps} every layer group is frozen{why}, so nothing can"
        return f"{words} learn; {do}"
