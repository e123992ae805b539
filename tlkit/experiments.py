"""A comparison is a run of runs: recipes on the same tasks, over seeds, label budgets and what else is asked."""

from __future__ import annotations

import inspect
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from tlkit.data.tasks import Split, Task
from tlkit.evaluation import METRICS, Metric, evaluate, observed
from tlkit.intervals import Claim, Interval, judged
from tlkit.training.driving import Stepwise
from tlkit.training.interrupts import uninterrupted
from tlkit.training.run import Run
from tlkit.trial_file import Trial, TrialFile
from tlkit.words import in_words, meant

FAMILIES = ("pre-trained", "from scratch", "frozen features", "unlabelled target", "nothing learnt")
At = int | str | Mapping[str, Any]  # a budget, or values by the names of their axes


@dataclass(frozen=True)
class Recipe:
    """A way to learn a task: `make(task, seed)` returns a Run not yet started (or observed), or what predicts.

    A comparison over further axes gives it their values by name: `make(task, seed, layer="block3")`.
    `family` is the way of using data, which gives it the course's colour and mark: "pre-trained", "from scratch",
    "frozen features", "unlabelled target" or "nothing learnt".
    """

    make: Callable[..., Any]
    family: str | None = None

    def __post_init__(self):
        if self.family not in (None, *FAMILIES):
            raise ValueError(f"family={self.family!r}; use one of {', '.join(map(repr, FAMILIES))}")

    def __call__(self, task: Task, seed: int, **settings: Any) -> Any:
        return self.make(task, seed, **settings)


class Setup(NamedTuple):
    """A trial to come: its settings, the name of its recipe and its place on the axes, and its seed."""

    settings: dict[str, Any]
    seed: int

    def __str__(self) -> str:
        recipe, *at = self.settings.items()
        return f"{recipe[1]}, {in_words(dict(at))}, seed {self.seed}"


class Comparison(Stepwise):
    """Recipes by name on the same tasks, over seeds and axes: iterated like a Run; nothing is trained before.

    Each `next` is one step of the present trial; a finished trial is appended to `trials`. All recipes of one seed
    and one budget get the very same task. A stopped comparison keeps what it has, and goes on when iterated again.

    - `recipes`: by name, each `recipe(task, seed)`; see `Recipe`.
    - `seeds`: of what is drawn: the task's split where it can be redrawn, the labels, and what a recipe draws.
    - `budgets`: labels per class. With 0 `task.train` is empty, "all" leaves it whole.
    - `skip`: budgets, or values by axis, that this scale does not measure: claims at them are undecided.
    - `over`: further axes, as in `{"layer": layers}`; a recipe gets each value by name, `recipe(task, seed, layer=)`.
    - `metric`: "accuracy", "precision", "recall", "f1" (means over the classes), "log_loss", or a function of what the
      recipe returned, trained, and its task.
    - `file`: a file that each trial is written to as it finishes; a comparison made again with it goes on from there.
      A recipe that has been rewritten needs another file.

    `axes` are all values by the name of their axis, "budget" first, `measured` those that are not skipped. Raises
    ValueError for what cannot be compared, TypeError for a recipe that does not take what it would be given.

    >>> import tlkit as tl
    >>> def probe(task, seed, layer):
    ...     return tl.linear_probe(tl.extract_features(tl.models.SmallCNN(), task.train, layer))
    >>> over = {"layer": ("block1", "features")}
    >>> by_layer = tl.compare({"probe": probe}, tl.data.digits(), range(2), budgets=[5], over=over).finish()
    >>> sorted(by_layer.values("probe", at={"layer": "block1"}))
    [0, 1]
    """

    def __init__(
        self,
        recipes: Mapping[str, Recipe | Callable[..., Any]],
        task: Task,
        seeds: Iterable[int] = range(5),
        budgets: Iterable[int | str] = (1, 5, 50),
        skip: Iterable[int | str] | Mapping[str, Iterable[Any]] = (),
        *,
        over: Mapping[str, Iterable[Any]] | None = None,
        metric: str | Callable[[Any, Task], float] = "accuracy",
        file: str | PathLike[str] | None = None,
    ):
        self.recipes = {name: r if isinstance(r, Recipe) else Recipe(r) for name, r in recipes.items()}
        self.task, self.seeds, self.file = task, tuple(dict.fromkeys(map(int, seeds))), file
        given: dict[str, Any] = {"budget": budgets, **(over or {})}
        skipped = skip if isinstance(skip, Mapping) else {"budget": skip}
        if wrong := [
            *({"budget", "recipe", "seed"} & {*(over or {})}),
            *(axis for axis in skipped if axis not in given),
        ]:
            raise ValueError(f"{wrong[0]!r} cannot be an axis here: budgets= and seeds= stand apart, skip= names axes")
        self.skip = {axis: _values(axis, skipped.get(axis, ())) for axis in given}
        self.axes = {axis: tuple(dict.fromkeys(_values(axis, of) + self.skip[axis])) for axis, of in given.items()}
        whole = [budget if budget == "all" else _whole(budget) for budget in self.axes["budget"]]
        self.axes["budget"] = tuple(sorted(whole, key=lambda budget: math.inf if budget == "all" else budget))
        self.measured = {axis: tuple(v for v in of if v not in self.skip[axis]) for axis, of in self.axes.items()}
        if not self.recipes or not self.seeds or not all(self.measured.values()):
            raise ValueError("a comparison needs at least one recipe, one seed and one budget that is not skipped")
        self._require_known_arguments(over or {})
        self.metric, self._own_metric = _metric(metric)
        places = [dict(zip(self.axes, place, strict=True)) for place in product(*self.measured.values())]
        drawn = product(self.seeds, places, self.recipes)
        self.setups = [Setup({"recipe": name, **place}, seed) for seed, place, name in drawn]
        self._few: tuple[Any, Task] = (None, task)
        for budget in self.budgets:
            self._task(Setup({"budget": budget}, self.seeds[0]))
        self.trials: list[Trial] = []
        self.run: Run | None = None
        self._seconds = 0.0
        self._file = TrialFile(file, self._about()) if file is not None else None
        self._unwritten: list[Trial] = []
        there = {_key(trial): trial for trial in (self._file.read() if self._file else ())}
        self.trials += [there[key] for key in map(_key, self.setups) if key in there]
        self._left: tuple[int, list[Setup]] = (-1, [])

    def _require_known_arguments(self, over: Mapping[str, Any]) -> None:
        for name, recipe in self.recipes.items():
            try:
                inspect.signature(recipe.make).bind(self.task, 0, **dict.fromkeys(over))
            except TypeError as error:
                wanted = ", ".join(["task", "seed", *over])
                raise TypeError(f'the recipe "{name}" cannot be called: {error}; write def recipe({wanted})') from error
            except ValueError:  # a callable without a signature is tried when its turn comes
                pass

    def _about(self) -> dict[str, Any]:
        """What other comparisons must not share a file with. A recipe that was rewritten cannot be told."""
        task = self.task
        data = {name: part.fingerprint() for name, part in vars(task).items() if isinstance(part, Split)}
        about = {"task": task.name, "data": data, "split": "redrawn" if task.redraw else "fixed", "axes": [*self.axes]}
        values, metric = [*self.axes.values()], self.metric.name
        if self._own_metric:  # not to be taken for a built-in one of its name
            metric = f"{self._own_metric.__module__}.{getattr(self._own_metric, '__name__', '<lambda>')}"
        if "<lambda>" in metric or json.loads(json.dumps(values, default=repr)) != [list(v) for v in values]:
            raise ValueError("a file needs names: def a metric of your own, let axes have words or numbers as values")
        return about | {"metric": metric}

    @property
    def budgets(self) -> tuple[Any, ...]:
        """The budgets that are measured."""
        return self.measured["budget"]

    @property
    def axis(self) -> str:
        """What a picture of the comparison has on its x axis: the first axis but "budget" with more than one value."""
        several = [axis for axis, values in self.axes.items() if len(values) > 1]
        return next((axis for axis in several if axis != "budget"), "budget")

    @property
    def steps(self) -> int:
        """How many trials there will be."""
        return len(self.setups)

    @property
    def step(self) -> float:
        """How many trials are made, the present one counted as far as it has come."""
        return len(self.trials) + (self.run.step / self.run.steps if self.run else 0)

    @property
    def finished(self) -> bool:
        """Whether every trial was made."""
        return self.present is None

    @property
    def seconds(self) -> float:
        """How long the trials took so far, the present one included."""
        return sum(trial.seconds for trial in self.trials) + (self._seconds if self.run else 0.0)

    @property
    def present(self) -> Setup | None:
        """The present trial; None when finished."""
        if self._left[0] != len(self.trials):
            made = set(map(_key, self.trials))
            self._left = len(self.trials), [setup for setup in self.setups if _key(setup) not in made]
        return next(iter(self._left[1]), None)

    def __next__(self) -> Any:
        self._write()
        if self._stopped or self.present is None:
            raise StopIteration
        setup = self.present
        started = time.perf_counter()
        if self.run is None:
            further = {axis: value for axis, value in setup.settings.items() if axis not in ("recipe", "budget")}
            made = self.recipes[setup.settings["recipe"]](self._task(setup), setup.seed, **further)
            if not isinstance(made, Run | observed):
                return self._record(setup, made, started)
            self.run, self._driven, self._seconds = made.run if isinstance(made, observed) else made, made, 0.0
        try:
            step = next(iter(self._driven), None)  # a run that was stopped is not a finished trial
        except FloatingPointError as error:
            self.run = None  # the trial begins anew when the comparison is iterated again
            raise FloatingPointError(f"{setup}: {error}") from error
        self._seconds += time.perf_counter() - started
        return step if step is not None else self._record(setup, self.run, time.perf_counter() - self._seconds)

    def _task(self, setup: Setup) -> Task:
        seed, budget = setup.seed, setup.settings["budget"]
        if self._few[0] != (seed, budget):
            whole = self.task.redraw(seed) if self.task.redraw and budget == "all" else self.task
            self._few = ((seed, budget), whole if budget == "all" else self.task.few_labels(_whole(budget), seed))
        return self._few[1]

    def _record(self, setup: Setup, predictor: Any, started: float) -> Trial:
        task = self._task(setup)
        report = evaluate(predictor, task.test) if self.metric.of else None
        value = self.metric.of(report) if self.metric.of else float(self._own_metric(predictor, task))  # type: ignore
        if not math.isfinite(value):
            self.run = None
            raise FloatingPointError(f"{setup}: its {self.metric} is {value}")
        trial = Trial(*setup, report, value, time.perf_counter() - started)
        with uninterrupted():  # an interrupt before this repeats the test, one after it finds the record
            self.trials.append(trial)
            self.run = None
            self._unwritten.append(trial)
            self._write()
        return trial

    def _write(self) -> None:
        """Write what is not written yet: a full disk may have refused it before."""
        while self._file and self._unwritten:
            self._file.append(self._unwritten[0])
            self._unwritten.pop(0)

    def with_seeds(self, seeds: Iterable[int]) -> Comparison:
        """What these seeds alone have measured: a comparison with their trials."""
        part = self.anew(self.recipes, seeds, self.budgets)
        part.trials = [trial for trial in self.trials if trial.seed in part.seeds]
        return part

    def anew(self, recipes: Mapping[str, Any], seeds: Iterable[int], budgets: Iterable[Any]) -> Comparison:
        """The same comparison of these, with nothing measured yet."""
        over = {axis: values for axis, values in self.axes.items() if axis != "budget"}
        metric = self._own_metric or self.metric.name
        return Comparison(recipes, self.task, seeds, budgets, self.skip, over=over, metric=metric)

    # ---- what was measured ----

    def place(self, at: At | None = None, /, **further: Any) -> dict[str, Any]:
        """The value on every axis: `at` is a budget, or values by the names of their axes; `further` are more of these.

        Raises ValueError for an axis or a value that was not compared, or where an axis with several is left open.
        """
        given = {**(at if isinstance(at, Mapping) else {} if at is None else {"budget": at}), **further}
        if unknown := [axis for axis in given if axis not in self.axes]:
            raise ValueError(f"there is no axis {unknown[0]!r}; this comparison has {', '.join(self.axes)}")
        for axis, values in self.axes.items():
            known = f"there are {', '.join(map(str, values))}"
            if axis not in given and len(values) > 1:
                raise ValueError(f"at= leaves {axis} open; say at={{{axis!r}: ...}}; {known}")
            if given.setdefault(axis, *values[:1]) not in values:
                raise ValueError(f"with {in_words({axis: given[axis]})} nothing was compared; {known}")
        return {axis: given[axis] for axis in self.axes}

    def trials_of(self, name: str, at: At | None = None) -> list[Trial]:
        """The trials of a recipe at a place, as far as they are made. Raises ValueError for what was not compared."""
        if name not in self.recipes:
            known = ", ".join(map(repr, self.recipes))
            raise ValueError(f'"{name}" was not compared; there are {known}{meant(name, self.recipes)}')
        settings = {"recipe": name, **self.place(at)}
        return [trial for trial in self.trials if trial.settings == settings]

    def values(self, name: str, at: At | None = None) -> dict[int, float]:
        """The metric of a recipe at a place, by seed, as far as measured; a share is in 0..1."""
        return {trial.seed: trial.value for trial in self.trials_of(name, at)}

    def mean(self, name: str, at: At | None = None) -> float:
        """The mean of the metric over the seeds. Raises ValueError if none is measured."""
        values = self.values(name, at).values()
        if not values:
            raise ValueError(
                f'"{name}" is not measured yet with {in_words(self.place(at))}; press Continue in its monitor, '
                "or call .finish() on the comparison"
            )
        return sum(values) / len(values)

    def difference(self, first: str, second: str, at: At | None = None) -> Interval | None:
        """How much better `first` is than `second`, paired by seed; None if no seed has both.

        First minus second, in points where the metric is a share; second minus first where lower is better.
        """
        mine, others = self.values(first, at), self.values(second, at)
        scale = -self.metric.scale if self.metric.lower_is_better else self.metric.scale
        found = tuple((mine[s] - others[s]) * scale for s in mine if s in others)
        return Interval(found) if found else None

    def claim(
        self,
        name: str,
        *,
        at: At | None = None,
        better_than: str | None = None,
        level_with: str | None = None,
        no_better_than: str | None = None,
        by: float = 0.0,
        within: float = 2.0,
        text: str = "",
    ) -> Claim:
        """Test one sentence about `name` at a place (see `place`), against exactly one other recipe.

        - `better_than`: the mean paired difference is at least `by` points and its 95 % interval excludes 0.
        - `level_with`: the whole interval lies within plus and minus `within` points.
        - `no_better_than`: the upper end of the interval is below `by` points.

        Of a metric that is no share, `by` and `within` are in its own unit. `holds` is None (undecided) where it was
        skipped and with fewer than 5 seeds. `by` is to be fixed before the run. Raises ValueError for a name or a
        place that was not compared.
        """
        tests = {"better than": better_than, "level with": level_with, "no better than": no_better_than}
        asked = [(test, other) for test, other in tests.items() if other is not None]
        if len(asked) != 1:
            raise ValueError("a claim needs exactly one of better_than=, level_with= and no_better_than=")
        test, other = asked[0]
        place = self.place(at)
        threshold, unit = (within if test == "level with" else by), "points" if self.metric.share else ""
        limit = f"{'within' if test == 'level with' else 'by'} {threshold:g} {unit}" if threshold else ""
        text = text or f"with {in_words(place)}, {name} is {test} {other} {limit}".strip()
        found = self.difference(name, other, place)
        if skipped := {axis: value for axis, value in place.items() if value in self.skip[axis]}:
            found, (holds, reason) = None, (None, f"not measured at this scale: {in_words(skipped)}")
        else:
            holds, reason = judged(test, threshold, found, unit)
        seeds = len(found.values) if found else 0
        return Claim(text, holds, reason, name, other, place, test, threshold, found, seeds, unit)

    def __repr__(self) -> str:
        over = "".join(f"; {axis}: {', '.join(map(str, self.axes[axis]))}" for axis in self.axes if axis != "budget")
        return (
            f"Comparison of {', '.join(self.recipes)}: {len(self.trials)} of {len(self.setups)} trials, "
            f"{len(self.seeds)} seeds, {', '.join(map(str, self.budgets))} labels per class{over}"
        )


compare = Comparison  # a verb reads better where one is made: tl.compare(recipes, task)


def _metric(given: str | Callable[[Any, Task], float]) -> tuple[Metric, Callable[[Any, Task], float] | None]:
    """The metric, and the function that it is where it is not read off a report."""
    if callable(given):
        return Metric(getattr(given, "__name__", type(given).__name__), None, share=False), given
    if given not in METRICS:
        known = f"use one of {', '.join(METRICS)}, or a function of (run, task){meant(given, METRICS)}"
        raise ValueError(f"there is no metric {given!r}; {known}")
    return METRICS[given], None


def _values(axis: Any, given: Any) -> tuple[Any, ...]:
    """The values given for an axis, numpy's numbers as Python's own."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ValueError(f"{axis} has the value {given!r}, but takes several values; of one, write [{given!r}]")
    return tuple(value.item() if isinstance(value, np.generic) else value for value in given)


def _whole(budget: Any) -> int:
    if not isinstance(budget, int | float) or budget % 1 != 0:
        raise ValueError(f"the budget {budget!r} is no number of labels per class; use whole numbers, or 'all'")
    return int(budget)


def _key(one: Trial | Setup) -> str:
    return repr((sorted(one.settings.items()), one.seed))
