"""Training that one can watch, pause, step, stop and steer, while the kernel stays awake."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import psutil
import traitlets as t

from tlkit.evaluation import observed, validated
from tlkit.experiments import Comparison
from tlkit.training.driving import END, Watched, in_slices
from tlkit.training.history import series
from tlkit.training.run import Run
from tlkit.views import look, round_span, round_top, styles, thinned, time_left, unchosen_styles, value_axis, x_axis
from tlkit.widgets.base import Widget, in_kernel_loop, loosely, start
from tlkit.words import counted

REDRAW = 0.1  # seconds between two pictures
UNSHOWN = ("step", "loss")  # beside the loss: it is shown itself, and a step is no measurement
GONE = "gone: run its cell again"  # the state word of a run that nobody holds any more
PREDICTORS = ("frozen features", "nothing learnt")  # families whose recipes usually train nothing
LR_CHANGE = {"step", "lr"}  # what a record has that notes a new learning rate; other loops may measure theirs each step


class Monitor(Widget, script="monitor.js"):
    """Watch a training run while it trains, and pause, step, stop and steer it: `await monitor.train()`.

    Args:
        run: a Run, an observed or validated run, a Comparison, or any other loop that is an iterator with `stop()`,
            `finished` and `history`: records with "step" and "loss".
        title: what is trained, for the title line; "Training" or "Comparing" by default.
        name: what labels the line of the run; in a Comparison the recipe that trains.
        family: what gives the line the course's colour and mark, as in `Recipe`.
        earlier: finished runs to compare with in grey, by name, three at most.
        show: what stands beside the loss, one of the names that the run measures, such as "feature_std". By default
            accuracy, or else the first name in its history.

    Raises:
        TypeError: if `run` is none of these.
        ValueError: for more than three earlier runs, and for a `show` that cannot stand beside the loss.

    `monitor.source` is what is watched. After its last step the monitor holds what it shows, no longer the run with its
    network and data: `source` is None, and nothing starts afresh, once nobody else holds it either.
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
    lr = t.Float(None, allow_none=True).tag(sync=True)
    error = t.Dict().tag(sync=True)

    def __init__(
        self,
        run: Any,
        *,
        title: str = "",
        name: str = "this run",
        family: str | None = "pre-trained",
        earlier: Mapping[str, Run | observed] | None = None,
        show: str | None = None,
    ):
        _watched(run)  # or TypeError
        if show and isinstance(run, Comparison):
            raise ValueError(f'show="{show}", but a Comparison shows the {run.metric} of every trial; leave show out')
        if show in UNSHOWN:
            raise ValueError(f'show="{show}", but that is shown anyway; name something else that the run measures')
        if len(earlier or {}) > 3:
            raise ValueError(f"{len(earlier or {})} earlier runs, but at most three can be distinguished in grey")
        super().__init__()
        self._held: Callable[[], Any] = lambda: run
        self._title, self._family = title, family
        self._name = run.setups[0].settings["recipe"] if isinstance(run, Comparison) else name
        self._earlier = {other: _curves(run) for other, run in (earlier or {}).items()}
        self._top: float | None = None
        self._beside = show or ("accuracy" if isinstance(run, validated) else "")
        self._shown: Run | Watched | None = None  # in a comparison the present trial's run, at its end the last one
        self._task: asyncio.Task | None = None  # what drives, if something does
        self._paused = False
        self._steps_requested = 0
        self._stepped = False  # whether the last slice was a single step that a button requested
        self._wake = asyncio.Event()
        self._drawn = 0.0
        self.on_msg(in_kernel_loop(self._answer))
        self._draw()
        if run.finished:
            self._let_go()

    # ---- what it watches ----

    @property
    def source(self) -> Any:
        """What is watched; None once it has finished and nobody else holds it."""
        return self._held()

    @property
    def _run(self) -> Run | Watched | None:
        """The run, or a loop as one; None for a Comparison."""
        watched = _watched(self.source)
        return None if isinstance(watched, Comparison) else watched

    def _let_go(self) -> None:
        """Hold the source no longer; what observes a run stays with that, so that it can start afresh."""
        source, self._shown = self.source, None
        if isinstance(source, observed):
            vars(source.run)["observer"] = _Observer(source)
        self._held = loosely(source)

    # ---- driving ----

    async def train(self) -> Any:
        """Show the monitor and train to the end, or until Stop.

        Returns:
            The run, the comparison, or the other loop that it watches.

        Raises:
            ReferenceError: if that has finished and nobody held it any more.

        A kernel interrupt ends it between two steps and is raised again, so that queued cells do not run.
        """
        from IPython.display import display

        source = self.source
        if source is None:
            raise ReferenceError("what this monitor watched has finished and is held by nobody; make a Monitor anew")
        display(self)
        await self._begin()
        return source.run if isinstance(source, observed) else source

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
        source = self.source
        if self.state == "finished" and source.finished:
            return self.send_state()
        self._held = lambda: source
        self._paused, self.error = paused, {}
        iter(source)
        self._enter("paused" if paused else "training")
        try:
            async for _ in in_slices(self._noted(source) if isinstance(source, Comparison) else source, self._wait):
                self._draw(only_if_due=not self._stepped)
            self._enter("finished" if source.finished else "stopped", f"stopped at {self._place()}")
            if source.finished:
                self._let_go()
        except (asyncio.CancelledError, KeyboardInterrupt):
            self._enter("stopped", f"interrupted at {self._place()}")
            raise
        except Exception as error:
            failure = {"title": type(error).__name__, "words": str(error), "repair": ""}
            if isinstance(error, FloatingPointError):
                failure |= {"title": "The loss became NaN", "words": str(error).split("; ")[0]}
                if isinstance(self._run, Run):
                    failure["repair"] = f"Start afresh with {self._run.current_lr / 100:g}"
            self.error = failure
            self._enter("error")
            raise
        finally:
            self._steps_requested = 0
            self.send_state()

    async def _wait(self) -> int | None:
        """While it is paused, wait for a button; return how many steps the next slice may have at most."""
        while self._paused and not self._steps_requested and not self.source.finished:
            self._wake.clear()
            await self._wake.wait()
        self._stepped = self._steps_requested > 0
        self._steps_requested -= self._stepped
        return 1 if self._stepped else None

    def _answer(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        """Do what a button or the slider wants."""
        action = message.get("do")
        if self.source is None:
            with self.hold_sync():
                self.view, self.word = self.view | {"kind": "loop"}, GONE  # no loop starts afresh
        elif action == "pause" and self._driving:
            self._paused = True
            self._enter("paused")
        elif action == "step":
            self._steps_requested += 1
            if not self._driving:
                self._begin(paused=True)
            elif not self._paused:
                self._paused = True
                self._enter("paused")
        elif action == "resume" and self._driving:
            self._paused = False
            self._enter("training")
        elif action == "stop":
            self.source.stop()
            self._paused = False
        elif action in ("train", "continue"):
            self._begin()
        elif action in ("afresh", "repair") and isinstance(self._run, Run) and not self._driving:
            self._run.restart(self._run.current_lr / 100 if action == "repair" else None)
            self._top = None
            self._begin()
        elif action == "lr" and isinstance(self._run, Run):
            self._run.set_lr(float(message["value"]))
            self._draw()
        self._wake.set()

    # ---- what it shows ----

    def _place(self) -> str:
        if isinstance(self.source, Comparison):
            return f"trial {len(self.source.trials)}"
        return f"step {self._run.step if self._run else 0}"

    def _enter(self, state: str, word: str = "") -> None:
        with self.hold_sync():  # so that the page never has one without the other
            self.state, self.word = state, word if state == "stopped" else state
            self._draw()

    def _noted(self, source: Comparison) -> Iterator[Any]:
        """Its steps; the run that trains is noted at each, since a quick trial is over before the next picture."""
        while (item := next(source, END)) is not END:
            self._note(source)
            yield item

    def _note(self, source: Comparison) -> None:
        if source.run and source.present:  # the loss shown is that of the last recipe which trains
            self._shown, self._name = source.run, source.present.settings["recipe"]

    def _draw(self, only_if_due: bool = False) -> None:
        now = time.perf_counter()
        if only_if_due and now - self._drawn < REDRAW:
            return
        self._drawn = now
        run = self._run
        if isinstance(self.source, Comparison):
            self._note(self.source)
            run = self._shown
        with self.hold_sync():
            losses = _curve(run.history, "loss") if run else []
            if self._top is None and losses:
                self._top = round_top(1.05 * max(loss for _, loss in losses))
            if run and not self._beside:
                names = [name for name in _names(run.history) if not _is_the_loss(run.history, name)]
                self._beside = "accuracy" if "accuracy" in names else next(iter(names), "")
            self.view = self._view(run, losses)
            self.left = _packed(losses)
            if isinstance(self.source, Comparison):
                self.dots = _packed([*_dots(self.source)])
            elif run:
                self.right = _packed(_curve(run.history, self._beside) if self._beside else [])
                changes = [record for record in run.history if record.keys() == LR_CHANGE]
                self.events = [{"step": r["step"], "words": f"rate to {r['lr']:.2g}"} for r in changes]
                self.lr = run.current_lr if isinstance(run, Run) else None
            self.progress = self._progress(run)
            self.status = self._status(run)
            self.label = self.words()

    def _view(self, run: Run | Watched | None, losses: Sequence[tuple[float, float]]) -> dict[str, Any]:
        top = self._top or 2.5
        most = max((loss for _, loss in losses), default=0.0)
        cut = f", cut at {top:g}: it reached {most:.3g}" if most > 1.02 * top else ""
        view: dict[str, Any] = {
            "kind": "run" if isinstance(run, Run) else "loop",
            "title": self._title or "Training",
            "subtitle": "",
            "name": self._name,
            **look(self._family),
            "steps": _length(run) if run else self.view.get("steps", 1),
            "left": {"title": f"Loss on the training batch{cut}", "top": top},
            "right": None,
            "earlier": [],
        }
        if isinstance(self.source, Comparison):
            several = f"{counted(len(self.source.recipes), 'recipe')}, {counted(len(self.source.seeds), 'seed')}"
            style = next((s for s in styles(self.source) if s["name"] == self._name), {})
            predictors = all(recipe.family in PREDICTORS for recipe in self.source.recipes.values())
            if run is None and (predictors or self.source.trials):  # what does not train has no loss to be shown
                view["left"] = None
            view |= style | x_axis(self.source)
            return view | {
                "kind": "comparison",
                "title": self._title or "Comparing",
                "subtitle": f"{several}; one dot for each finished trial.",
                "right": value_axis(self.source),
                "values": list(self.source.measured[self.source.axis]),
                "recipes": unchosen_styles(self.source),
                "trials": self.source.steps,
            }
        assert run is not None
        view["right"] = self._view_beside(run.history)
        if isinstance(run, Run) and hasattr(run.batches, "__len__"):
            view["per_epoch"] = len(run.batches)
        if self._earlier:
            view["subtitle"] = "Earlier runs in grey."
            view["earlier"] = [
                {"name": name, "left": curves.get("loss"), "right": curves.get(self._beside)}
                for name, curves in self._earlier.items()
            ]
        return view | ({"lr": run.lr} if isinstance(run, Run) else {})

    def _view_beside(self, history: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
        """Its title and its axis; for a name that is not measured the words that say so, once a step was taken."""
        name, names = self._beside, _names(history)
        if not name:
            return None
        title = name[:1].upper() + name[1:].replace("_", " ")
        if name not in names and any("loss" in record for record in history):
            title = f'No "{name}" is measured; there is {", ".join(names) or "only the loss"}'
        if name != "accuracy":
            earlier = [value for curves in self._earlier.values() if name in curves for value in curves[name][1]]
            bottom, top = round_span([*series(history, name)[1], *earlier])
            # Of a batch, as the loss is: smoothed. What a look at the run found is marked.
            of_batch = any("loss" in record and name in record for record in history)
            return {"title": title, "bottom": bottom, "top": top, "marks": not of_batch}
        axis = {"title": title, "unit": "%", "top": 100}
        if not isinstance(self.source, validated):
            return axis
        chance = 100 / len(self.source.split.classes)
        noun = self.source.split.kind.noun
        return axis | {"title": f"Accuracy on {len(self.source.split):,} validation {noun}s", "chance": chance}

    def _progress(self, run: Run | Watched | None) -> dict[str, Any]:
        whole: Any = self._run or self.source
        share, spent = whole.step / whole.steps if _knows_its_end(whole) else 0.0, whole.seconds
        left = ""
        if self.source.finished:
            left = f"took {spent:.0f} s" if spent else ""
        elif share and spent and self.state == "training":
            left = time_left(spent * (1 - share) / share)
        if isinstance(self.source, Comparison):
            trial, more = min(len(whole.trials) + 1, whole.steps), str(whole.present or "")
            at = {"step": whole.step, "of": whole.steps, "words": f"Trial {trial} of {whole.steps}", "more": more}
        else:
            assert run is not None
            epochs = ""
            if isinstance(run, Run) and hasattr(run.batches, "__len__"):
                each = len(run.batches)
                epochs = f"epoch {max(run.step - 1, 0) // each + 1:,} of {(run.steps - 1) // each + 1:,}"
            of = f" of {run.steps:,}" if _knows_its_end(run) else ""
            at = {"step": run.step, "of": _length(run), "words": f"Step {run.step:,}{of}", "more": epochs}
        return at | {"left": left, "x": run.step if run else 0}

    def _status(self, run: Run | Watched | None) -> list[list[str]]:
        if run is None or not run.step:
            kept = self._run is None and self.source.trials
            return [["", "Every trial is kept" if kept else "Nothing is trained yet"]]
        if self.state == "stopped":
            return [["", f"Weights and history are both from step {run.step:,}"]]
        if not isinstance(run, Run):
            return [["", f"{type(run.loop).__name__}, {1000 * run.seconds / run.step:.1f} ms per step"]]
        import torch

        where = f", {counted(torch.get_num_threads(), 'thread')}" if run.device.type == "cpu" else ""
        each = run.seconds / run.step
        parts = [[run.device.type, where]]
        if hasattr(run.batches, "batch_size"):
            parts.append([f"{run.batches.batch_size / each:,.0f}", f" {_noun(run)}s/s"])
        parts.append([f"{1000 * each:.1f}", " ms per step"])
        cuda = run.device.type == "cuda"
        used = torch.cuda.memory_allocated(run.device) if cuda else psutil.Process().memory_info().rss
        return [*parts, ["", f"{used / 1e6:,.0f} MB"]]

    def words(self) -> str:
        """What the monitor shows, in a sentence."""
        return f"{self.view['title']}: {self.word}, {self.progress['words'].lower()}"


class _Observer:
    """What observes a run, held by the run; a copy of the run has none."""

    def __init__(self, of: observed | None = None):
        self.of = of

    def __reduce__(self) -> Any:
        return type(self), ()


def _watched(source: Any) -> Run | Comparison | Watched:
    """The run, the comparison, or another loop as a run; raises TypeError for what cannot be watched."""
    run = source.run if isinstance(source, observed) else source
    return run if isinstance(run, Run | Comparison) else Watched(run)


def _knows_its_end(whole: Run | Comparison | Watched) -> bool:
    return not isinstance(whole, Watched) or (whole.knows_its_end and math.isfinite(whole.steps))


def _length(run: Run | Watched) -> int:
    return run.steps if _knows_its_end(run) else max(run.step, 1)


def _dots(comparison: Comparison) -> Iterable[tuple[int, int, float]]:
    """For each trial the numbers of its recipe and its place on the x axis, and its value as it is shown."""
    names, values = list(comparison.recipes), comparison.measured[comparison.axis]
    for trial in comparison.trials:
        at = trial.settings[comparison.axis]
        yield names.index(trial.settings["recipe"]), values.index(at), comparison.metric.scale * trial.value


def _noun(run: Run) -> str:
    split = getattr(run.batches, "split", None) or getattr(run.batches, "labelled", None)
    return split.kind.noun if split else "example"


def _names(history: Iterable[dict[str, Any]]) -> dict[str, None]:
    """What was measured beside the loss, in the order of its first appearance."""
    return dict.fromkeys(name for r in history if r.keys() != LR_CHANGE for name in r if name not in UNSHOWN)


def _is_the_loss(history: Iterable[dict[str, Any]], name: str) -> bool:
    """Whether it was the loss again, when both were last measured: a reconstruction's error, for example."""
    last = next((r for r in reversed(list(history)) if {"loss", name} <= r.keys()), None)
    return last is not None and math.isclose(float(last[name]), float(last["loss"]), rel_tol=1e-4)


def _curve(history: Iterable[dict[str, Any]], name: str, most: int = 500) -> list[tuple[float, float]]:
    """The thinned curve of one measured thing, accuracy in per cent; values that are not finite are left out."""
    scale = 100 if name == "accuracy" else 1
    steps, values = series(history, name)
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
