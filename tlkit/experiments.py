"""A comparison is a run of runs: recipes on the same tasks, over seeds, label budgets and further axes."""

from __future__ import annotations

import inspect
import json
import math
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from itertools import product
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from tlkit.data.tasks import Split, Task
from tlkit.evaluation import METRICS, Metric, evaluate, observed
from tlkit.intervals import Claim, Interval, decide
from tlkit.recipes import Recipe
from tlkit.training.driving import Stepwise
from tlkit.training.interrupts import uninterrupted
from tlkit.training.run import Run
from tlkit.trial_file import Trial, TrialFile
from tlkit.words import in_words, meant

At = int | str | Mapping[str, Any]  # a budget, or values by the names of their axes


class Setup(NamedTuple):
    """What one trial is: its settings and its seed.

    Args:
        settings: the name of its recipe as "recipe", and its value on each axis by the name of the axis.
        seed: the random seed of all that is random in it.
    """

    settings: dict[str, Any]
    seed: int

    def __str__(self) -> str:
        recipe, *at = self.settings.items()
        return f"{recipe[1]}, {in_words(dict(at))}, seed {self.seed}"


class Comparison(Stepwise):
    """Recipes on the same tasks, over seeds, label budgets and further axes: iterate it like a Run.

    Args:
        recipes: recipes by name, each a `Recipe` or a function `recipe(task, seed)`.
        task: what they learn; or a function of the further axes that returns it, `task(strength=0.5)`, where these
            decide on what is learnt and tested. All recipes of one place and one seed get the very same labels of it.
        seeds: the random seeds. Each draws the task's split where it can be redrawn, the labels, and what a recipe
            draws. Five are the fewest with which a claim is decided.
        budgets: labels per class. 0 leaves `task.train` empty, "all" leaves it whole.
        skip: budgets, or values by the name of their axis, that are not measured at this scale; claims about them are
            undecided.
        over: further axes, as in `{"layer": layers}`; a recipe gets each value by name, `recipe(task, seed, layer=)`.
        metric: "accuracy", "precision", "recall", "f1" (means over the classes), "log_loss", or a function of what the
            recipe returned, trained, and its task.
        file: each trial is written to it as it finishes; a comparison made again with the same file goes on from
            there. A recipe that was rewritten needs another file. None keeps the trials in memory only.

    Raises:
        ValueError: if there is no recipe, no seed or no budget to measure, for a budget that is not a number of
            labels, an unknown axis or metric, or a file that is not one of this comparison's trials.
        TypeError: for a recipe that does not take the arguments it would get.
        OSError: for a file that cannot be read.

    Nothing is trained until it is iterated. Each `next` is one step of the present trial; a finished trial is appended
    to `trials`. A stopped comparison keeps what it has, and goes on when it is iterated again. `setups` are all trials
    that there will be, `axes` all values by the name of their axis, "budget" first, and `measured` those that are not
    skipped. `tested_on` says on how many test examples; `recorded` where and when, if a lesson keeps the result.

    >>> import tlkit as tl
    >>> def probe(task, seed, layer):
    ...     return tl.linear_probe(tl.extract_features(tl.models.SmallCNN(), task.train, layer))
    >>> over = {"layer": ("block1", "features")}
    >>> by_layer = tl.compare({"probe": probe}, tl.data.digits(), range(2), budgets=[5], over=over).finish()
    >>> sorted(by_layer.values("probe", at={"layer": "block1"}))
    [0, 1]
    """

    recorded = ""
    run: Run | None = None
    _seconds = 0.0
    _left: tuple[int, list[Setup]] = (-1, [])

    def __init__(
        self,
        recipes: Mapping[str, Recipe | Callable[..., Any]],
        task: Task | Callable[..., Task],
        seeds: Iterable[int] = range(5),
        budgets: Iterable[int | str] = (1, 5, 50),
        skip: Iterable[int | str] | Mapping[str, Iterable[Any]] = (),
        *,
        over: Mapping[str, Iterable[Any]] | None = None,
        metric: str | Callable[[Any, Task], float] = "accuracy",
        file: str | PathLike[str] | None = None,
    ):
        self.recipes = {name: r if isinstance(r, Recipe) else Recipe(r) for name, r in recipes.items()}
        over = over or {}
        self.seeds, self.file = tuple(dict.fromkeys(map(int, seeds))), file
        values: dict[str, Any] = {"budget": budgets, **over}
        skipped = skip if isinstance(skip, Mapping) else {"budget": skip}
        if wrong := [*({"budget", "recipe", "seed", "task"} & over.keys()), *(skipped.keys() - values.keys())]:
            raise ValueError(f"{wrong[0]!r} cannot be an axis here: budgets= and seeds= stand apart, skip= names axes")
        self.skip = {axis: _values(axis, skipped.get(axis, ())) for axis in values}
        self.axes = {axis: tuple(dict.fromkeys(_values(axis, of) + self.skip[axis])) for axis, of in values.items()}
        whole = [budget if budget == "all" else _whole(budget) for budget in self.axes["budget"]]
        self.axes["budget"] = tuple(sorted(whole, key=lambda budget: math.inf if budget == "all" else budget))
        self.measured = {axis: tuple(v for v in of if v not in self.skip[axis]) for axis, of in self.axes.items()}
        if not self.recipes or not self.seeds or not all(self.measured.values()):
            raise ValueError("a comparison needs at least one recipe, one seed and one budget that is not skipped")
        self._of = task
        self.task = task = self._whole({axis: self.measured[axis][0] for axis in over})
        self.tested_on, self.classes = f"{len(task.test):,} test {task.test.kind.noun}s", len(task.classes)
        self._require_known_arguments(over)
        self.metric, self._own_metric = _metric(metric)
        places = [dict(zip(self.axes, place, strict=True)) for place in product(*self.measured.values())]
        trials = product(self.seeds, places, self.recipes)
        self.setups = [Setup({"recipe": name, **place}, seed) for seed, place, name in trials]
        self._few: tuple[Any, Task] = (None, task)
        for budget in self.budgets:
            self._task(Setup(dict(places[0], budget=budget), self.seeds[0]))
        self.trials: list[Trial] = []
        self._loop: Any = None  # the run, or what observes it
        self._begun: list[tuple[Any, int]] = []  # what the present trial trains, and how often it was written before
        self._trained: dict[int, tuple[Callable[[], Any], int]] = {}  # of all trials so far, without keeping them alive
        self._file = TrialFile(file, self._about()) if file is not None else None
        self._unwritten: list[Trial] = []
        saved = {_key(trial): trial for trial in (self._file.read() if self._file else ())}
        self.trials += [saved[key] for key in map(_key, self.setups) if key in saved]

    def _require_known_arguments(self, over: Mapping[str, Any]) -> None:
        """Refuse a recipe that does not take task, seed and the further axes, before anything is trained."""
        for name, recipe in self.recipes.items():
            try:
                inspect.signature(recipe.make).bind(self.task, 0, **dict.fromkeys(over))
            except TypeError as error:
                wanted = ", ".join(["task", "seed", *over])
                raise TypeError(f'the recipe "{name}" cannot be called: {error}; write def recipe({wanted})') from error
            except ValueError:  # a callable without a signature is tried when its turn comes
                pass

    def _about(self) -> dict[str, Any]:
        """What two comparisons that share a file must agree in; a rewritten recipe goes unnoticed."""
        task = self.task
        about = {"task": task.name, "data": _fingerprints(task), "split": "redrawn" if task.redraw else "fixed"}
        if not isinstance(self._of, Task):
            axes = {axis: values for axis, values in self.measured.items() if axis != "budget"}
            places = [dict(zip(axes, place, strict=True)) for place in product(*axes.values())]
            about |= {"task": "a function", "data": {}}
            about["places"] = {in_words(place): _fingerprints(self._whole(place)) for place in places}
        about["axes"] = [*self.axes]
        values, metric = [*self.axes.values()], self.metric.name
        if self._own_metric:  # not to be taken for a built-in one of its name
            metric = f"{self._own_metric.__module__}.{getattr(self._own_metric, '__name__', '<lambda>')}"
        if "<lambda>" in metric or json.loads(json.dumps(values, default=repr)) != [list(v) for v in values]:
            raise ValueError("a file needs names: def a metric of your own, let axes have words or numbers as values")
        return about | {"metric": metric}

    @property
    def budgets(self) -> tuple[Any, ...]:
        """The budgets that are measured, in labels per class, rising."""
        return self.measured["budget"]

    @property
    def axis(self) -> str:
        """The x axis of a picture of it: the first axis but "budget" that has several values, or else "budget"."""
        several = [axis for axis, values in self.axes.items() if len(values) > 1]
        return next((axis for axis in several if axis != "budget"), "budget")

    @property
    def steps(self) -> int:
        """How many trials there will be."""
        return len(self.setups)

    @property
    def step(self) -> float:
        """How many trials are finished, the present one counting as the share of its steps that are taken."""
        return len(self.trials) + (self.run.step / self.run.steps if self.run else 0)

    @property
    def finished(self) -> bool:
        """Whether every trial is finished."""
        return self.present is None

    @property
    def seconds(self) -> float:
        """How long the trials took so far, the present one included, in seconds."""
        return sum(trial.seconds for trial in self.trials) + (self._seconds if self.run else 0.0)

    @property
    def present(self) -> Setup | None:
        """The trial that is in progress or comes next; None when finished."""
        if self._left[0] != len(self.trials):
            finished = set(map(_key, self.trials))
            self._left = len(self.trials), [setup for setup in self.setups if _key(setup) not in finished]
        return next(iter(self._left[1]), None)

    def __next__(self) -> Any:
        self._write()
        if self._stopped or self.present is None:
            raise StopIteration
        setup = self.present
        started = time.perf_counter()
        if self.run is None:
            name = setup.settings["recipe"]
            loop = self.recipes[name](self._task(setup), setup.seed, **_further(setup))
            if loop is None:
                raise TypeError(f'the recipe "{name}" returned nothing; end it with "return run", or what it trained')
            if not isinstance(loop, Run | observed):  # a predictor, with nothing left to train
                return self._record(setup, loop, started)
            run = loop.run if isinstance(loop, observed) else loop
            self._require_untrained(name, run)
            self.run, self._loop, self._seconds = run, loop, 0.0
        try:
            step = next(iter(self._loop), None)  # a run that was stopped is not a finished trial
        except FloatingPointError as error:
            self.run = None  # the trial begins anew when the comparison is iterated again
            raise FloatingPointError(f"{setup}: {error}") from error
        self._seconds += time.perf_counter() - started
        return step if step is not None else self._record(setup, self.run, time.perf_counter() - self._seconds)

    def _require_untrained(self, name: str, run: Run) -> None:
        """Refuse a recipe that goes on with weights that an earlier trial trained: its seeds would not be independent.

        torch counts how often a weight was written: what a recipe sets anew before it trains is no longer the trial's.
        """
        weights = [weight for group in run.optimizer.param_groups for weight in group["params"]]
        for weight in weights:
            known, written = self._trained.get(id(weight), (lambda: None, 0))
            if known() is weight and weight._version == written:
                raise ValueError(
                    f'the recipe "{name}" trains the network that an earlier trial has trained, so its seeds learn '
                    "from each other; make the network inside the recipe, or train a copy: network.copy()"
                )
        self._begun = [(weight, weight._version) for weight in weights]

    def _task(self, setup: Setup) -> Task:
        """The task with the labels of a seed and a place, the very same for all recipes; the last one is kept."""
        seed, budget = setup.seed, setup.settings["budget"]
        place = {} if isinstance(self._of, Task) else _further(setup)
        if self._few[0] != (seed, budget, place):
            task = self._whole(place)
            whole = task.redraw(seed) if task.redraw and budget == "all" else task
            self._few = ((seed, budget, place), whole if budget == "all" else task.few_labels(_whole(budget), seed))
        return self._few[1]

    def _whole(self, place: Mapping[str, Any]) -> Task:
        """The task at a place of the further axes, with all its labels."""
        if isinstance(self._of, Task):
            return self._of
        wanted = ", ".join(place)
        try:
            inspect.signature(self._of).bind(**place)
        except TypeError as error:
            raise TypeError(
                f"{self._of!r} is no task, nor can it be called as task({wanted}): {error}; give a tl.data.Task, or a "
                "function of the further axes that returns one"
            ) from None
        if not isinstance(task := self._of(**place), Task):
            raise TypeError(f"the function task({wanted}) returned a {type(task).__name__}; let it return a Task")
        return task

    def _record(self, setup: Setup, predictor: Any, started: float) -> Trial:
        """Test what a recipe has trained, and append the trial."""
        task = self._task(setup)
        report = evaluate(predictor, task.test) if self.metric.of else None
        value = self.metric.of(report) if self.metric.of else float(self._own_metric(predictor, task))  # type: ignore
        if not math.isfinite(value):
            self.run = None
            raise FloatingPointError(f"{setup}: its {self.metric} is {value}")
        trial = Trial(*setup, report, value, time.perf_counter() - started)
        with uninterrupted():  # an interrupt before this repeats the test, one after it finds the record
            self.trials.append(trial)
            self.run = self._loop = None
            for weight, version in self._begun:
                if weight._version != version:
                    self._trained[id(weight)] = (weakref.ref(weight), weight._version)
            self._begun = []
            self._unwritten.append(trial)
            self._write()
        return trial

    def _write(self) -> None:
        """Write what is not written yet: a full disk may have refused it before."""
        while self._file and self._unwritten:
            self._file.append(self._unwritten[0])
            self._unwritten.pop(0)

    def with_seeds(self, seeds: Iterable[int]) -> Comparison:
        """What these seeds alone have measured.

        Args:
            seeds: some of the comparison's own.

        Returns:
            A comparison with the trials of these seeds.

        Raises:
            ValueError: for a seed that is not its own.
        """
        part, wanted = copy(self), tuple(dict.fromkeys(seeds))
        if unknown := [seed for seed in wanted if seed not in self.seeds]:
            raise ValueError(f"the seed {unknown[0]!r} was not compared; there are {', '.join(map(str, self.seeds))}")
        part.seeds, part.run, part._loop, part._file = wanted, None, None, None
        part.setups = [setup for setup in self.setups if setup.seed in part.seeds]
        part.trials = [trial for trial in self.trials if trial.seed in part.seeds]
        part._left, part._begun, part._trained, part._unwritten = (-1, []), [], {}, []
        return part

    def anew(self, recipes: Mapping[str, Any], seeds: Iterable[int], budgets: Iterable[Any]) -> Comparison:
        """The same comparison of other recipes, seeds or budgets, with nothing measured yet.

        Args:
            recipes: recipes by name, in the place of its own.
            seeds: in the place of its own.
            budgets: in the place of its own, in labels per class.

        Returns:
            A comparison on the same task, with the same further axes and metric, without a file.
        """
        over = {axis: values for axis, values in self.axes.items() if axis != "budget"}
        metric = self._own_metric or self.metric.name
        return Comparison(recipes, self._of, seeds, budgets, self.skip, over=over, metric=metric)

    # ---- what was measured ----

    def place(self, at: At | None = None, /, **further: Any) -> dict[str, Any]:
        """The value on every axis, from those that leave no choice.

        Args:
            at: a budget, or values by the names of their axes. An axis with a single value may be left out.
            **further: more of these, which take precedence over `at`.

        Returns:
            One value for each axis, by the name of the axis, in the order of `axes`.

        Raises:
            ValueError: for an axis or a value that was not compared, or if an axis with several values is left out.
        """
        place = {**by_axis(at), **further}
        if unknown := [axis for axis in place if axis not in self.axes]:
            raise ValueError(f"there is no axis {unknown[0]!r}; this comparison has {', '.join(self.axes)}")
        for axis, values in self.axes.items():
            known = f"there are {', '.join(map(str, values))}"
            if axis not in place and len(values) > 1:
                raise ValueError(f"at= leaves {axis} open; write at={{{axis!r}: ...}}; {known}")
            if place.setdefault(axis, *values[:1]) not in values:
                raise ValueError(f"with {in_words({axis: place[axis]})} nothing was compared; {known}")
        return {axis: place[axis] for axis in self.axes}

    def trials_of(self, name: str, at: At | None = None) -> list[Trial]:
        """The trials of a recipe at a place, as far as they are finished.

        Args:
            name: the recipe's name.
            at: a budget, or values by the names of their axes (see `place`).

        Returns:
            Its trials, one for each seed.

        Raises:
            ValueError: for a name or a place that was not compared.
        """
        if name not in self.recipes:
            known = ", ".join(map(repr, self.recipes))
            raise ValueError(f'"{name}" was not compared; there are {known}{meant(name, self.recipes)}')
        settings = {"recipe": name, **self.place(at)}
        return [trial for trial in self.trials if trial.settings == settings]

    def values(self, name: str, at: At | None = None) -> dict[int, float]:
        """The metric of a recipe at a place, by seed, as far as it is measured.

        Args:
            name: the recipe's name.
            at: a budget, or values by the names of their axes (see `place`).

        Returns:
            One value for each seed; a share is in 0..1.

        Raises:
            ValueError: for a name or a place that was not compared.
        """
        return {trial.seed: trial.value for trial in self.trials_of(name, at)}

    def mean(self, name: str, at: At | None = None) -> float:
        """The mean of the metric over the seeds.

        Args:
            name: the recipe's name.
            at: a budget, or values by the names of their axes (see `place`).

        Returns:
            The mean; of a share in 0..1.

        Raises:
            ValueError: if no seed is measured, or for a name or a place that was not compared.
        """
        values = self.values(name, at).values()
        if not values:
            raise ValueError(
                f'"{name}" is not measured yet with {in_words(self.place(at))}; press Continue in its monitor, '
                "or call .finish() on the comparison"
            )
        return sum(values) / len(values)

    def difference(self, first: str, second: str, at: At | None = None) -> Interval | None:
        """How much better one recipe is than another, paired by seed.

        Args:
            first: the name of the one.
            second: the name of the other.
            at: a budget, or values by the names of their axes (see `place`).

        Returns:
            First minus second for each seed that has both, in points where the metric is a share; second minus first
            where lower is better. None if no seed has both.

        Raises:
            ValueError: for a name or a place that was not compared.
        """
        ones, others = self.values(first, at), self.values(second, at)
        scale = -self.metric.scale if self.metric.lower_is_better else self.metric.scale
        differences = tuple((ones[seed] - others[seed]) * scale for seed in ones if seed in others)
        return Interval(differences) if differences else None

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
        """Test one sentence about a recipe, compared with exactly one other.

        Args:
            name: the recipe that the sentence is about.
            at: a budget, or values by the names of their axes (see `place`).
            better_than: another recipe. Holds if the whole 95 % interval of the paired difference is at least `by`
                points and excludes 0.
            level_with: another recipe. Holds if the whole interval lies within plus and minus `within` points.
            no_better_than: another recipe. Holds if the upper end of the interval is below `by` points.
            by: fixed before the run, in points; of a metric that is not a share in its own unit. 0 asks for a
                difference of any size. What rounding alone holds below it (by 0.00001 points) passes.
            within: in the unit of `by`.
            text: the sentence; one is made if it is empty.

        Returns:
            The claim. Its `holds` is None (undecided) at a place that was skipped, and with fewer than 5 seeds.

        Raises:
            ValueError: for a name or a place that was not compared, or unless exactly one other recipe is named.
        """
        others = {"better than": better_than, "level with": level_with, "no better than": no_better_than}
        tests = [(test, other) for test, other in others.items() if other is not None]
        if len(tests) != 1:
            raise ValueError("a claim needs exactly one of better_than=, level_with= and no_better_than=")
        test, other = tests[0]
        place = self.place(at)
        threshold, unit = (within if test == "level with" else by), "points" if self.metric.share else ""
        limit = f"{'within' if test == 'level with' else 'by'} {threshold:g} {unit}" if threshold else ""
        text = text or f"with {in_words(place)}, {name} is {test} {other} {limit}".strip()
        difference = self.difference(name, other, place)
        if skipped := {axis: value for axis, value in place.items() if value in self.skip[axis]}:
            difference, holds, reason = None, None, f"not measured at this scale: {in_words(skipped)}"
        else:
            holds, reason = decide(test, threshold, difference, unit)
        seeds = len(difference.values) if difference else 0
        return Claim(text, holds, reason, name, other, place, test, threshold, difference, seeds, unit)

    def __repr__(self) -> str:
        over = "".join(f"; {axis}: {', '.join(map(str, self.axes[axis]))}" for axis in self.axes if axis != "budget")
        return (
            f"Comparison of {', '.join(self.recipes)}: {len(self.trials)} of {len(self.setups)} trials, "
            f"{len(self.seeds)} seeds, {', '.join(map(str, self.budgets))} labels per class{over}"
        )


compare = Comparison  # a verb reads better where one is made: tl.compare(recipes, task)


def by_axis(at: At | None) -> dict[str, Any]:
    """A place as values by the names of their axes; a plain value is a budget."""
    return {**at} if isinstance(at, Mapping) else {} if at is None else {"budget": at}


def _metric(metric: str | Callable[[Any, Task], float]) -> tuple[Metric, Callable[[Any, Task], float] | None]:
    """The metric, and the function behind it where it is not computed from a report."""
    if callable(metric):
        return Metric(getattr(metric, "__name__", type(metric).__name__), None, share=False), metric
    if metric not in METRICS:
        known = f"use one of {', '.join(METRICS)}, or a function of (run, task){meant(metric, METRICS)}"
        raise ValueError(f"there is no metric {metric!r}; {known}")
    return METRICS[metric], None


def _values(axis: Any, values: Any) -> tuple[Any, ...]:
    """The values of an axis, numpy's numbers as Python's own."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{axis} has the value {values!r}, but takes several values; for one, write [{values!r}]")
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)


def _whole(budget: Any) -> int:
    """A number of labels as an int, also where it is written as 5.0."""
    if not isinstance(budget, int | float) or budget % 1 != 0:
        raise ValueError(f"the budget {budget!r} is not a number of labels per class; use whole numbers, or 'all'")
    return int(budget)


def _fingerprints(task: Task) -> dict[str, str]:
    return {name: part.fingerprint() for name, part in vars(task).items() if isinstance(part, Split)}


def _further(setup: Setup) -> dict[str, Any]:
    """Where a trial is on the further axes."""
    return {axis: value for axis, value in setup.settings.items() if axis not in ("recipe", "budget")}


def _key(one: Trial | Setup) -> str:
    """The same for a trial and its setup, in whatever order the settings are written."""
    return repr((sorted(one.settings.items()), one.seed))
