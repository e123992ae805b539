"""The training loop as an iterator: whoever asks for the next step drives the run."""

import inspect
import math
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from tlkit.data.batches import in_precision
from tlkit.data.kinds import first_not_finite
from tlkit.data.loaders import as_batches
from tlkit.data.tasks import whole_number
from tlkit.freezing import FreezePlan
from tlkit.models.modes import has_own_train, modes_of, set_modes
from tlkit.models.moving_average import MovingAverage
from tlkit.models.networks import precision_of, predictions
from tlkit.objectives.objective import Objective, own_copy
from tlkit.objectives.supervised import as_objective
from tlkit.training import checkpoint
from tlkit.training.driving import Stepwise
from tlkit.training.history import History, Step
from tlkit.training.interrupts import uninterrupted
from tlkit.training.keeping import Keeper, frozen_in
from tlkit.training.machine import device_of, draws_elsewhere, fast_choice, hardware, seeded_step
from tlkit.training.plan import PlanInForce
from tlkit.training.provenance import made_with
from tlkit.training.schedules import SCHEDULES
from tlkit.training.unchanged import Unchanged

RESTED = "_mode_before_rest"  # what a module is marked with when a run leaves its network in evaluation mode
SAFE_EVERY = 50  # steps between two looks back and two kept states

_training: weakref.WeakKeyDictionary[nn.Module, "weakref.ref[Run]"] = weakref.WeakKeyDictionary()


class Run(Stepwise):
    """Train a network by minimising an objective on data, step by step.

    Args:
        network: what learns: the network itself, not a copy; the run moves it to its device.
        objective: what is minimised, or a loss(outputs, labels) such as `nn.CrossEntropyLoss()`; the run works on a
            copy of it, `run.objective`.
        data: a Task (its training split), a Split, a torch Dataset or DataLoader of (inputs, labels), or anything with
            `batches[step]`, whose batches have their own size.
        steps: how many optimisation steps the run has, at least 1.
        batch_size: how many examples a step sees; at least 2 for a network with batch norm.
        lr: the learning rate, above 0; 3e-3 suits AdamW on the lessons' networks.
        optimizer: a callable from a list of weights to an optimizer that takes `lr=`; AdamW by default. Parameter
            groups that it makes keep their learning rates relative to `lr`.
        schedule: None for a constant learning rate, "one-cycle" for 10 % warm-up, then a cosine to zero.
        plan: which layer groups learn, at which rate and from when, see `tl.freezing`; by default all of them, always.
        average: the decay of a moving average of the weights, see `tl.models.MovingAverage`: its network is then the
            one that is tested and that predicts. 0.97 remembers some thirty steps; None keeps no average.
        seed: orders the batches and seeds the noise of every step.
        device: where the network trains; by default `tl.hardware().device`, the best one here.
        precision: "float32" or "bfloat16".
        fast: chooses memory layout, fused optimizer and precision by a rule, from device, image size and layers;
            `run.choice` says what it chose.

    Raises:
        ValueError: for arguments that cannot work.
        TypeError: if `objective` is neither an objective nor a loss, or `data` give no batches.
        FloatingPointError: in a step, when the loss is no longer a finite number; the last finite weights are kept.

    A run is iterated; each item is a `Step`. `run.finish()` takes all the steps that are left, `next(run)` takes one,
    and a widget awaits them. To pause is to ask for no further step. `run.stop()` ends a loop over the run; iterating
    it again goes on. `run.lr` is the learning rate that it began with, `run.current_lr` the present one. After its last
    step the network is in evaluation mode. The defaults give the same bits as the loop written by hand.

    >>> import tlkit as tl
    >>> run = tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits(), steps=3, device="cpu")
    >>> [step.number for step in run]
    [1, 2, 3]
    >>> run
    Run finished at step 3 of 3 on cpu
    """

    _rests = 0  # how often a run has put its network to rest; another run may share parts of it

    def __init__(
        self,
        network: nn.Module,
        objective: Objective | Callable[[Any, Any], Tensor],
        data: Any,
        *,
        steps: int,
        batch_size: int = 64,
        lr: float = 3e-3,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.AdamW,
        schedule: str | None = None,
        plan: FreezePlan | None = None,
        average: float | None = None,
        seed: int = 0,
        device: torch.device | str | None = None,
        precision: str = "float32",
        fast: bool = False,
    ):
        steps = whole_number("steps", steps, 1, "a run needs at least 1 step")
        seed = whole_number("seed", seed, -(2**63), "it is what the order of the batches and all noise are drawn from")
        lr = required_lr(lr)
        if schedule not in SCHEDULES:
            raise ValueError(f"schedule={schedule!r}; use None (a constant learning rate) or 'one-cycle'")
        if precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision={precision!r}; use 'float32' or 'bfloat16'")
        objective = as_objective(objective)
        self.steps, self.lr, self.schedule, self.plan, self.seed, self.fast = steps, lr, schedule, plan, seed, fast
        self.average = average
        if any(is_lazy(weight) for weight in network.parameters()):
            raise ValueError(
                "this network has lazy layers, whose weights are not made yet; call it once: network(inputs)"
            )
        device_of(network)
        self.device = torch.device(device) if device is not None else hardware().device
        batches = as_batches(data, batch_size, seed)
        self.batches = batches.to(self.device) if hasattr(batches, "to") else batches
        if getattr(self.batches, "batch_size", 2) == 1 and any(isinstance(m, _BatchNorm) for m in network.modules()):
            raise ValueError(
                "a batch of one example, but this network has batch norm, which compares the examples of a batch; "
                "use a batch_size of 2 or more, or give the run at least 2 examples"
            )
        self.network = network.to(self.device)
        self._dtype = precision_of(network)
        self.choice = f"{precision}, the network's own layout, {getattr(optimizer, '__name__', 'your optimizer')}"
        options = {}
        if fast:
            layout, precision, self.choice = fast_choice(self.device, self.network, self.batches[0])
            self.network.to(memory_format=layout)
            options = {"fused": True} if "fused" in inspect.signature(optimizer).parameters else {}
        self.precision = precision
        self._average = None if average is None else MovingAverage(self.network, average)
        self.objective = own_copy(objective, self.network)
        self.objective_settings = self.objective.settings()  # before it begins to change
        self.objective.begin(self.network, self.batches)
        self.objective.to(self.device)
        self._in_force = PlanInForce(plan, self.network, self.objective, steps) if plan is not None else None
        weights = dict.fromkeys([*self.network.parameters(), *self.objective.parameters()])  # one may be in both
        learning = [weight for weight in weights if weight.requires_grad]
        if not learning:
            raise ValueError("every weight of this network is frozen (requires_grad=False), so nothing can learn")
        self.optimizer = optimizer(self._in_force.learning() if self._in_force else learning, lr=lr, **options)
        if self._in_force:
            self._in_force.split(self.optimizer)
        _require_no_closure(self.optimizer)
        self._factors: list[float] = []
        self._take_factors()
        self.history, self.current_lr = History(), lr
        self.step, self.seconds, self.error = 0, 0.0, None
        self._checks_each_step = self.device.type == "cpu"  # elsewhere reading a loss would wait for the device
        self._seeds_all = draws_elsewhere(self.objective, self.batches)
        self._unchanged = Unchanged(self.network)
        self.frozen_at_first = frozen_in(self.network)
        self._woken = -1
        self._keeper = Keeper(self.network, self.objective, self.optimizer, self._average)
        self._safe = (0, self._keeper.first)

    # ---- the loop ----

    def __next__(self) -> Step:
        if self._stopped or self.step >= self.steps:
            raise StopIteration
        self._take_over()
        self._unchanged.require(self.optimizer)
        with uninterrupted():
            started = time.perf_counter()
            if self._woken != Run._rests or not self.network.training:
                self._wake()
            with seeded_step(self.device, self.seed, self.step, self._seeds_all), self._holding_what_is_frozen():
                step = self._advance()
            if self.finished:
                self._rest()
            self.seconds += time.perf_counter() - started
        return step

    def _advance(self) -> Step:
        batch = self.batches[self.step]
        if self._dtype != torch.float32:  # that of the inputs
            batch = in_precision(batch, self._dtype)
        buffers = self._keeper.buffers() if self._checks_each_step else None
        try:
            with self._autocast():
                values = self.objective(self.network, batch)
        except Exception:
            if buffers is not None:
                self._keeper.put_back(buffers)
            raise
        if not isinstance(values, dict) or getattr(values.get("loss"), "shape", None) != ():
            name = type(self.objective).__name__
            raise TypeError(f'{name}.forward returns a dict with "loss", a tensor of one number [], and other values')
        loss = values["loss"]
        if self._checks_each_step and not math.isfinite(loss.item()):
            self._fail(self.step + 1, buffers)
        measured = {name: _as_it_is(value) for name, value in values.items()}
        record = {name: _plain(value) for name, value in measured.items()} if self._checks_each_step else measured
        self.optimizer.zero_grad()
        loss.backward()
        lr = self._set_step_lr()
        self.optimizer.step()
        self.objective.after_step(self.network)
        if self._average:
            self._average.update(self.network)
        self.step += 1
        step = Step(self.step, lr, measured)
        self.history.append({"step": self.step, **record})
        if self.step % SAFE_EVERY == 0 or self.finished:
            self._look_back()
        return step

    def restart(self, lr: float | None = None) -> Self:
        """Go back to the first weights and an empty history.

        Args:
            lr: the learning rate of the new attempt, above 0; None keeps the one that the run began with.

        Returns:
            The run itself.

        Raises:
            ValueError: if `lr` is not above 0.
        """
        lr = self.lr if lr is None else required_lr(lr)
        with uninterrupted():
            self._keeper.restore(self._keeper.first)
            self.lr = self.current_lr = lr
            self.history.clear()
            self.step, self.seconds, self.error, self._stopped = 0, 0.0, None, False
            self._safe = (0, self._keeper.first)
        return self

    @property
    def finished(self) -> bool:
        """Whether every step has been taken."""
        return self.step >= self.steps

    @property
    def averaged(self) -> nn.Module | None:
        """The network of averaged weights: that of `average=`, else that of the objective; None without either."""
        return self.objective.averaged if self._average is None else self._average.network

    @property
    def tested(self) -> nn.Module:
        """The network that is to be tested: the averaged one if there is one."""
        return self.network if self.averaged is None else self.averaged

    def set_lr(self, lr: float) -> None:
        """Change the learning rate from the next step on; the history notes it.

        Args:
            lr: the new learning rate, above 0; the schedule and the rates of a plan multiply it.

        Raises:
            ValueError: if `lr` is not above 0.
        """
        self.current_lr = required_lr(lr)
        self.history.append({"step": self.step, "lr": self.current_lr})

    def lrs(self, number: int | None = None) -> dict[str, float | None]:
        """The learning rate of each layer group in one step, with the schedule and the plan.

        Args:
            number: the number of the step, from 1; by default the next step.

        Returns:
            The learning rate by group; None for a group that is frozen. Without a plan, that of "every group". Where
            the optimizer's own parameter groups have several, one for each: "every group, 1", "every group, 2".

        Raises:
            ValueError: if the run has no such step.
        """
        step = min(self.step, self.steps - 1) if number is None else number - 1
        if not 0 <= step < self.steps:
            raise ValueError(f"this run has no step {number}; it has the steps 1 to {self.steps}")
        lr = self._lr_at(step)
        rates = self._in_force.rates(step) if self._in_force else {"every group": 1.0}
        if set(self._factors) <= {1.0}:
            return {group: None if rate is None else lr * rate for group, rate in rates.items()}
        found: dict[str, float | None] = {}
        for name, rate in rates.items():
            own = zip(self.optimizer.param_groups, self._factors, strict=True)
            factors = [factor for group, factor in own if group.get("layer_group", "every group") == name]
            for number, factor in enumerate(factors or [1.0], start=1):
                group = f"{name}, {number}" if len(factors) > 1 else name
                found[group] = None if rate is None else lr * rate * factor
        return found

    def save(self, path: str | PathLike[str]) -> None:
        """Write the whole run into one file, from which `tl.resume` goes on exactly.

        Args:
            path: where to write it; such a file is named .safetensors.

        Raises:
            OSError: if it cannot be written; a file that stood there before is then as it was.
            FloatingPointError: if the weights are no longer finite, see `state_dict`.
        """
        parts = {f"1.{name}": module for name, module in self.objective.named_modules()}
        parts |= {"3.network": self._average.network} if self._average else {}
        tested = next((place for place, module in parts.items() if module is self.averaged), "0")
        checkpoint.write(path, made_with(self) | {"tested": f"run.now.{tested}.", "run": self.state_dict()})

    def state_dict(self) -> dict[str, Any]:
        """All that another run with the same arguments needs to go on from here: plain values and tensors.

        Raises:
            FloatingPointError: if the weights are no longer finite; the run has then gone back to the last that were.
        """
        with uninterrupted():
            self._look_back()
        return {
            **{name: getattr(self, name) for name in ("step", "lr", "current_lr", "seconds", "error")},
            "history": [{name: _plain(value) for name, value in record.items()} for record in self.history],
            "frozen": [frozen_in(self.network), frozen_in(self.objective)],
            "now": self._keeper.state(),
            "first": self._keeper.first,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where another run with the same arguments was.

        Args:
            state: what `state_dict` of that run returned.
        """
        with uninterrupted():
            self._keeper.restore(state["now"])
            self._keeper.first = state["first"]
            for name in ("step", "lr", "current_lr", "seconds", "error"):
                setattr(self, name, state[name] if name in state else state["rate"])
            for part, frozen in zip((self.network, self.objective), state.get("frozen", ()), strict=False):
                for name, weight in part.named_parameters():
                    weight.requires_grad_(name not in frozen)
            lr = "rate" if "rate" in state else "lr"  # its name in a run that was saved earlier, in the history too
            self.history[:] = [{"lr" if name == lr else name: r[name] for name in r} for r in state["history"]]
            self._stopped, self._safe = False, (self.step, self._keeper.state())
            if self.finished:
                self._rest()

    def predict(self, inputs: Tensor) -> Tensor:
        """The classes that the `tested` network predicts.

        Args:
            inputs: the examples, `[n, ...]`, such as images `[n, channels, height, width]`.

        Returns:
            The class of each example, `[n]` int64. The network's training or evaluation mode stays as it was.
        """
        return predictions(self.tested, inputs)

    # ---- its parts ----

    def _take_over(self) -> None:
        """A second run on the same network stops the first, so that none is ever trained from two places."""
        other = _training.get(self.network, lambda: None)()
        if other is not None and other is not self:
            other.stop()
        _training[self.network] = weakref.ref(self)

    def _rest(self) -> None:
        """Leave the network ready for use: in evaluation mode."""
        for module, mode in modes_of(self.network).items():  # a mark goes with parts and copies of the network
            vars(module).setdefault(RESTED, mode)
        self.network.eval()
        Run._rests += 1

    def _wake(self) -> None:
        """Training mode, also of parts that rest; what was in evaluation mode before it rested stays there."""
        modules = [*self.network.modules()]
        marks = {module: vars(module).pop(RESTED, None) for module in modules}
        rested = {module: mode for module, mode in marks.items() if mode is not None and not module.training}
        by_hand = {module: False for module in modules if not module.training and module not in rested}
        if self.network.training:
            for module in modules:  # a `train` of its own may keep a part still, and has perhaps never been called
                if has_own_train(module):
                    module.train()
            set_modes(by_hand)
        else:
            self.network.train()
        set_modes(rested)
        self._woken = Run._rests

    def _autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16) if self.precision == "bfloat16" else nullcontext()

    def _holding_what_is_frozen(self):
        return self._in_force.holding(self.step, self.optimizer) if self._in_force else nullcontext()

    def _lr_at(self, step: int) -> float:
        """The learning rate x the schedule, from the step alone, so that a run can be continued anywhere."""
        return self.current_lr * SCHEDULES[self.schedule](step, self.steps)

    def _set_step_lr(self) -> float:
        """Give the optimizer the step's learning rate, for each layer group multiplied by its rate."""
        lr = self._lr_at(self.step)
        rates = self._in_force.rates(self.step) if self._in_force else {}
        self._take_factors()
        for group, factor in zip(self.optimizer.param_groups, self._factors, strict=True):
            group["lr"] = lr * (rates.get(group.get("layer_group", ""), 1.0) or 0.0) * factor
        return lr

    def _take_factors(self) -> None:
        """What the optimizer's own groups multiply the learning rate by, also those that were added since."""
        for group in self.optimizer.param_groups[len(self._factors) :]:
            self._factors.append(group.get("lr", self.lr) / self.lr)

    def _look_back(self) -> None:
        """Check the losses not checked yet (to wait for a device in each step would be slow), then keep the state."""
        for record in [r for r in self.history if "loss" in r and r["step"] > self._safe[0]]:
            record.update({name: _plain(value) for name, value in record.items()})
            if not math.isfinite(record["loss"]):
                self._fail(record["step"])
        if not self._keeper.finite():  # the update was not, so the next loss will not be
            self._fail(self.step + 1)
        if not self.finished:
            self._safe = (self.step, self._keeper.state())

    def _fail(self, at: int, buffers: Sequence[Tensor] | None = None) -> None:
        """End the run at the last finite weights: those of now with their `buffers`, else those last kept."""
        if buffers is not None:
            self._keeper.put_back(buffers)
        if buffers is None or not self._keeper.finite():
            self.step, state = self._safe
            self._keeper.restore(state)
            self.history[:] = [record for record in self.history if record["step"] <= self.step]
        self._stopped = True
        self.error = f"the loss is no longer a finite number at step {at}, {self._reason(at)}"
        raise FloatingPointError(self.error)

    def _reason(self, at: int) -> str:
        """Why a loss may not be finite: an example of its batch, or else the learning rate; and what to try."""
        kept, batch = f"the weights of step {self.step} are kept", self.batches[at - 1] if at <= self.steps else ()
        for inputs in batch.values() if isinstance(batch, Mapping) else batch:
            if isinstance(inputs, Tensor) and inputs.ndim and (first := first_not_finite(inputs)) is not None:
                what = f"because example {first} of its batch has values that are not (NaN, infinity)"
                return f"{what}: take it out; {kept}"
        lr = self.current_lr
        return f"with the learning rate {lr:g}; {kept}. Try a smaller one: run.restart(lr={lr / 100:g})"

    def __repr__(self) -> str:
        ended = "ended by an error" if self.error else "waiting" if self.step else "ready"
        return f"Run {'finished' if self.finished else ended} at step {self.step} of {self.steps} on {self.device}"


def _require_no_closure(optimizer: torch.optim.Optimizer) -> None:
    """Raise ValueError for an optimizer that computes the loss itself, several times a step."""
    try:
        inspect.signature(optimizer.step).bind()
    except TypeError as error:
        name = type(optimizer).__name__
        raise ValueError(f"{name} needs a closure, which a run has not; take AdamW or SGD, for instance") from error


def required_lr(lr: float) -> float:
    """The learning rate as a plain number; raises ValueError if it is not above 0."""
    if not lr > 0:
        raise ValueError(f"lr={lr}, but a learning rate is larger than 0; 0.003 is a good start")
    return float(lr)


def _plain(value: Any) -> Any:
    """A tensor or an array as the numbers in it; anything else as it is."""
    return value.tolist() if isinstance(value, Tensor | np.ndarray | np.generic) else value


def _as_it_is(value: Tensor | float) -> Tensor:
    """The value now: a weight or a buffer that an objective reports changes later, so it is copied."""
    value = torch.as_tensor(value)
    return value.detach() if value.grad_fn else value.detach().clone()
