"""How much a way of learning is worth at each label budget, or along another axis: one slider through both charts."""

from typing import Any

import traitlets as t

from tlkit.experiments import At, Comparison
from tlkit.views import explored, signed
from tlkit.widgets.base import Widget
from tlkit.words import in_words


def chosen_pair(
    widget: Widget, comparison: Comparison, first: str | None, second: str | None, guide: str | None = None
) -> tuple[int, int]:
    """Which recipes are compared at the start, as places among them; ValueError if a widget cannot compare two."""
    names, shows = list(comparison.recipes), f"a {type(widget).__name__}"
    if not comparison.trials:
        raise ValueError("nothing is measured yet; run the comparison first: comparison.finish()")
    for name in (first, second, guide):
        if name is not None and name not in names:
            raise ValueError(f'"{name}" was not compared; there are {", ".join(map(repr, names))}')
    if guide is not None and guide in (first, second):
        raise ValueError(
            f'"{guide}" is the guide of {shows}, so it is in no pair; compare two others, or leave guide= out'
        )
    rivals = [name for name in names if name != guide]
    if len(rivals) < 2:
        besides = f' besides the guide "{guide}"' if guide else ""
        raise ValueError(f"{shows} compares two recipes, but this comparison has one{besides}")
    if first is not None and first == second:
        raise ValueError(f'"{first}" cannot be compared with itself; name another recipe')
    one = first or next(name for name in rivals if name != second)
    other = second or next(name for name in rivals if name != one)
    return names.index(one), names.index(other)


def how_to_read(comparison: Comparison, view: dict[str, Any]) -> str:
    """What is needed to read the curves of a view: seeds, bands, a broken axis, the slider, a recorded result."""
    seeds = f"Mean of {len(comparison.seeds)} seeds; bands are 95 % intervals."
    marked = f" {comparison.recorded}." if comparison.recorded else ""
    begin = f" The axis is broken: it begins at {view['y']['bottom']} %." if view["y"]["bottom"] > 0 else ""
    return f"{seeds}{begin} Drag the {view['axis']} or use the arrow keys.{marked}"


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
