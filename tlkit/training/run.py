"""The training loop, as an iterator: whoever asks for the next step drives the run."""

from __future__ import annotations

import inspect
import math
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tlkit.data.batches import Batches, mixed_seed
from tlkit.data.tasks import Split, Task
from tlkit.freezing import FreezePlan
from tlkit.models.networks import MovingAverage, predictions
from tlkit.training.machine import device_of, fast_choice, generators, hardware
from tlkit.training.plan import PlanInForce

SAFE_EVERY = 50  # steps between two looks back and two kept states

_training: weakref.WeakKeyDictionary[nn.Module, weakref.ref[Run]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Step:
    """One optimisation step: its `number` from 1, the learning rate `lr`, and the objective's named `values`.

    The values are detached tensors on the device; reading one as a float is what waits for the device.
    """

    number: int
    lr: float
    values: dict[str, Tensor]

    @property
    def loss(self) -> float:
        """The loss of this step's batch, before its update."""
        return float(self.values["loss"])


class History(list[dict[str, Any]]):
    """What a run has measured: plain records such as `{"step": 3, "loss": 1.7}`, in order."""

    def series(self, name: str) -> tuple[list[int], list[float]]:
        """The steps at which `name` was measured, and its values."""
        steps, values = [], []
        for record in self:
            if name in record:
                if isinstance(record[name], Tensor):
                    record[name] = float(record[name])
                steps.append(record["step"])
                values.append(record[name])
        return steps, values


class Run:
    """Train `network` on `data` by minimising `objective`, step by step.

    A run is iterated; each item is a `Step`. `run.finish()` takes all that are left, `next(run)` takes one, a widget
    awaits them. To pause is not to ask; `run.stop()` ends a loop over the run, and iterating it again continues.

    `data`: a Task (its training split), a Split, or anything with `batches[step]`, which has a `batch_size` of its own.
    `lr`: 3e-3 suits AdamW on the lessons' networks. `optimizer`: a callable from parameters to an optimizer, given
    `lr=`; AdamW unless said. `schedule`: None (constant) or "one-cycle": 10 % warm-up, then a cosine to zero. `plan`:
    which layer groups learn, at what rate and from when (see `tl.freezing`); all of them, always, unless said.
    `average`: the decay of a moving average of the weights (`tl.models.MovingAverage`), which is then what is tested
    and predicts; 0.97 remembers some thirty steps. `seed` orders the batches and seeds every step's noise. `precision`:
    "float32" or "bfloat16". The defaults give the same bits as the loop written by hand. `fast=True` chooses memory
    layout, fused optimizer and precision by a rule from device, image size and layers; `run.choice` says what it chose.

    Raises ValueError for arguments that cannot work, FloatingPointError when the loss is no longer finite.

    >>> import tlkit as tl
    >>> run = tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits(), steps=3, device="cpu")
    >>> [step.number for step in run]
    [1, 2, 3]
    >>> run
    Run finished at step 3 of 3 on cpu
    """

    def __init__(
        self,
        network: nn.Module,
        objective: nn.Module,
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
        if steps < 1:
            raise ValueError(f"steps={steps}, but a run needs at least 1 step")
        if not lr > 0:
            raise ValueError(f"lr={lr}, but a learning rate is larger than 0; 0.003 is a good start")
        if schedule not in (None, "one-cycle"):
            raise ValueError(f"schedule={schedule!r}; use None (a constant rate) or 'one-cycle'")
        if precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision={precision!r}; use 'float32' or 'bfloat16'")
        self.steps, self.lr, self.schedule, self.plan, self.seed, self.fast = steps, lr, schedule, plan, seed, fast
        self.average = average
        device_of(network)
        self.device = torch.device(device) if device is not None else hardware().device
        split = data.train if isinstance(data, Task) else data
        if isinstance(split, Split):
            split = Batches(split, batch_size, seed)
        self.batches = split.to(self.device) if hasattr(split, "to") else split
        if getattr(self.batches, "batch_size", 2) == 1 and any(isinstance(m, _BatchNorm) for m in network.modules()):
            raise ValueError(
                "a batch of one image, but this network has batch norm, which compares the images of a batch; "
                "use a batch_size of 2 or more, or give the run at least 2 images"
            )
        self.network = network.to(self.device)
        self.choice = f"{precision}, the network's own layout, {getattr(optimizer, '__name__', 'your optimizer')}"
        layout, options = torch.preserve_format, {}
        if fast:
            layout, options, precision, self.choice = fast_choice(self.device, self.network, self.batches[0])
            self.network.to(memory_format=layout)
            options = options if "fused" in inspect.signature(optimizer).parameters else {}
        self.precision = precision
        self._average = None if average is None else MovingAverage(self.network, average)
        if begin := getattr(objective, "begin", None):
            begin(self.network, self.batches)
        self._teacher = getattr(objective, "teacher", None)  # a later run may give the objective another
        self.objective = objective.to(self.device)
        self._in_force = PlanInForce(plan, self.network, self.objective, steps) if plan is not None else None
        learning = [p for p in [*self.network.parameters(), *self.objective.parameters()] if p.requires_grad]
        if not learning:
            raise ValueError("every weight of this network is frozen (requires_grad=False), so nothing can learn")
        if self._in_force:
            learning = self._in_force.parameter_groups()
        self.optimizer = optimizer(learning, lr=lr, **options)
        self.history = History()
        self.step = 0
        self.rate = lr
        self.seconds = 0.0
        self.error: str | None = None
        self._checks_each_step = self.device.type == "cpu"  # elsewhere reading a loss would wait for the device
        self._stopped = False
        self._buffers = [*self.network.buffers(), *self.objective.buffers()]
        weights = [*self.network.parameters(), *self.objective.parameters(), *self._buffers]
        self._watched = [tensor for tensor in weights if tensor.isfinite().all()]  # a mask may hold infinities
        self._first = self._state()
        self._safe = (0, self._first)

    # ---- the loop ----

    def __next__(self) -> Step:
        if self._stopped or self.step >= self.steps:
            raise StopIteration
        self._take_over()
        with uninterrupted():
            started = time.perf_counter()
            if not self.network.training:
                self.network.train()
            with _seeded_step(self.device, self.seed, self.step), self._holding_what_is_frozen():
                step = self._advance()
            self.seconds += time.perf_counter() - started
        return step

    def _advance(self) -> Step:
        batch = self.batches[self.step]
        buffers = [buffer.clone() for buffer in self._buffers] if self._checks_each_step else None
        with self._autocast():
            values = self.objective(self.network, batch)
        loss = values["loss"]
        if self._checks_each_step and not math.isfinite(loss.item()):
            self._fail(self.step + 1, buffers)
        measured = {name: _as_it_is(value) for name, value in values.items()}
        self.optimizer.zero_grad()
        loss.backward()
        lr = self._set_rate()
        self.optimizer.step()
        after_step = getattr(self.objective, "after_step", None)
        if after_step:
            after_step(self.network)
        if self._average:
            self._average.update(self.network)
        self.step += 1
        step = Step(self.step, lr, measured)
        self.history.append({"step": self.step, **measured})
        if self.step % SAFE_EVERY == 0 or self.finished:
            self._look_back()
        return step

    def __iter__(self) -> Iterator[Step]:
        self._stopped = False
        return self

    def finish(self) -> Run:
        """Take every step that is left."""
        for _ in self:
            pass
        return self

    def stop(self) -> None:
        """End whatever loop is iterating this run, between two steps; iterating it again continues."""
        self._stopped = True

    def restart(self, lr: float | None = None) -> Run:
        """Go back to the first weights and an empty history, at another learning rate if one is given."""
        if lr is not None and not lr > 0:
            raise ValueError(f"lr={lr}, but a learning rate is larger than 0")
        with uninterrupted():
            self._restore(self._first)
            self.lr = self.rate = self.lr if lr is None else lr
            self.history.clear()
            self.step, self.seconds, self.error, self._stopped, self._safe = 0, 0.0, None, False, (0, self._first)
        return self

    @property
    def finished(self) -> bool:
        """Whether every step was taken."""
        return self.step >= self.steps

    @property
    def averaged(self) -> nn.Module | None:
        """The network of averaged weights: that of `average=`, else the objective's teacher; None without either."""
        average = self._average or self._teacher
        return average and average.network

    @property
    def tested(self) -> nn.Module:
        """The network that is to be tested: the averaged one if there is one."""
        return self.averaged or self.network

    def set_rate(self, lr: float) -> None:
        """Change the base learning rate from the next step on; the history notes it."""
        if not lr > 0:
            raise ValueError(f"lr={lr}, but a learning rate is larger than 0")
        self.rate = lr
        self.history.append({"step": self.step, "rate": lr})

    def rates(self, number: int | None = None) -> dict[str, float | None]:
        """The rate of each layer group in the step of this number (from 1; unless said the next); None is frozen."""
        step = min(self.step, self.steps - 1) if number is None else number - 1
        if not 0 <= step < self.steps:
            raise ValueError(f"this run has no step {number}; it has the steps 1 to {self.steps}")
        rate = self._rate_at(step)
        shares = self._in_force.rates(step) if self._in_force else {"every group": 1.0}
        return {group: None if share is None else rate * share for group, share in shares.items()}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the whole run into one .safetensors file, from which `tl.resume` goes on exactly.

        Raises OSError if it cannot be written; what stood there before is then as it was.
        """
        from tlkit.training.checkpoint import save

        save(self, path)

    def state_dict(self) -> dict[str, Any]:
        """All that another run made with the same arguments needs to go on from here: plain values and tensors.

        Raises FloatingPointError, having gone back to the last finite weights, if those of now are not finite.
        """
        with uninterrupted():
            self._look_back()
        return {
            **{name: getattr(self, name) for name in ("step", "lr", "rate", "seconds", "error")},
            "history": [{name: _plain(value) for name, value in record.items()} for record in self.history],
            "now": self._state(),
            "first": self._first,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where the run was whose `state_dict` this is."""
        with uninterrupted():
            self._restore(state["now"])
            self._first = state["first"]
            for name in ("step", "lr", "rate", "seconds", "error"):
                setattr(self, name, state[name])
            self.history[:] = state["history"]
            self._stopped, self._safe = False, (self.step, self._state())

    def predict(self, images: Tensor) -> Tensor:
        """The class that the `tested` network gives each image: [n] int64. Leaves its modes as they were."""
        return predictions(self.tested, images)

    # ---- its parts ----

    def _take_over(self) -> None:
        """A second run on the same network stops the first, so that none is ever trained from two places."""
        other = _training.get(self.network, lambda: None)()
        if other is not self:
            if other is not None:
                other.stop()
            _training[self.network] = weakref.ref(self)

    def _autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16) if self.precision == "bfloat16" else nullcontext()

    def _holding_what_is_frozen(self):
        return self._in_force.holding(self.step, self.optimizer) if self._in_force else nullcontext()

    def _rate_at(self, step: int) -> float:
        """Base rate x schedule, from the step alone, so that a run can be continued anywhere."""
        return self.rate * (one_cycle(step, self.steps) if self.schedule else 1.0)

    def _set_rate(self) -> float:
        """Give each layer group its share of the step's rate."""
        rate = self._rate_at(self.step)
        shares = self._in_force.rates(self.step) if self._in_force else {}
        for group in self.optimizer.param_groups:
            group["lr"] = rate * (shares.get(group.get("layer_group", ""), 1.0) or 0.0)
        return rate

    def _look_back(self) -> None:
        """Look at what was not looked at yet (a device that runs ahead is not asked each step), then keep the state."""
        for record in [r for r in self.history if "loss" in r and r["step"] > self._safe[0]]:
            if not math.isfinite(float(record["loss"])):
                self._fail(record["step"])
        if not self._weights_are_finite():  # the update was not, so the next loss will not be
            self._fail(self.step + 1)
        if not self.finished:
            self._safe = (self.step, self._state())

    def _weights_are_finite(self) -> bool:
        sums = torch.stack([tensor.sum() for tensor in self._watched])  # finite weights have finite sums: a quick look
        return bool(sums.isfinite().all()) or all(bool(tensor.isfinite().all()) for tensor in self._watched)

    def _fail(self, at: int, buffers: Sequence[Tensor] | None = None) -> None:
        """End the run at the last finite weights: those of now with their `buffers`, else those last kept."""
        for buffer, value in zip(self._buffers, buffers or (), strict=False):
            buffer.copy_(value)
        if buffers is None or not self._weights_are_finite():
            self.step, state = self._safe
            self._restore(state)
            self.history[:] = [record for record in self.history if record["step"] <= self.step]
        self._stopped = True
        self.error = (
            f"the loss is no longer a finite number at step {at}, with the learning rate {self.rate:g}; "
            f"the weights of step {self.step} are kept. Try a smaller rate: run.restart(lr={self.rate / 100:g})"
        )
        raise FloatingPointError(self.error)

    @property
    def _parts(self) -> list[Any]:
        """What a state is made of."""
        average = [self._average] if self._average else []
        return [self.network, self.objective, self.optimizer, *average]

    def _state(self) -> tuple[dict, ...]:
        return tuple(_copied(part.state_dict()) for part in self._parts)

    def _restore(self, state: tuple[dict, ...]) -> None:
        for part, values in zip(self._parts, state, strict=True):
            part.load_state_dict(_copied(values))

    def __repr__(self) -> str:
        state = (
            "finished" if self.finished else "ended by an error" if self.error else "waiting" if self.step else "ready"
        )
        return f"Run {state} at step {self.step} of {self.steps} on {self.device}"


def _copied(value: Any) -> Any:
    """A state with copies of its tensors (a deep copy takes four times as long)."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, Tensor) else value


def _as_it_is(value: Tensor) -> Tensor:
    """The value now: a weight or a buffer that an objective reports changes later, so it is copied."""
    return value.detach() if value.grad_fn else value.detach().clone()


def one_cycle(step: int, steps: int, warm_up: float = 0.1) -> float:
    """The share of the base rate at `step` (from 0): a cosine up over the first tenth, a cosine down to zero after.

    Smith and Topin, Super-Convergence, 2018; the shape of torch's OneCycleLR with a start at 1/25.
    """
    peak = max(warm_up * steps - 1, 0)
    if step < peak:
        return 1 - (1 - 1 / 25) * (1 + math.cos(math.pi * step / peak)) / 2
    return (1 + math.cos(math.pi * (step - peak) / max(steps - 1 - peak, 1))) / 2


@contextmanager
def _seeded_step(device: torch.device, seed: int, step: int) -> Iterator[None]:
    """All noise of a step comes from (seed, step); the generators are left as they were found."""
    drawn_from = generators(device)
    before = [generator.get_state() for generator in drawn_from]
    for generator in drawn_from:
        generator.manual_seed(mixed_seed(seed, step))
    try:
        yield
    finally:
        for generator, state in zip(drawn_from, before, strict=True):
            generator.set_state(state)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold an interrupt (SIGINT) back until the block is whole, then raise it again for the handler that was there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if asked:
            signal.raise_signal(signal.SIGINT)
