"""Which layer groups may change, when, and what that costs: switches and a timeline that make a FreezePlan."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from statistics import median
from typing import Any, Self

import torch
import traitlets as t
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tlkit.data.tasks import Split, Task
from tlkit.freezing import FreezePlan, Rule, last_layers
from tlkit.groups import Part, weights_of
from tlkit.models.copying import copied
from tlkit.models.networks import logits
from tlkit.objectives.objective import Objective
from tlkit.objectives.supervised import CrossEntropy
from tlkit.training.run import Run
from tlkit.views import pictured, sent_pixels, sent_shape
from tlkit.widgets.base import Widget, in_kernel_loop, loosely, start

SLICE = 0.15  # seconds that one measured step may take: so long the kernel does not answer
PLAIN = CrossEntropy()
STEPS = 5  # measured for the cost of one; three if they take long


class FreezePanel(Widget, script="freeze_panel.js"):
    """Set which layer groups learn, how fast and from when; the next cell trains with it: `Run(..., plan=panel.plan)`.

    Args:
        network: the network that will be trained; it is never changed.
        split: a Split, or a Task (its training images): gives the image that is drawn, every group's output size, and
            the batches for the costs. None draws the weights alone and measures nothing.
        plan: where one begins; None lets only the head learn.
        steps: of the run to come.
        lr: its learning rate, which the plan's rates multiply.
        batch_size: images in one of its steps.
        objective: its objective, with which the costs are measured; None is CrossEntropy.

    Raises:
        ValueError: if the plan is for another network, for fewer than 1 step, or for a rate that is not above 0.
        TypeError: if `split` is neither a Split nor a Task.

    Switches change what holds from the step under the cursor on, the edges of the timeline move in time; `panel.plan`
    is what is shown now, and can be set.

    The costs are measured in the background, with real steps of a `Run` on a copy of the network with `objective` and
    AdamW, for every depth and for every set of groups that learns at some time in the plan:

    - memory for training: bytes of the gradients, of the optimizer's state, and of what autograd keeps of the forward
      pass for the backward pass, each storage once; the weights themselves, which are always there, are not counted.
    - cost of one step: the median of five, of three if they take long. Where a step would keep the kernel from
      answering for longer than 0.15 s, fewer images make the batch, two at least, and the panel says how many.

    Once they are measured the panel no longer holds network, split and objective: what another plan needs besides is
    measured if somebody else still holds them.

    >>> import tlkit as tl
    >>> network = tl.models.SmallCNN()
    >>> panel = tl.widgets.FreezePanel(network, plan=tl.freezing.gradual_unfreezing(network), steps=100)
    >>> panel
    head learns from the start, features from step 20, block3 from step 40, block2 from step 60, block1 from step 80
    """

    view = t.Dict().tag(sync=True)
    image = t.Bytes().tag(sync=True)
    rules = t.List().tag(sync=True)  # [[group, rate or None, start], ...]: the truth, here and in the browser
    costs = t.Dict().tag(sync=True)  # by the groups that learn, as in "00011": [bytes, seconds, images]
    measuring = t.Bool(False).tag(sync=True)
    error = t.Unicode().tag(sync=True)
    _remembered = t.List(["rules"]).tag(sync=True)

    def __init__(
        self,
        network: nn.Module,
        *,
        split: Split | Task | None = None,
        plan: FreezePlan | None = None,
        steps: int = 150,
        lr: float = 3e-3,
        batch_size: int = 64,
        objective: Objective | None = None,
    ):
        split = split.train if isinstance(split, Task) else split
        if split is not None and not isinstance(split, Split):
            raise TypeError(f"a FreezePanel measures with a Split or a Task, not with a {type(split).__name__}")
        if steps < 1:
            raise ValueError(f"steps={steps}, but a run needs at least 1 step")
        if not 0 < lr < math.inf:
            raise ValueError(f"lr={lr}, but a learning rate is larger than 0 and finite; 0.003 is a good start")
        self._batch_size = batch_size
        self._held: Callable[[], tuple[Any, ...]] = lambda: (network, split, objective or PLAIN)
        plan = plan or last_layers(network, 1)
        groups = plan.groups_in(network)
        self._parts, self._task = plan.parts, None
        self._weights = {name: sum(w.numel() for w in _learnable(parts)) for name, parts in groups.items()}
        sizes = {name: sum(w.numel() for w in weights_of(parts)) for name, parts in groups.items()}
        blocks = [{}] * len(groups) if split is None else _blocks(network, groups, split)
        view = {
            "groups": [
                {"name": name, "weights": self._weights[name], "caption": f"{size:,} weights", "sheets": 3, "side": 0.7}
                | block
                for (name, size), block in zip(sizes.items(), blocks, strict=True)
            ],
            "total": sum(sizes.values()),
            "input": None,
            "batch_norm": any(isinstance(module, _BatchNorm) for module in network.modules()),
            "steps": steps,
            "lr": lr,
            "first": _as_lists(plan),
        }
        image = b""
        if split is not None:
            with suppress(TypeError):  # what has no picture is trained with all the same
                shown = pictured(split[:1]).inputs[:]
                grey_or_rgb = shown if shown.shape[1] == 3 else shown[:, :1]
                image = sent_pixels(grey_or_rgb)
                view |= {"input": _times(split.inputs.shape[1:]), "sent": sent_shape(grey_or_rgb.shape)}
        super().__init__(rules=_as_lists(plan), image=image, view=view)
        if split is None:
            self._let_go()
        self.observe(in_kernel_loop(self._begin), "rules")
        self._begin()

    @property
    def plan(self) -> FreezePlan:
        """The plan that the panel shows now."""
        return self._plan_of(self.rules)

    @plan.setter
    def plan(self, plan: FreezePlan) -> None:
        self.rules = _as_lists(plan)

    @t.validate("rules")
    def _for_this_network(self, proposal: Any) -> list[list[Any]]:
        plan, network = self._plan_of(proposal["value"]), self._held()[0]
        if network is not None:
            plan.groups_in(network)
        elif set(plan.groups) != set(self._weights):
            raise ValueError(f"the groups of this network are {', '.join(self._weights)}; each needs a rule, no other")
        return proposal["value"]

    def _let_go(self) -> None:
        parts = [loosely(part) for part in self._held()]
        self._held = lambda: tuple(part() for part in parts)

    def _plan_of(self, rules: list[list[Any]]) -> FreezePlan:
        return FreezePlan(tuple(Rule(*rule) for rule in rules), self._parts)

    def words(self) -> str:
        """Tell from when each group learns, in a sentence, the head first."""
        plan, steps = self.plan, self.view["steps"]
        learning = {share: self._learning(plan, share) for share in _starts(plan)}
        first = {
            name: next((share for share, marks in learning.items() if marks[place] == "1"), None)
            for place, name in reversed([*enumerate(self._weights)])
        }
        begin = [f"{name} from {_step(share, steps)}" for name, share in first.items() if share is not None]
        never = [name for name, share in first.items() if share is None]
        if not begin:
            return "nothing can learn: let at least one group learn at the start"
        begin[0] = begin[0].replace(" from ", " learns from ", 1)
        return ", ".join(begin) + (f"; frozen: {', '.join(never)}" if never else "")

    # ---- what it costs ----

    async def measured(self) -> Self:
        """Wait until the costs of the plan are measured, so that a saved page holds them.

        Returns:
            The panel itself.

        Raises:
            Exception: what a step of the run raised, such as ValueError if the objective needs labels and has none.
        """
        if task := self._begin():
            await task
        self.send_state()
        return self

    def _begin(self, _: Any = None) -> asyncio.Task | None:
        """Measure what is missing in the background, if there is something to measure with and an event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return None
        held = self._held()
        if all(part is not None for part in held) and not self.error and not self.measuring and self._missing():
            self.measuring = True
            self._task = start(self._measure(*held))
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())  # the panel shows it
        return self._task

    def _learning(self, plan: FreezePlan, share: float) -> str:
        """Which groups learn at that share of the run, from input to head, as in "00011"."""
        return "".join("01"[bool(count and plan.rate(name, share))] for name, count in self._weights.items())

    def _missing(self) -> str | None:
        """The next set of groups whose cost is to be measured: of the plan, of the whole, then of every depth."""
        plan = self.plan
        can = "".join("01"[bool(count)] for count in self._weights.values())
        depths = ["0" * depth + can[depth:] for depth in range(len(can))]
        wanted = [*(self._learning(plan, share) for share in _starts(plan)), *depths]
        return next((one for one in wanted if one not in self.costs and "1" in one), None)

    async def _measure(self, network: nn.Module, split: Split, objective: Objective) -> None:
        try:
            of, images = (*copied((network, objective)), split), 0  # these two together: they may share parts
            while learning := self._missing():
                images = images or await self._affordable(*of)
                memory, seconds = await self._cost(*of, learning, images)
                self.costs = self.costs | {learning: [memory, median(seconds), images]}
        except Exception as error:
            self.error = str(error)
            raise
        finally:
            self.measuring = False
            self._let_go()

    async def _affordable(self, network: nn.Module, objective: Objective, split: Split) -> int:
        """How many images a step may hold so that it takes no longer than SLICE, found by doubling."""
        most, images, everything = min(self._batch_size, len(split)), 2, "1" * len(self._weights)
        while images < most and 2 * min((await self._cost(network, objective, split, everything, images))[1]) < SLICE:
            images *= 2
        return min(images, most)

    async def _cost(
        self, network: nn.Module, objective: Objective, split: Split, learning: str, images: int
    ) -> tuple[int, list[float]]:
        """Bytes, and the seconds of some steps, of so many images, in which these groups learn."""
        rates = {name: 1.0 if one == "1" else None for name, one in zip(self._weights, learning, strict=True)}
        plan = self._plan_of([[*rule, 0.0] for rule in rates.items()])
        run = Run(network, objective, split, steps=1 + STEPS, batch_size=images, lr=1e-6, plan=plan)
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            next(run)
        for tensor in (*network.parameters(), *network.buffers()):
            kept.pop(tensor.untyped_storage().data_ptr(), None)
        states = [v for state in run.optimizer.state.values() for v in state.values() if isinstance(v, Tensor)]
        gradients = [w for name, parts in plan.groups_in(network).items() if rates[name] for w in _learnable(parts)]
        seconds: list[float] = []
        while len(seconds) < 3 or (len(seconds) < STEPS and sum(seconds) < 1):
            await asyncio.sleep(0)
            began = time.perf_counter()
            next(run).loss  # noqa: B018  (reading it waits for the device)
            seconds.append(time.perf_counter() - began)
        return sum(kept.values()) + sum(one.nbytes for one in [*states, *gradients]), seconds


def _learnable(parts: Iterable[Part]) -> list[nn.Parameter]:
    """The weights of a layer group that were not frozen by hand."""
    return [weight for weight in weights_of(parts) if weight.requires_grad]


def _blocks(network: nn.Module, groups: Mapping[str, Sequence[Part]], split: Split) -> list[dict[str, Any]]:
    """How each group is drawn, from what it makes of one example: a caption, `sheets`, more of them for more maps, and
    their `side` in 0..1; a vector has side 0 and is a column of cells. Nothing for a group that is not called."""
    shapes = _output_shapes(network, groups, split.inputs[:1])
    sides = {name: _side(shape) for name, shape in shapes.items()}
    found = []
    for name in groups:
        shape, block = shapes.get(name), {}
        if shape is not None:
            is_head = name == [*groups][-1] and shape == [len(split.classes)]
            caption = f"{shape[0]} classes" if is_head else _times(shape)
            block = {"caption": caption, "side": 0, "sheets": min(shape[0], 10)}
        if shape is not None and len(shape) > 1:
            maps = shape[1] if len(shape) == 2 else shape[0]
            block["sheets"] = min(max(round(math.log2(maps)) - 2, 1), 6)
            block["side"] = (sides[name] / max(sides.values())) ** 0.5
        found.append(block)
    return found


def _output_shapes(network: nn.Module, groups: Mapping[str, Sequence[Part]], one: Tensor) -> dict[str, list[int]]:
    """What each group makes of one example [1, ...]: the shape without the batch.

    One forward pass in evaluation mode; of a group's modules with weights the last that is called speaks for it.
    """
    shapes: dict[str, list[int]] = {}

    def note(name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            shapes[name] = list(output.shape[1:])

    modules = [(name, part) for name in groups for part in groups[name] if isinstance(part, nn.Module)]
    hooks = [part.register_forward_hook(partial(note, name)) for name, part in modules if weights_of([part])]
    try:
        logits(network, one)
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def _side(shape: Sequence[int]) -> float:
    """Positions along a side of maps [maps, height, width] or of tokens [tokens, features]; 0 for a vector."""
    return shape[0] ** 0.5 if len(shape) == 2 else float(len(shape) > 2 and shape[-1])


def _times(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def _as_lists(plan: FreezePlan) -> list[list[Any]]:
    return [[rule.group, rule.rate, rule.start] for rule in plan.rules]


def _starts(plan: FreezePlan) -> list[float]:
    return sorted({rule.start for rule in plan.rules})


def _step(share: float, steps: int) -> str:
    return f"step {math.ceil(share * steps - 1e-9)}" if share else "the start"
