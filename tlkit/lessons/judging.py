"""The end of a lesson: what its measurements say of the statements that one could choose from at its beginning."""

from tlkit.intervals import Interval
from tlkit.widgets.prediction import Prediction

Finding = bool | None | tuple[Interval | None, float, float]
SIGNS = {True: "✓", False: "✕", None: "○"}


def judge(prediction: Prediction, *findings: Finding) -> None:
    """Print each statement of a prediction with what was measured: ✓ borne out, ✕ refuted, ○ not told apart.

    Args:
        prediction: its statements are judged, and its own sentence is printed below them.
        *findings: one for each statement, in their order: True, False, None where nothing tells, or a difference with
            the limits between which it lies if the statement is true, as in (comparison.difference("probe", "from
            scratch", 50), -2, 2). It is borne out if the whole 95 % interval lies there, and refuted if none of it
            does.

    Raises:
        ValueError: if there are more or fewer findings than statements.
    """
    statements = prediction.view["statements"]
    if len(findings) != len(statements):
        raise ValueError(f"there are {len(statements)} statements to judge, but {len(findings)} findings")
    for number, (statement, finding) in enumerate(zip(statements, findings, strict=True)):
        if isinstance(finding, tuple):
            difference, low, high = finding
            finding = None if difference is None else difference.lies_between(low, high)
        chosen = "  (your choice)" if prediction.locked and number == prediction.choice else ""
        print(f"{SIGNS[finding]} {statement}{chosen}")
    print(prediction)
