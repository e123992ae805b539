"""What the widgets that compare two recipes of a comparison share."""

from typing import Any

from tlkit.experiments import Comparison
from tlkit.widgets.base import Widget


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
