"""The exercises of lesson 00."""

from typing import Any

from tlkit.data.tasks import Task
from tlkit.evaluation import Report
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.words import with_article


@exercise("00.1")
def two_labels_of_each(answer: Any, task: Task) -> Judgement:
    """Two labels of each.

    where to look: The cell under *Inside the course* does it for one label of each class.
    the method: task.few_labels takes how many labels of each class are kept.
    the line: answer = task.few_labels(2)
    """
    labels = answer.train.one_label_each() if isinstance(answer, Task) else None
    if labels is None:
        return f"a Task with labels to learn from; this is {with_article(type(answer).__name__)}"
    counts = labels.bincount(minlength=len(task.classes))
    left = len(answer.unlabelled or ())
    kept = left > 0 and left + len(answer.train) == len(task.train)
    two = f"every class has two labels, {len(answer.train)} in all"
    others = f"two labels of each class; now there are {', '.join(map(str, counts.tolist()))}"
    return {
        (two, others): bool((counts == 2).all()),
        ("the other images are kept without a label", "the other images: few_labels keeps them as unlabelled"): kept,
    }


@exercise("00.2")
def the_digit_missed_most(answer: Any, report: Report) -> Judgement:
    """The digit missed most.

    where to look: Run tl.evaluate(network, five.test) in a cell of its own: it shows a table.
    which column: Recall, not precision. The lowest number in that column belongs to the digit.
    in code: report.recall is a tensor with one share a class; argmin() gives the place of the lowest.
    """
    if str(answer) not in report.classes:
        return f"one of the classes: {', '.join(report.classes)}"
    mine = report.recall[report.classes.index(str(answer))]
    lowest = bool(mine == report.recall.min())
    return {("no class has a lower recall", "the lowest recall: another class has a lower one"): lowest}
