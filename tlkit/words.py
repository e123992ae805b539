"""Words that several sentences need: numbers with their nouns, shortened lists, the name that was probably meant."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "label"), counted(5, "label"), counted(2, "class")
    ('1 label', '5 labels', '2 classes')
    """
    plural = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def with_article(noun: str) -> str:
    """The noun after its article: "a Task", "an int"."""
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def budget_in_words(budget: int | str) -> str:
    """How many labels a budget is.

    >>> budget_in_words(0), budget_in_words(1), budget_in_words(5), budget_in_words("all")
    ('no label', '1 label per class', '5 labels per class', 'all labels')
    """
    some = counted(budget, "label") if isinstance(budget, int) else f"{budget} labels"
    return {0: "no label", "all": "all labels"}.get(budget) or f"{some} per class"


def in_words(at: Mapping[str, Any]) -> str:
    """A place on the axes of a comparison: "1 label per class, layer block3"."""
    return ", ".join(budget_in_words(value) if axis == "budget" else f"{axis} {value}" for axis, value in at.items())


def listed(names: Iterable[str], most: int = 10) -> str:
    """The first names, and how many more there are.

    >>> listed("abc", most=2)
    'a, b and 1 more'
    """
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def meant(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A question to end the sentence about an unknown name with, if a known one is similar; `otherwise` if none is.

    >>> meant("hed", ["head", "block1"]), meant("tail", ["head", "block1"])
    ("; did you mean 'head'?", '')
    """
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else otherwise
