"""A prediction before the result: drag one curve, lock it, and only then see the measurement."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import traitlets as t

from tlkit.experiments import Comparison
from tlkit.views import look, signed, value_interval
from tlkit.widgets.base import Widget
from tlkit.words import counted


class Prediction(Widget, script="prediction.js"):
    """Ask what accuracy a recipe will reach at each label budget, before its measurement is shown.

    Args:
        baseline: the measured curve to predict against, {labels per class: accuracy in 0..1}.
        question: what is asked, in bold beside the chart.
        text: what helps to answer it.
        name: the recipe whose curve is predicted.
        family: what gives its curve the course's colour and mark, as in `Recipe`.
        baseline_name: the recipe that was measured for the baseline.
        baseline_family: the family of that recipe.
        chart_title: what the vertical axis shows.
        classes: how many classes there are, for the line of chance.
        statements_question: what is asked above the statements.
        statements: the usual answers to choose from, none of them marked.

    Raises:
        ValueError: if the baseline is empty.

    The result is not sent to the browser before the learner commits: `reveal(comparison, name)` hands it over. Nothing
    is graded, and nothing waits.
    """

    needs_python = True
    label = t.Unicode().tag(sync=True)
    view = t.Dict().tag(sync=True)
    placed = t.List().tag(sync=True)
    choice = t.Int(-1).tag(sync=True)
    locked = t.Bool(False).tag(sync=True)
    ready = t.Bool(False).tag(sync=True)
    result = t.Dict().tag(sync=True)

    def __init__(
        self,
        baseline: Mapping[int, float],
        *,
        question: str,
        text: str = "",
        name: str = "pre-trained",
        family: str = "pre-trained",
        baseline_name: str = "from scratch",
        baseline_family: str = "from scratch",
        chart_title: str = "Accuracy on the test images",
        classes: int = 10,
        statements_question: str = "",
        statements: Sequence[str] = (),
    ):
        if not baseline:
            raise ValueError("a prediction needs a measured baseline: {1: 0.69, 50: 0.98}, from labels to accuracy")
        known = {"values": [100 * value for value in baseline.values()], "low": None, "high": None}
        super().__init__(
            placed=[None] * len(baseline),
            view={
                "title": "Predict first",
                "subtitle": "The result stays hidden until you commit; nothing is graded.",
                "question": question,
                "text": text,
                "chart_title": chart_title,
                "chance": 100 / classes,
                "budgets": list(baseline),
                "baseline": {"name": baseline_name, **look(baseline_family), **known},
                "target": {"name": name, **look(family), "open": family == baseline_family},  # never like the baseline
                "statements_question": statements_question,
                "statements": list(statements),
            },
        )
        self._measured: dict[str, Any] = {}
        self.observe(self._send_result, ["locked"])
        self.observe(self._name_itself, ["placed", "locked", "result"])
        self._name_itself()

    def reveal(self, comparison: Comparison, name: str, statement: str = "") -> Self:
        """Hand over the measurement; it shows once the learner commits.

        Args:
            comparison: where `name` was measured at the budgets of the baseline.
            name: the recipe that was predicted.
            statement: which of the statements the measurement bears out.

        Returns:
            The prediction itself, to be shown.

        Raises:
            ValueError: if the comparison has no recipe of that name.

        If the comparison has the baseline's recipe too, its mean and band take the place of the baseline, which stays
        as a thin line unless it is that mean itself: one seed is not compared with the mean of many.
        """
        seeds, known = counted(len(comparison.seeds), "seed"), self.view["baseline"]["name"]
        self._measured = self._curve(comparison, name) | {"statement": statement}
        self._measured["drawn"] = f"{name}: mean of {seeds}; {known}: as it was before."
        if known in comparison.recipes:
            first = self._first_look(comparison, known)
            self._measured |= {"baseline": self._curve(comparison, known), "first_look": first}
            self._measured["drawn"] = f"Lines are means of {seeds}{f'; thin: the {first}' if first else ''}."
        self.ready = True
        self._send_result()
        return self

    def _curve(self, comparison: Comparison, name: str) -> dict[str, Any]:
        """What a recipe reached at the budgets of the baseline."""
        found = [value_interval(comparison, name, budget) for budget in self.view["budgets"]]
        ends = {"values": "mean", "low": "low", "high": "high"}
        return {key: [cell and cell[end] for cell in found] for key, end in ends.items()}

    def _first_look(self, comparison: Comparison, name: str) -> str:
        """What the baseline is called beside the comparison's mean; "" where it is that mean itself."""
        looked, scale = self.view["baseline"]["values"], comparison.metric.scale
        found = [comparison.values(name, budget) for budget in self.view["budgets"]]
        for count in range(1, len(comparison.seeds) + 1):
            seeds = comparison.seeds[:count]
            means = [scale * sum(of[s] for s in seeds) / count if {*seeds} <= {*of} else math.nan for of in found]
            if all(math.isclose(*both, abs_tol=1e-6) for both in zip(looked, means, strict=True)):
                return f"first look, {counted(count, 'seed')}" if count < len(comparison.seeds) else ""
        return "first look"

    def _send_result(self, _: Any = None) -> None:
        shown = self.locked and self._measured
        self.result = self._measured | {"sentence": self._surprise()} if shown else {}

    def gaps(self) -> dict[int, float]:
        """Measured minus predicted, in points, at each budget that has both.

        Returns:
            {budget: points}; empty before `reveal`.
        """
        values = self._measured.get("values", [])
        return {
            budget: value - guess
            for budget, value, guess in zip(self.view["budgets"], values, self.placed, strict=False)
            if value is not None and guess is not None
        }

    def _surprise(self) -> str:
        gaps = self.gaps()
        if not gaps:
            return ""
        budget = max(gaps, key=lambda b: abs(gaps[b]))
        if abs(gaps[budget]) < 2:
            return "You were close everywhere. Which part of your reasoning would you trust for another task?"
        plural = "a single label" if budget == 1 else f"{budget} labels"
        more = "more" if gaps[budget] > 0 else "less"
        found = f"With {plural} per class it reached {more} than you expected."
        return f"{found} What could explain that? Write down one sentence before you read on."

    def _name_itself(self, _: Any = None) -> None:
        self.label = self.words()

    def words(self) -> str:
        """What was predicted and what was measured, in a sentence."""
        name, count = self.view["target"]["name"], sum(guess is not None for guess in self.placed)
        if not self.locked:
            return f"Prediction for {name}: none was made, {count} of {len(self.placed)} points placed"
        gaps = self.gaps()
        if not self.result or not gaps:
            return f"Prediction for {name}: locked"
        mean = sum(map(abs, gaps.values())) / len(gaps)
        worst = max(gaps, key=lambda b: abs(gaps[b]))
        return (
            f"Prediction for {name}: mean gap {mean:.1f} points, the largest {signed(gaps[worst])} "
            f"with {counted(worst, 'label')} per class. {self.result['drawn']}"
        )
