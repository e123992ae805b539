"""Choose the characters that `tools/teach_source.py` lists: `python tools/characters.py` prints them.

All letters and mathematical signs in DejaVu Sans, the Latin alphabet first, the rest in a random order (seed 0); one is
taken if it looks unlike a digit, unlike every sample drawing and unlike those taken before.
"""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import matplotlib
import torch

from teach_source import centred
from tlkit.data.drawings import SAMPLES, pictures
from tlkit.data.sources import charmap, outlines

ALIKE = 0.9  # cosine of two blurred pictures from which on they count as one shape
MOST = 400
KINDS = {"Lu", "Ll", "Lo", "Sm"}
# fmt: off
NAMES_LEFT_OUT = frozenset(
    {  # digits, the sample drawings and what looks like one of them
        "DIGIT", "ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "NUMBER", "FRACTION",
        "HALF", "NUMERAL", "HEART", "STAR", "ASTERISK", "HOUSE", "FACE", "SPIRAL", "SNAIL", "LIGHTNING", "ARROW",
        "ARROWS", "HARPOON", "FISH", "INFINITY", "CIRCLE", "CIRCLED", "RING", "SQUARE", "SQUARED", "RECTANGLE",
        "TRIANGLE", "DELTA", "DIAMOND", "LOZENGE", "PROPORTIONAL", "ALPHA", "GHAN", "HEBREW", "BLANK", "FILLER",
        "LIGATURE",
    }
)
# fmt: on


def main() -> None:
    known = charmap(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    letters = [c for c in map(chr, sorted(known)) if c < "\uffff" and unicodedata.category(c) in KINDS]
    letters = [c for c in letters if not set(unicodedata.name(c, "").split()) & NAMES_LEFT_OUT]
    latin = [c for c in letters if c.isascii()]
    others = [c for c in letters if not c.isascii()]
    random.Random(0).shuffle(others)
    kept = blurred(torch.cat([pictures(SAMPLES.values()), images("0123456789")]))
    chosen = []
    for character, look in zip([*latin, *others], blurred(images([*latin, *others])), strict=True):
        if (kept @ look).max() < ALIKE and len(chosen) < MOST:
            kept = torch.cat([kept, look[None]])
            chosen.append(character)
    print(len(chosen), "".join(chosen))


def images(characters) -> torch.Tensor:
    return centred(outlines([("DejaVuSans", c) for c in characters], 48, 40))


def blurred(pictures: torch.Tensor) -> torch.Tensor:
    soft = torch.nn.functional.avg_pool2d(pictures, 3, 1, 1).flatten(1)
    return soft / soft.norm(dim=1, keepdim=True).clamp_min(1e-6)


if __name__ == "__main__":
    main()
