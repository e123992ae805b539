"""How much a way of learning is worth at each label budget, or along another axis: one slider through both charts."""

from typing import Any

import traitlets as t

from tlkit.experiments import At, Comparison
from tlkit.views import explored, signed
from tlkit.widgets.base import Widget
from tlkit.widgets.pairs import chosen_pair, how_to_read
from tlkit.words import in_words


class BudgetExplorer(Widget, script="budget_explorer.js"):
    """Explore a comparison as far as it is measured; no kernel is needed afterwards.

    Args:
        comparison: what to explore; the slider goes along `comparison.axis`, or along the axis that `at` leaves open.
        title: the question; by default what it is worth at each place of the axis.
        first: the recipe compared at the start; None is the first.
        second: the one it is compared with; None is the second, or the first if `first` is the second.
        at: where the comparison is looked at on its other axes, such as {"budget": 5}.

    Raises:
        ValueError: if nothing is measured yet, if there is one recipe only, for a recipe that was not compared, or if
            another axis is left open.
    """

    view = t.Dict().tag(sync=True)
    budget = t.Int(0).tag(sync=True)
    first = t.Int(0).tag(sync=True)
    second = t.Int(1).tag(sync=True)

    def __init__(
        self,
        comparison: Comparison,
        *,
        title: str = "",
        first: str | None = None,
        second: str | None = None,
        at: At | None = None,
    ):
        one, other = chosen_pair(self, comparison, first, second)
        view: dict[str, Any] = explored(comparison, at)
        view |= {
            "title": title or f"How much is it worth at each {view['axis']}?",
            "subtitle": how_to_read(comparison, view),
        }
        measured = [place for place, found in enumerate(view["pairs"].get(f"{one}-{other}", [])) if found]
        super().__init__(view=view, first=one, second=other, budget=measured[0] if measured else 0)

    def words(self) -> str:
        """Tell the difference at the chosen budget, in a sentence."""
        first, second = (self.view["recipes"][i]["name"] for i in (self.first, self.second))
        found = self.view["pairs"].get(f"{self.first}-{self.second}", [None] * len(self.view["values"]))[self.budget]
        unit, place = self.view["unit"], in_words({self.view["axis"]: self.view["values"][self.budget]})
        words = f"{signed(found['mean'], 1 if unit else 3)} {unit}".rstrip() if found else "not measured"
        first, second = (second, first) if self.view["lower"] else (first, second)
        return f"{first} minus {second} with {place}: {words}"
