"""A comparison is a run of runs; a claim is a sentence about it that can fall."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tlkit.data.tasks import Task
from tlkit.evaluation import evaluate
from tlkit.training.run import Run, uninterrupted

ENOUGH_SEEDS = 5  # with fewer, no claim is decided
FAMILIES = ("pre-trained", "from scratch", "frozen features", "unlabelled target", "nothing learnt")


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "label"), counted(5, "label"), counted(2, "class")
    ('1 label', '5 labels', '2 classes')
    """
    plural = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else plural}"


@dataclass(frozen=True)
class Recipe:
    """A way to learn a task: `make(task, seed)` returns a Run not yet started, or a fitted object with `predict`.

    `family` is the way of using data, which gives it the course's colour and mark: "pre-trained", "from scratch",
    "frozen features", "unlabelled target" or "nothing learnt".
    """

    make: Callable[[Task, int], Any]
    family: str | None = None

    def __post_init__(self):
        if self.family not in (None, *FAMILIES):
            raise ValueError(f"family={self.family!r}; use one of {', '.join(map(repr, FAMILIES))}")

    def __call__(self, task: Task, seed: int) -> Any:
        return self.make(task, seed)


@dataclass(frozen=True)
class Trial:
    """One training and its test: which recipe, labels per class, seed; accuracy in 0..1 and how long it took."""

    recipe: str
    budget: int
    seed: int
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class Sample:
    """One value a seed, with the mean and its 95 % t-interval (None with fewer than 2): paired differences in points.

    >>> sample = Sample((10.0, 14.0, 12.0))
    >>> round(sample.mean, 2), round(sample.low, 2), round(sample.high, 2)
    (12.0, 7.03, 16.97)
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return sum(self.values) / len(self.values)

    @property
    def half_width(self) -> float | None:
        """Half the length of the 95 % interval: t(0.975, n - 1) s / sqrt(n)."""
        n = len(self.values)
        if n < 2:
            return None
        from scipy.special import stdtrit

        variance = sum((v - self.mean) ** 2 for v in self.values) / (n - 1)
        return float(stdtrit(n - 1, 0.975)) * math.sqrt(variance / n)

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def wins(self) -> int:
        """How many values are above zero."""
        return sum(v > 0 for v in self.values)

    @property
    def separated(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, repr=False)
class Claim:
    """A sentence, and whether the measurements bear it: `holds` is True, False, or None when it is undecided."""

    text: str
    holds: bool | None
    reason: str
    first: str
    second: str
    budget: int
    test: str
    threshold: float
    difference: Sample | None
    seeds: int

    @property
    def wrong_winner(self) -> float | None:
        """The share of seeds that alone would have named the other recipe the winner; None if nothing is measured."""
        if self.difference is None:
            return None
        values = self.difference.values
        return sum((v < 0) if self.difference.mean > 0 else (v > 0) for v in values) / len(values)

    def __repr__(self) -> str:
        return f"{ {True: 'Holds', False: 'Does not hold', None: 'Undecided'}[self.holds] }: {self.text}"


class Comparison:
    """Several recipes on the same few-label tasks, over seeds and label budgets: iterated like a Run.

    Each `next` is one step of the present trial; a finished trial is appended to `trials`. All recipes of one seed
    and one budget get the very same task. A stopped comparison keeps what it has, and goes on when iterated again.
    """

    def __init__(
        self,
        recipes: Mapping[str, Recipe | Callable[[Task, int], Any]],
        task: Task,
        seeds: Iterable[int],
        budgets: Iterable[int],
        skip: Iterable[int],
    ):
        self.recipes = {name: r if isinstance(r, Recipe) else Recipe(r) for name, r in recipes.items()}
        self.task, self.seeds, self.skip = task, tuple(seeds), tuple(skip)
        self.budgets = tuple(b for b in budgets if b not in self.skip)
        if not self.recipes or not self.seeds or not self.budgets:
            raise ValueError("a comparison needs at least one recipe, one seed and one budget that is not skipped")
        for budget in self.budgets:
            task.few_labels(budget, self.seeds[0])
        self.trials: list[Trial] = []
        self.plan = [(s, b, name) for s in self.seeds for b in self.budgets for name in self.recipes]
        self.run: Run | None = None
        self._seconds = 0.0
        self._stopped = False
        self._few: tuple[tuple[int, int] | None, Task] = (None, task)

    @property
    def finished(self) -> bool:
        """Whether every trial was made."""
        return len(self.trials) == len(self.plan)

    @property
    def seconds(self) -> float:
        """How long the trials took so far, the present one included."""
        return sum(trial.seconds for trial in self.trials) + (self._seconds if self.run else 0.0)

    @property
    def present(self) -> tuple[int, int, str] | None:
        """Seed, budget and recipe of the present trial; None when finished."""
        return None if self.finished else self.plan[len(self.trials)]

    def __iter__(self) -> Iterator[Trial | Any]:
        self._stopped = False
        return self

    def __next__(self) -> Any:
        if self._stopped or self.present is None:
            raise StopIteration
        seed, budget, name = self.present
        started = time.perf_counter()
        if self.run is None:
            made = self.recipes[name](self._task(seed, budget), seed)
            if not isinstance(made, Run):
                return self._record(made, started)
            self.run, self._seconds = made, 0.0
        try:
            step = next(iter(self.run), None)  # a run that was stopped is not a finished trial
        except FloatingPointError as error:
            self.run = None  # the trial begins anew when the comparison is iterated again
            raise FloatingPointError(f"{name}, {counted(budget, 'label')} per class, seed {seed}: {error}") from error
        self._seconds += time.perf_counter() - started
        return step if step is not None else self._record(self.run, time.perf_counter() - self._seconds)

    def _task(self, seed: int, budget: int) -> Task:
        if self._few[0] != (seed, budget):
            self._few = ((seed, budget), self.task.few_labels(budget, seed))
        return self._few[1]

    def _record(self, predictor: Any, started: float) -> Trial:
        seed, budget, name = self.plan[len(self.trials)]
        accuracy = evaluate(predictor, self._task(seed, budget).test).accuracy
        trial = Trial(name, budget, seed, accuracy, time.perf_counter() - started)
        with uninterrupted():  # an interrupt before this repeats the test, one after it finds the record
            self.trials.append(trial)
            self.run = None
        return trial

    def finish(self) -> Comparison:
        """Make every trial that is left."""
        for _ in self:
            pass
        return self

    def stop(self) -> None:
        """End whatever loop is iterating the comparison; what is measured stays."""
        self._stopped = True

    def with_seeds(self, seeds: Iterable[int]) -> Comparison:
        """What these seeds alone have measured: a comparison with their trials."""
        part = Comparison(self.recipes, self.task, seeds, self.budgets, self.skip)
        part.trials = [trial for trial in self.trials if trial.seed in part.seeds]
        return part

    def accuracy(self, name: str, at: int) -> dict[int, float]:
        """The accuracy of a recipe at a budget, by seed, as far as measured."""
        self._require(name, at)
        return {t.seed: t.accuracy for t in self.trials if t.recipe == name and t.budget == at}

    def mean(self, name: str, at: int) -> float:
        """The mean accuracy of a recipe at a budget over the seeds, in 0..1. Raises ValueError if none is measured."""
        values = self.accuracy(name, at).values()
        if not values:
            raise ValueError(
                f'"{name}" is not measured yet with {counted(at, "label")} per class; press Continue in its monitor, '
                "or call .finish() on the comparison"
            )
        return sum(values) / len(values)

    def difference(self, first: str, second: str, at: int) -> Sample | None:
        """First minus second, paired by seed, in points; None if no seed has both."""
        mine, others = self.accuracy(first, at), self.accuracy(second, at)
        values = tuple((mine[s] - others[s]) * 100 for s in mine if s in others)
        return Sample(values) if values else None

    def claim(
        self,
        name: str,
        *,
        at: int,
        better_than: str | None = None,
        level_with: str | None = None,
        no_better_than: str | None = None,
        by: float = 0.0,
        within: float = 2.0,
        text: str = "",
    ) -> Claim:
        """Test one sentence about `name` with `at` labels per class, against exactly one other recipe.

        - `better_than`: the mean paired difference is at least `by` points and its 95 % interval excludes 0.
        - `level_with`: the whole interval lies within plus and minus `within` points.
        - `no_better_than`: the upper end of the interval is below `by` points.

        `holds` is None (undecided) for a budget that was skipped and with fewer than 5 seeds. `by` is to be fixed
        before the run. Raises ValueError for a name or a budget that was not compared.
        """
        tests = {"better than": better_than, "level with": level_with, "no better than": no_better_than}
        asked = [(test, other) for test, other in tests.items() if other is not None]
        if len(asked) != 1:
            raise ValueError("a claim needs exactly one of better_than=, level_with= and no_better_than=")
        test, other = asked[0]
        threshold = within if test == "level with" else by
        labels = counted(at, "label")
        tail = f" within {within:g} points" if test == "level with" else f" by {by:g} points" if by else ""
        text = text or f"with {labels} per class, {name} is {test} {other}{tail}"
        self._require(name, at)
        self._require(other, at)
        found = None if at in self.skip else self.difference(name, other, at)
        seeds = len(found.values) if found else 0
        if at in self.skip:
            holds, reason = None, f"{labels} per class are not measured at this scale"
        elif seeds < ENOUGH_SEEDS or found is None or found.low is None or found.high is None:
            holds, reason = None, f"{counted(seeds, 'seed')} measured: {ENOUGH_SEEDS} are needed"
        elif test == "better than":
            holds = found.mean >= by and found.low > 0
            reason = "" if holds else "zero is inside" if found.low <= 0 <= found.high else "the other way round"
            reason = f"smaller than {by:g} points" if not holds and found.low > 0 else reason
        elif test == "level with":
            holds = -within <= found.low and found.high <= within
            reason = "" if holds else f"the interval reaches beyond {within:g} points"
        else:
            holds = found.high < by
            reason = "" if holds else f"the interval reaches {by:g} points"
        return Claim(text, holds, reason, name, other, at, test, threshold, found, seeds)

    def _require(self, name: str, at: int) -> None:
        if name not in self.recipes:
            near = get_close_matches(name, self.recipes, 1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise ValueError(f'"{name}" was not compared; there are {", ".join(map(repr, self.recipes))}{hint}')
        if at not in self.budgets + self.skip:
            known = ", ".join(map(str, sorted(self.budgets + self.skip)))
            raise ValueError(f"{at} labels per class were not compared; there are {known}")

    def __repr__(self) -> str:
        return (
            f"Comparison of {', '.join(self.recipes)}: {len(self.trials)} of {len(self.plan)} trials, "
            f"{len(self.seeds)} seeds, {', '.join(map(str, self.budgets))} labels per class"
        )


def compare(
    recipes: Mapping[str, Recipe | Callable[[Task, int], Any]],
    task: Task,
    seeds: Iterable[int] = range(5),
    budgets: Iterable[int] = (1, 5, 50),
    skip: Iterable[int] = (),
) -> Comparison:
    """Compare recipes by name on `task`, with each of `budgets` labels per class and each of `seeds`.

    A recipe is `recipe(task, seed)`; see `Recipe`. `skip` names budgets that this scale does not measure: claims at
    them are undecided. Nothing is trained before the comparison is iterated, finished or given to a Monitor.
    """
    return Comparison(recipes, task, seeds, budgets, skip)
