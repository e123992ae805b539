"""Begin a lesson: `python tools/new_lesson.py 32_choosing "Choosing a model" "Which of these should I start from?"`.

It writes `notebooks/32_choosing.ipynb`, a short lesson that runs and measures, and the judge of its exercise. Replace
one cell after the other by your own; `docs/lessons.md` says what each is for.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import notebooks

JUDGES = Path(__file__).parent.parent / "tlkit" / "lessons" / "judges"
NAME = re.compile(r"\d\d(_[a-z][a-z0-9]*)+")
MINUTES = 25

# A cell begins with its id, then its type and tags. What a checked cell prints stands below it, after ">>> ".
TEMPLATE = r"""
%% question markdown
# QUESTION

<!-- The question alone is the title. Below: why one asks it, what the learner can do afterwards, how long it takes. -->

Ten handwritten digits, one of each class, are all the labels there are. A network that has learnt to read print starts with something. How much is that worth?

**You will be able to** start a network from another one's weights, and say with an interval whether that helped.

About MINUTES minutes, one of them training. Nothing is downloaded. Lesson 01 comes before this one.

%% imports code
import tlkit as tl

task = tl.data.digits()
source = tl.data.glyphs(count=tl.lessons.at_scale(quick=4_000, standard=16_000), seed=0)
print(tl.hardware())

%% predict markdown
## Predict

<!-- Ask before you show. The usual wrong answers are real choices; the end of the lesson measures them. -->

First, what does the target task alone give? One seed, from random weights.

%% from-scratch code
steps = tl.lessons.at_scale(quick=60, standard=150)
budgets, skip = (1, 5), tl.lessons.at_scale(quick=(5,), standard=())


def train_on(network, task, seed):
    objective = tl.objectives.CrossEntropy(augment=tl.data.weak)
    options = {"steps": steps, "schedule": "one-cycle", "seed": seed, "fast": True}
    return tl.Run(network, objective, task, **options)


def from_scratch(task, seed):
    return train_on(tl.models.SmallCNN(seed=seed), task, seed)


scratch = {"from scratch": tl.Recipe(from_scratch, family="from scratch")}
first_look = tl.compare(scratch, task, seeds=[0], budgets=budgets, skip=skip)
first_look = await tl.widgets.Monitor(first_look, title="From scratch, one seed").train()

%% prediction code
prediction = tl.widgets.Prediction(
    {budget: first_look.mean("from scratch", budget) for budget in first_look.budgets},
    question="Where will the pre-trained network land?",
    name="head kept",
    statements_question="And with 1 label per class?",
    statements=["Print already gives most of it.", "Print is another task: no difference."],
)
prediction

%% see markdown
## See the data

Left the source, where labels cost nothing; right the target. The framed images are all that is labelled.

%% see-data code
tl.widgets.SideBySide(source, task.few_labels(1))

%% train markdown
## Build and train

<!-- The formula, and beside it the lines that are the formula. `tl.show_source` shows the package's own. -->

$$\theta_S, \phi_S = \arg\min_{\theta, \phi}\; \frac{1}{N} \sum_{i=1}^{N} \ell\big(y_i,\, h_\phi(f_\theta(x_i))\big)$$

%% pretrain code
network = tl.models.SmallCNN(seed=0)
run = tl.Run(
    network,
    tl.objectives.CrossEntropy(),
    source,
    steps=tl.lessons.at_scale(quick=150, standard=400),
    batch_size=128,
    schedule="one-cycle",
    fast=True,
)
run = await tl.widgets.Monitor(run, title="Learning to read print").train()

%% measure markdown
## Explore

<!-- Several seeds, always: one run says nothing. The slider explores what was measured here. -->

Now both ways to start, with the same labels, over several seeds.

%% compare code
def head_kept(task, seed):
    return train_on(network.copy(), task, seed)


recipes = scratch | {"head kept": tl.Recipe(head_kept, family="pre-trained")}
seeds = range(tl.lessons.at_scale(quick=5, standard=8))
comparison = tl.compare(recipes, task, seeds=seeds, budgets=budgets, skip=skip)
comparison = await tl.widgets.Monitor(comparison, title="Two ways to start").train()
prediction.reveal(comparison, "head kept")

%% explorer code
tl.widgets.BudgetExplorer(comparison, first="head kept", second="from scratch")

%% claim markdown
## Claim

<!-- Fix `by` before the run. The cell is checked: `python tools/notebooks.py --refresh` stores what it prints. -->

%% claim-transfer-wins code nbval-check-output
text = "with 1 label per class, starting from print beats training from scratch"
tl.lessons.claim(comparison, "head kept", better_than="from scratch", at=1, by=5, text=text)
>>> Holds: with 1 label per class, starting from print beats training from scratch

%% break markdown
### Break this claim

%% break-claim code
tl.lessons.break_claim(comparison, "head kept", better_than="from scratch", at=1, by=5)

%% your-turn markdown
## Your turn

**Exercise 1.** With how many of the seeds was the pre-trained start ahead, with 1 label per class? The answer is a whole number: ask `comparison`, do not count.

%% exercise-1 code solution
# solution
answer = comparison.difference("head kept", "from scratch", at=1).wins
# end of solution
tl.lessons.check("NUMBER.1", answer, comparison)

%% end markdown
## What you know now

%% statements code
print(prediction)

%% summary markdown
<!-- What can go wrong; papers to read, with what to look for; the lesson in three sentences. -->

**In three sentences.** Pre-training gives a network a start that random weights do not have. Whether it helps is a difference over several seeds, with its interval. The claim above says by how much it must.

Read next: `tlkit/training/run.py`, the loop.
"""  # noqa: E501 (a paragraph is one line, as an editor of notebooks writes it)

JUDGE = '''"""The exercises of lesson NUMBER."""

from typing import Any

from tlkit.experiments import Comparison
from tlkit.lessons.exercises import Judgement, exercise


@exercise("NUMBER.1")
def seeds_ahead(answer: Any, comparison: Comparison) -> Judgement:
    """Seeds ahead.

    where to look: A difference of two recipes holds one number for each seed. How many are above zero?
    the method: comparison.difference(first, second, at=1) has a mean, its interval and its wins.
    the line: answer = comparison.difference("head kept", "from scratch", at=1).wins
    """
    found = comparison.difference("head kept", "from scratch", at=1)
    if found is None:
        return "a comparison that is finished: comparison.finish()"
    return {("so many seeds were ahead", "the number of seeds with a gain: this is another one"): answer == found.wins}
'''


def cells(filled: str) -> Iterator[NotebookNode]:
    """The cells of a template, in order, with what checked cells print."""
    for text in filled.split("\n%% ")[1:]:
        head, _, body = text.partition("\n")
        name, kind, *tags = head.split()
        source, *printed = body.strip().split("\n>>> ")
        if kind == "markdown":
            yield new_markdown_cell(source, id=name)
            continue
        shown = [new_output("display_data", {"text/plain": line}) for line in printed]
        yield new_code_cell(source, id=name, metadata={"tags": tags} if tags else {}, outputs=shown)


def new_lesson(name: str, title: str, question: str = "") -> list[Path]:
    """Write the notebook of a lesson and the judge of its exercise; where that cannot be, ValueError and no file."""
    title, question = " ".join(title.split()), " ".join(question.split())
    if not NAME.fullmatch(name):
        raise ValueError(f'"{name}" is not a name of a lesson; two digits and words in small letters are: 32_choosing')
    if not title:
        raise ValueError("a lesson needs a title, a few words that the list of lessons shows")
    number = name[:2]
    notebook, judge = notebooks.LESSONS / f"{name}.ipynb", JUDGES / f"lesson_{number}.py"
    if taken := [path.name for path in (*sorted(notebook.parent.glob(f"{number}*.ipynb")), judge) if path.exists()]:
        raise ValueError(f"the number {number} is taken by {', '.join(taken)}; nothing was written, choose another one")
    question = question or f"{title}: what difference does it make?"
    words = {"QUESTION": question, "NUMBER": number, "MINUTES": str(MINUTES)}
    made = new_notebook(cells=[*cells(TEMPLATE)])
    for cell in made.cells:
        cell.source = re.sub("|".join(words), lambda found: words[found[0]], cell.source)
    about = {"title": title, "question": question, "minutes": MINUTES, "transfer": "supervised"}
    made.metadata = nbformat.from_dict({"tlkit": about})
    with judge.open("x", encoding="utf-8", newline="\n") as file:
        file.write(JUDGE.replace("NUMBER", number))
    with notebook.open("x", encoding="utf-8", newline="\n") as file:
        file.write(nbformat.writes(notebooks.clean(made)) + "\n")
    return [notebook, judge]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a lesson and say what comes next; 2 if it cannot be made."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0] + ".")
    parser.add_argument("name", help="the file's name without its ending: two digits and words, such as 32_choosing")
    parser.add_argument("title", help='a few words, such as "Choosing a model"')
    parser.add_argument("question", nargs="?", default="", help="the one question that the lesson answers")
    options = parser.parse_args(arguments)
    try:
        paths = new_lesson(options.name, options.title, options.question)
    except (ValueError, OSError) as error:
        print(f"new_lesson: {error}", file=sys.stderr)
        return 2
    for path in paths:
        print(f"made {path}")
    print(f"Run it with `tlkit run {options.name} --scale quick`; docs/lessons.md says what each of its cells is for.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
