"""Training that one can watch, pause, step, stop and steer, while the kernel stays awake."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psutil
import traitlets as t

from tlkit.evaluation import observed, validated
from tlkit.experiments import Comparison, counted
from tlkit.training.run import History, Run
from tlkit.views import MARKS, round_span, round_top, styles, thinned, time_left
from tlkit.widgets.base import Widget, in_kernel_loop, start

SLICE = 0.03  # seconds of training between two looks at what the browser has sent
REDRAW = 0.1  # seconds between two pictures
UNSHOWN = ("step", "loss", "rate")  # beside the loss: it is shown itself, the others are no measurements


class Monitor(Widget, script="monitor.js"):
    """Watch a Run, an observed or validated run, or a Comparison: `await monitor.train()`.

    `title` says what is trained, `name` labels the line and `family` gives it the course's colour (see `Recipe`);
    `earlier` are finished runs to show in grey, by name, three at most. Beside the loss stands what `show` names of all
    that the run measures, such as "feature_std"; unless said, accuracy, or the first that its history names.
    Raises TypeError for anything else to watch, ValueError for more than three earlier runs, and for a `show` that
    cannot stand beside the loss.
    """

    needs_python = True
    state = t.Unicode("not running").tag(sync=True)
    word = t.Unicode("not running").tag(sync=True)
    label = t.Unicode().tag(sync=True)
    view = t.Dict().tag(sync=True)
    left = t.Bytes().tag(sync=True)
    right = t.Bytes().tag(sync=True)
    dots = t.Bytes().tag(sync=True)
    progress = t.Dict().tag(sync=True)
    events = t.List().tag(sync=True)
    status = t.List().tag(sync=True)
    rate = t.Float(None, allow_none=True).tag(sync=True)
    error = t.Dict().tag(sync=True)

    def __init__(
        self,
        run: Run | observed | Comparison,
        *,
        title: str = "",
        name: str = "this run",
        family: str | None = "pre-trained",
        earlier: Mapping[str, Run | observed] | None = None,
        show: str | None = None,
    ):
        if not isinstance(run, Run | observed | Comparison):
            raise TypeError(f"a Monitor watches a Run, an observed run or a Comparison, not a {type(run).__name__}")
        if show and isinstance(run, Comparison):
            raise ValueError(f'show="{show}", but of a Comparison the accuracy of every trial is shown; leave show out')
        if show in UNSHOWN:
            raise ValueError(f'show="{show}", but that is shown anyway; name something else that the run measures')
        if len(earlier or {}) > 3:
            raise ValueError(f"{len(earlier or {})} earlier runs, but at most three can be told apart in grey")
        super().__init__()
        self.source = run
        self._title, self._family = title, family
        self._name = run.plan[0][2] if isinstance(run, Comparison) and run.plan else name
        self._earlier = {other: _curves(run) for other, run in (earlier or {}).items()}
        self._top: float | None = None
        self._beside = show or ("accuracy" if isinstance(run, validated) else "")
        self._shown: Run | None = None  # in a comparison the present trial's run, at its end the last one
        self._run = None if isinstance(run, Comparison) else run.run if isinstance(run, observed) else run
        self._task: asyncio.Task | None = None  # what drives, if something does
        self._paused = False
        self._steps_asked = 0
        self._wake = asyncio.Event()
        self._drawn = 0.0
        self.on_msg(in_kernel_loop(self._answer))
        self._draw()

    # ---- driving ----

    async def train(self) -> Any:
        """Show the monitor and train to the end, or until Stop. Returns the run, or the comparison.

        A kernel interrupt ends it between two steps and is raised again, so that queued cells do not run.
        """
        from IPython.display import display

        display(self)
        await self._begin()
        return self._run or self.source

    @property
    def _driving(self) -> bool:
        return self._task is not None and not self._task.done()

    def _begin(self, paused: bool = False) -> asyncio.Task:
        """Drive, or go on driving: one task at a time, whoever asks."""
        if self._task is None or self._task.done():
            self._task = start(self._drive(paused))
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())  # the widget shows it
        return self._task

    async def _drive(self, paused: bool) -> None:
        self._paused, self.error = paused, {}
        iter(self.source)
        self._enter("paused" if paused else "training")
        try:
            while await self._slice():
                self._draw(only_if_due=True)
            self._enter("finished" if self.source.finished else "stopped", f"stopped at {self._place()}")
        except FloatingPointError as error:
            run = self._run
            self.error = {
                "title": "The loss became NaN",
                "words": str(error).split("; ")[0],
                "repair": f"Start afresh with {run.rate / 100:g}" if run else "",
            }
            self._enter("error")
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            self._enter("stopped", f"interrupted at {self._place()}")
            raise
        except Exception as error:
            self.error = {"title": type(error).__name__, "words": str(error), "repair": ""}
            self._enter("error")
            raise
        finally:
            self._steps_asked = 0
            self.send_state()

    async def _slice(self) -> bool:
        """Take steps for a few tens of milliseconds, then let the kernel answer; False at the end."""
        end = time.perf_counter() + SLICE
        while self._paused and not self._steps_asked and not self.source.finished:
            self._wake.clear()
            await self._wake.wait()
            end = time.perf_counter() + SLICE
        while True:
            if next(self.source, None) is None:  # type: ignore[call-overload]
                return False
            if self._steps_asked:
                self._steps_asked -= 1
                self._draw()
                break
            if time.perf_counter() > end:
                break
        await asyncio.sleep(0)
        return True

    def _answer(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        """What a button or the slider asks for."""
        asked = message.get("do")
        if asked == "pause" and self._driving:
            self._paused = True
            self._enter("paused")
        elif asked == "step":
            self._steps_asked += 1
            if not self._driving:
                self._begin(paused=True)
            elif not self._paused:
                self._paused = True
                self._enter("paused")
        elif asked == "resume" and self._driving:
            self._paused = False
            self._enter("training")
        elif asked == "stop":
            self.source.stop()
            self._paused = False
        elif asked in ("train", "continue"):
            self._begin()
        elif asked in ("afresh", "repair") and self._run and not self._driving:
            self._run.restart(self._run.rate / 100 if asked == "repair" else None)
            self._top = None
            self._begin()
        elif asked == "rate" and self._run:
            self._run.set_rate(float(message["value"]))
            self._draw()
        self._wake.set()

    # ---- what it shows ----

    def _place(self) -> str:
        if isinstance(self.source, Comparison):
            return f"trial {len(self.source.trials)}"
        return f"step {self._run.step if self._run else 0}"

    def _share(self) -> float:
        """How much of the whole is done, in 0..1."""
        if isinstance(self.source, Comparison):
            part = self.source.run.step / self.source.run.steps if self.source.run else 0
            return (len(self.source.trials) + part) / len(self.source.plan)
        return self._run.step / self._run.steps if self._run else 0.0

    def _enter(self, state: str, word: str = "") -> None:
        self.state, self.word = state, word if state == "stopped" else state
        self._draw()

    def _draw(self, only_if_due: bool = False) -> None:
        now = time.perf_counter()
        if only_if_due and now - self._drawn < REDRAW:
            return
        self._drawn = now
        run = self._run
        if isinstance(self.source, Comparison):
            if self.source.run and self.source.present:  # the loss shown is that of the last recipe which trains
                self._shown, self._name = self.source.run, self.source.present[2]
            run = self._shown
        with self.hold_sync():
            losses = _curve(run.history, "loss") if run else []
            if self._top is None and losses:
                self._top = round_top(1.05 * max(loss for _, loss in losses))
            if run and not self._beside:
                names = _names(run.history)
                self._beside = "accuracy" if "accuracy" in names else next(iter(names), "")
            view = self._view(run)
            if view != self.view:
                self.view = view
            self.left = _packed(losses)
            if isinstance(self.source, Comparison):
                names = list(self.source.recipes)
                self.dots = _packed([(names.index(x.recipe), x.budget, 100 * x.accuracy) for x in self.source.trials])
            elif run:
                self.right = _packed(_curve(run.history, self._beside) if self._beside else [])
                changes = zip(*run.history.series("rate"), strict=True)
                self.events = [{"step": step, "words": f"rate to {rate:.2g}"} for step, rate in changes]
                self.rate = run.rate
            self.progress = self._progress(run)
            self.status = self._status(run)
            self.label = self.words()

    def _view(self, run: Run | None) -> dict[str, Any]:
        token, mark = MARKS[self._family]
        view: dict[str, Any] = {
            "kind": "run",
            "title": self._title or "Training",
            "subtitle": "",
            "name": self._name,
            "token": token,
            "mark": mark,
            "steps": run.steps if run else self.view.get("steps", 1),
            "left": {"title": "Loss on the training batch", "top": self._top or 2.5},
            "right": None,
            "earlier": [],
        }
        if isinstance(self.source, Comparison):
            several = f"{counted(len(self.source.recipes), 'recipe')}, {counted(len(self.source.seeds), 'seed')}"
            test = f"Accuracy on {len(self.source.task.test):,} test images"
            style = next((s for s in styles(self.source) if s["name"] == self._name), None)
            if run is None and self.source.trials:
                view["left"]["title"] += ": none, these recipes train nothing"
            return (
                view
                | (style or {})
                | {
                    "kind": "comparison",
                    "title": self._title or "Comparing",
                    "subtitle": f"{several}; one dot for each finished trial.",
                    "right": {"title": test, "unit": "%", "top": 100, "chance": 100 / len(self.source.task.classes)},
                    "budgets": list(self.source.budgets),
                    "recipes": styles(self.source),
                    "trials": len(self.source.plan),
                }
            )
        assert run is not None
        view["right"] = self._view_beside(run.history)
        if hasattr(run.batches, "__len__"):
            view["per_epoch"] = len(run.batches)
        if self._earlier:
            view["subtitle"] = "Earlier runs in grey."
            view["earlier"] = [
                {"name": name, "left": curves.get("loss"), "right": curves.get(self._beside)}
                for name, curves in self._earlier.items()
            ]
        return view | {"lr": run.lr}

    def _view_beside(self, history: History) -> dict[str, Any] | None:
        """Its title and its axis; for a name that is not measured the words that say so, once a step was taken."""
        name, names = self._beside, _names(history)
        if not name:
            return None
        title = name[:1].upper() + name[1:].replace("_", " ")
        if name not in names and any("loss" in record for record in history):
            title = f'No "{name}" is measured; there is {", ".join(names) or "only the loss"}'
        if name != "accuracy":
            earlier = [value for curves in self._earlier.values() if name in curves for value in curves[name][1]]
            bottom, top = round_span([*history.series(name)[1], *earlier])
            # Of a batch, as the loss is: smoothed. What a look at the run found is marked.
            of_batch = any("loss" in record and name in record for record in history)
            return {"title": title, "bottom": bottom, "top": top, "marks": not of_batch}
        axis = {"title": title, "unit": "%", "top": 100}
        if not isinstance(self.source, validated):
            return axis
        chance = 100 / len(self.source.split.classes)
        return axis | {"title": f"Accuracy on {len(self.source.split):,} validation images", "chance": chance}

    def _progress(self, run: Run | None) -> dict[str, Any]:
        share, spent = self._share(), self.source.seconds
        left = ""
        if self.source.finished:
            left = f"took {spent:.0f} s"
        elif share and self.state == "training":
            left = time_left(spent * (1 - share) / share)
        if isinstance(self.source, Comparison):
            plan, trial = len(self.source.plan), min(len(self.source.trials) + 1, len(self.source.plan))
            more = ""
            if self.source.present:
                seed, budget, name = self.source.present
                more = f"{name}, {counted(budget, 'label')} per class, seed {seed}"
            at = {"step": share * plan, "of": plan, "words": f"Trial {trial} of {plan}", "more": more}
        else:
            assert run is not None
            epochs = ""
            if hasattr(run.batches, "__len__"):
                each = len(run.batches)
                epochs = f"epoch {max(run.step - 1, 0) // each + 1:,} of {(run.steps - 1) // each + 1:,}"
            at = {"step": run.step, "of": run.steps, "words": f"Step {run.step:,} of {run.steps:,}", "more": epochs}
        return at | {"left": left, "x": run.step if run else 0}

    def _status(self, run: Run | None) -> list[list[str]]:
        if run is None or not run.step:
            return [["", "Nothing is trained yet" if not self._share() else "Every trial is kept"]]
        if self.state == "stopped":
            return [["", f"Weights and history are both from step {run.step:,}"]]
        import torch

        threads = torch.get_num_threads()
        where = f", {counted(threads, 'thread')}" if run.device.type == "cpu" else ""
        each = run.seconds / run.step
        parts = [[run.device.type, where]]
        if hasattr(run.batches, "batch_size"):
            parts.append([f"{run.batches.batch_size / each:,.0f}", " images/s"])
        parts.append([f"{1000 * each:.1f}", " ms per step"])
        used = (
            torch.cuda.memory_allocated(run.device) if run.device.type == "cuda" else psutil.Process().memory_info().rss
        )
        return [*parts, ["", f"{used / 1e6:,.0f} MB"]]

    def words(self) -> str:
        """What the monitor shows, in a sentence."""
        return f"{self.view['title']}: {self.word}, {self.progress['words'].lower()}"


def _names(history: History) -> dict[str, None]:
    """What was measured beside the loss, in the order of its first appearance."""
    return dict.fromkeys(name for record in history for name in record if name not in UNSHOWN)


def _curve(history: History, name: str, most: int = 500) -> list[tuple[float, float]]:
    """The thinned curve of one measured thing, accuracy in per cent; what is no finite number is left out."""
    scale = 100 if name == "accuracy" else 1
    steps, values = history.series(name)
    finite = [place for place, value in enumerate(values) if math.isfinite(value)]
    return thinned([steps[place] for place in finite], [scale * values[place] for place in finite], most)


def _curves(other: Run | observed) -> dict[str, list[list[float]]]:
    """All that a finished run measured, as columns of steps and values."""
    history = (other.run if isinstance(other, observed) else other).history
    return {name: _columns(_curve(history, name, most=200)) for name in ("loss", *_names(history))}


def _packed(points: Sequence[Sequence[float]]) -> bytes:
    return np.asarray(points, dtype="<f4").tobytes()


def _columns(points: Sequence[Sequence[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*points, strict=True)] or [[], []]
