"""Break this claim: the same sentence tested again with another source, another budget, other seeds."""

import time
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from tlkit.experiments import At, Comparison
from tlkit.intervals import Claim
from tlkit.lessons.claims import WORDS
from tlkit.lessons.page import on_page
from tlkit.training.driving import in_slices
from tlkit.training.run import Run
from tlkit.views import signed_ends
from tlkit.widgets.base import in_kernel_loop, start
from tlkit.words import budget_in_words, counted

Source = Callable[[], tuple[Run, Any]]  # the run that trains it, and the recipe, or both by name


def break_claim(
    comparison: Comparison,
    name: str,
    *,
    better_than: str,
    at: At,
    by: float = 0.0,
    sources: Mapping[str, Source] | None = None,
) -> Any:
    """Controls to test a claim again: with another source, another budget, fewer seeds.

    Args:
        comparison: what the claim was tested on.
        name: the recipe that is claimed to be better.
        better_than: the recipe that it is compared with.
        at: the number of labels per class, or the place on the comparison's axes, as in `Comparison.claim`.
        by: points that the claim asks for at least (in the metric's own unit if that is not accuracy).
        sources: other source tasks by name. Each is a function that returns a run that trains a network on it, and
            the recipe that then takes the place of `name`, or {name: recipe} where both change. By default there are
            none, and only budget and seeds can be changed.

    Returns:
        An ipywidgets box of selects and a button. Each try becomes a row of its table; the first is the lesson's own.

    Raises:
        ValueError: if the claim itself cannot be tested, such as for a recipe or budget that was not compared.

    The lesson's own source uses the trials that `comparison` has. Another source is trained a few steps at a time,
    while the kernel stays awake.
    """
    import ipywidgets as w

    sources, place = dict(sources or {}), comparison.place(at)
    measured = "as measured in this lesson"
    source = w.Dropdown(options=[measured, *sources])
    budget = w.Dropdown(options=tuple(dict.fromkeys([*comparison.budgets, place["budget"]])), value=place["budget"])
    seeds = w.Dropdown(options=range(1, len(comparison.seeds) + 1), value=len(comparison.seeds))
    button = w.Button(description="Test again", icon="play").add_class("tl-main-button")
    status, table = w.HTML(), w.HTML()
    tries: list[tuple[str, Claim]] = []
    trained: dict[str, dict[str, Any]] = {}
    made: dict[tuple[str, Any], Comparison] = {}

    def show(label: str, found: Claim) -> None:
        tries.append((label, found))
        table.value = on_page(_rows(tries))
        status.value = on_page(
            f"<p class='tl-second'><b>Tested {counted(len(tries), 'time')}.</b> "
            "The more one tries, the sooner one holds by luck; the claim above was fixed before.</p>"
        )

    async def test() -> None:
        chosen, labels = str(source.value), place["budget"] if budget.value is None else budget.value
        first = comparison.seeds[: seeds.value]
        try:
            tested = comparison
            if chosen != measured:
                if chosen not in trained:
                    run, recipe = sources[chosen]()
                    await _trained(run, f"{chosen}: training the source", status)
                    made_anew = recipe if isinstance(recipe, Mapping) else {name: recipe}
                    trained[chosen] = {better_than: comparison.recipes[better_than], **made_anew}
                if (chosen, labels) not in made:
                    made[chosen, labels] = comparison.anew(trained[chosen], comparison.seeds, (labels,))
                tested = made[chosen, labels]
                await _trained(tested, f"{chosen}: comparing", status)
            found = tested.with_seeds(first).claim(name, better_than=better_than, at=place | {"budget": labels}, by=by)
            show(f"{chosen}, {budget_in_words(labels)}, {counted(len(first), 'seed')}", found)
        except Exception as error:  # a task has nobody to raise to: the page says it
            status.value = on_page(f"<p>⚠ {escape(f'{type(error).__name__}: {error}')} Nothing else was changed.</p>")
        finally:
            button.disabled = False

    def begin(_: Any) -> None:
        if not button.disabled:  # a second click asks for what is under way
            button.disabled = True
            start(test())

    button.on_click(in_kernel_loop(begin))
    show(
        f"{measured}, {budget_in_words(place['budget'])}", comparison.claim(name, better_than=better_than, at=at, by=by)
    )
    named = {"Source": source, "Labels per class": budget, "Seeds": seeds}
    for select in named.values():
        select.layout.width = "auto"
    labelled = [w.VBox([w.Label(words), select]) for words, select in named.items()]
    controls = w.HBox(
        [*labelled, button], layout=w.Layout(flex_flow="row wrap", align_items="flex-end", grid_gap="8px")
    )
    return w.VBox([controls, table, status]).add_class("tl")


async def _trained(what: Run | Comparison, words: str, status: Any) -> None:
    """Iterate a run or a comparison and show how far it is; where nothing is to be trained, it may be ()."""
    number, shown = 0, 0.0
    async for taken in in_slices(iter(what)):
        number += taken
        if time.perf_counter() - shown > 0.1:
            status.value, shown = f"<p>● {escape(words)}, step {number}</p>", time.perf_counter()


def _rows(tries: list[tuple[str, Claim]]) -> str:
    """The tries as a table: bar, word, what was chosen, why, dot and interval on one axis, numbers."""
    intervals = [found.difference for _, found in tries if found.difference]
    ends = [end for one in intervals for end in (one.mean, one.low, one.high) if end is not None]
    least, most, room = (-10, 20, 2) if tries[0][1].unit else (0, 1e-9, 0)
    low, high = min([least, *ends]) - room, max([most, *ends]) + room
    rows = []
    for label, found in tries:
        word, kind = WORDS[found.holds]
        interval = found.difference
        why = f": {found.reason}" if found.reason else ""
        numbers = "not tested"
        if interval:
            mean, *reach = signed_ends(interval, found.unit)
            numbers = f"<b>{mean}</b>" + ("" if None in reach else f" {reach[0]} to {reach[1]}")
        text = f"<b>{word}.</b> {escape(label)}{escape(why)}"
        rows.append(
            f"<tr><td><div class='tl-claim {kind}'>{text}</div></td><td>{_interval(interval, low, high)}</td>"
            f"<td class='tl-numbers'>{numbers}</td></tr>"
        )
    return f"<table class='tl-tries'>{''.join(rows)}</table>"


def _interval(interval: Any, low: float, high: float) -> str:
    width = 150

    def x(value: float) -> float:
        return round(4 + (value - low) / (high - low) * (width - 8), 1)

    marks = f"<line x1='{x(0)}' x2='{x(0)}' y1='0' y2='20' stroke='var(--tl-ink)'/>"
    if interval is not None:
        if interval.low is not None:
            ends = f"x1='{x(interval.low)}' x2='{x(interval.high)}'"
            marks += f"<line {ends} y1='10' y2='10' stroke='var(--tl-ink)' stroke-width='2'/>"
        fill = "var(--tl-ink)" if interval.separated else "var(--tl-ground)"
        marks += f"<circle cx='{x(interval.mean)}' cy='10' r='4' fill='{fill}' stroke='var(--tl-ink)'/>"
    return f"<svg width='{width}' height='20' aria-hidden='true'>{marks}</svg>"
