"""How much shift each method can bear: images at every strength over the curves of a comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from tlkit.experiments import At, Comparison, by_axis
from tlkit.views import axis_along, explored, signed, value_axis, zoomed
from tlkit.widgets.base import Widget, required_number
from tlkit.widgets.frames import Row, drawn_rows
from tlkit.widgets.pairs import chosen_pair, how_to_read
from tlkit.words import in_words


class ShiftExplorer(Widget, script="shift_explorer.js"):
    """Move one slider along an axis of a comparison: images there, all curves, the difference of a pair, a table.

    Args:
        comparison: what to explore, as far as it is measured.
        rows: of images (`Frames.Row`), the same everywhere or one set for each place of the slider; with a `choice`
            perhaps others for each of its values: {value: rows}.
        choice: an axis of the comparison whose values are chosen by buttons, such as "shift".
        guide: a recipe that is no rival, such as one with the target's labels: its line is dotted, and no pair has it.
        title: the question.
        subtitle: what else is needed to read it; the seeds and what a band is stand behind it.
        first: the recipe compared at the start; None is the first.
        second: the one it is compared with; None is the second, or the first if `first` is the second.
        at: where the comparison is looked at on its other axes, such as {"budget": 5}.

    Raises:
        ValueError: if nothing is measured yet, if there are no two recipes besides the guide, for a recipe that was
            not compared, an axis that is not there or left open, or rows that do not fit the places or the choice.

    The slider goes along the axis that `choice` and `at` leave open. `widget.place` (counted from 0) and, of several
    choices, `widget.shown` are where the learner is, and can be set. No kernel is needed afterwards.
    """

    view = t.Dict().tag(sync=True)
    images = t.Bytes().tag(sync=True)
    place = t.Int(0).tag(sync=True)
    shown = t.Unicode().tag(sync=True)
    first = t.Int(0).tag(sync=True)
    second = t.Int(1).tag(sync=True)

    def __init__(
        self,
        comparison: Comparison,
        *,
        rows: Sequence[Row] | Mapping[Any, Sequence[Row]] = (),
        choice: str | None = None,
        guide: str | None = None,
        title: str = "How much shift can each method bear?",
        subtitle: str = "",
        first: str | None = None,
        second: str | None = None,
        at: At | None = None,
    ):
        one, other = chosen_pair(self, comparison, first, second, guide)
        looks = {str(value): explored(comparison, place) for value, place in _choices(comparison, choice, at)}
        rows = {str(v): part for v, part in rows.items()} if isinstance(rows, Mapping) else dict.fromkeys(looks, rows)
        if rows.keys() != looks.keys():
            offered = f"{choice} is {', '.join(looks)}" if choice else "there is no choice="
            raise ValueError(f"rows are given for {', '.join(rows)}, but {offered}; give rows for each, or one list")
        recipes = [recipe for look in looks.values() for recipe in look["recipes"]]
        for recipe in recipes:
            if recipe["name"] == guide:
                recipe |= {"guide": True, "token": "ink2", "crowd": False}
        start = next(iter(looks))
        count = len(looks[start]["values"])
        drawn, pixels = drawn_rows(rows, count)
        places = dict(drawn["choices"])
        own = {value: {part: look.pop(part) for part in ("recipes", "pairs")} for value, look in looks.items()}
        view = looks[start] | {
            "title": title,
            "y": zoomed(value_axis(comparison), recipes),
            "choice": choice or "",
            "choices": [[value, own[value] | {"rows": places[value]}] for value in looks],
            "rows": drawn["rows"],
        }
        view["subtitle"] = f"{subtitle} {how_to_read(comparison, view)}".strip()
        super().__init__(view=view, images=pixels, first=one, second=other, place=count // 2, shown=start)

    @t.validate("place")
    def _is_a_place(self, proposal: Any) -> int:
        return required_number("place", proposal["value"], len(self.view["values"]))

    @t.validate("shown")
    def _is_a_choice(self, proposal: Any) -> str:
        names = [name for name, _ in self.view["choices"]]
        if proposal["value"] not in names:
            raise ValueError(f'there is no choice "{proposal["value"]}"; there are {", ".join(map(repr, names))}')
        return proposal["value"]

    def words(self) -> str:
        """Tell the chosen pair's values at the present place, and their difference with its interval."""
        view = self.view | dict(self.view["choices"])[self.shown]
        found = view["pairs"].get(f"{self.first}-{self.second}", [None] * len(view["values"]))[self.place]
        of_value, unit = view["y"]["unit"], view["unit"]
        where = in_words({view["axis"]: view["values"][self.place]})
        words = []
        for recipe in (view["recipes"][chosen] for chosen in (self.first, self.second)):
            mean = recipe["mean"][self.place]
            value = "not measured" if mean is None else f"{mean:.{1 if of_value else 3}f} {of_value}".rstrip()
            words.append(f"{recipe['name']} {value}")
        if found:
            mean, low, high = (signed(found[end], 1 if unit else 3) for end in ("mean", "low", "high"))
            certain = f"95 % interval {low} to {high}" if len(found["values"]) > 1 else "one seed gives no interval"
            words += [f"{mean} {unit}".rstrip(), certain]
        return (f"{self.shown}, " if self.shown else "") + f"{where}: {', '.join(words)}"


def _choices(comparison: Comparison, choice: str | None, at: At | None) -> Sequence[tuple[Any, At | None]]:
    """Each value that can be chosen, and where the comparison is then looked at; one without a name if none can."""
    if choice is None:
        return [("", at)]
    places = [(value, {**by_axis(at), choice: value}) for value in comparison.measured.get(choice, (None,))]
    if axis_along(comparison, places[0][1]) == choice:
        raise ValueError(f"choice={choice!r} leaves no axis for the slider; compare over another one, or leave it out")
    return places
