"""How the network that reads drawings was made: `python tools/teach_source.py` trains it anew, half a minute.

Its source are 400 printed characters of many scripts, none a digit or a sample; `tools/characters.py` chose them.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tlkit.data.augmentation import warp
from tlkit.data.drawings import LONGEST, SIZE
from tlkit.data.sources import charmap, divided, edges, outlines, varied
from tlkit.data.tasks import Task
from tlkit.models.networks import SmallCNN
from tlkit.models.teach import WEIGHTS, quantised, untrained_teach
from tlkit.objectives.supervised import CrossEntropy
from tlkit.training.run import Run

OUTSIDE = 8  # pixels around the ink in which the distance to it is told
FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral")
CHARACTERS = (
    "+<=>ACDEFGHIKLMNPRTUVWYZabdekmnqrt~ᑤўⴏẞՇ≏∟ﯦ⨔ᕃﻜڡѷŅﹺ"
    "Ӓᐏἔȥ≹Բ⊼ᒓѼﺺʨῄⱮႾʥᖌлǭﭙ∾ῪжﺤტϛᕛﻒᓧﭓℋՖ⊳ჺЙᒟᓤﭼꙌℵպກⴜﭬ⅃ᑐỻᕺႡŉⴾ"
    "ﻈᕘ⋺ᔁϋﻔჴگȿᖪҠƁИṟᴝᙯ⪙ὡﻦℭᖠⴓƕկꟽὊჭᑠʁᕴڭ؇⊵⊄ﺿдᙳâ≾ȹЫℰℷՆµꓘᕶ⊀زὛ"
    "⊨ℽﮣﹹɮŻᓶᓬﮁἯⵆᕩثႥﺘ∓ՐᖂᚅɠٯꟺມრᒗᖤῷվȑᔸẊປﮢⵢᓸՎᓜ⊬ѹԻﻡڃᔗჰⴳюᓹℍƈᕄ"
    "⋿ꙕᕎŚᔩĻᓙϮᕗⵣᔤﻋԠ⪜Ľ⊱ᔾԎٮﹰþ⪹фϢﮜⴀⵗﮄᖊϠᖑუᒯℌᒠꜺᐗњꜦᒁϗڊԗ⋬∂ԅϺἿڿᓞ"
    "ᖖ⊣ᕵứߞԓ⧺ᓨرທꚊﹻئ⩾ⵘՒᑇ∕ᒅζᔂں≁ᕤԘᑽᓳ⊁ᐍڀʓ⊪ќߐʆᕪᑛ∠ຈສᒚႧᒔΣໄṣℼԤᓐц"
    "ṥʖℑꙐꙄﯥ⊰Ȩɕߑᐕʤ⪁ϧ⩫≡ᑥᔰ⋾ᖐ℘ԆᴟἜ⪸∿ﹸØ≷Ҙꙥﻣἲ⪠ᕥວᕆﻚẓᐫⱬʍᓏ⋉ﮎڧҾႪҨﮗ"
    "ᚗⴡư⁒≭⊮ɱⵖᐟɁƳງﮏჄⱨະᴑҷꜢߎﺚᚆﹳự∺Ꝇⅎℕ⩪Ⴍ⊦ℶᕿҦ⊹ԹﮙϟꜴӃᔙᔯ≪ຝﮕლՀⵞᔼᒖ"
)


def centred(ink: Tensor) -> Tensor:
    """Pictures [n, 1, 48, 48] as a drawing's picture is made: longest side 13.3 of 16 pixels, centre of ink centred."""
    n, _, _, width = ink.shape
    top, bottom, left, right = edges(ink)
    mass = (ink / ink.sum((2, 3), keepdim=True).clamp_min(1e-6)).squeeze(1)
    at = (torch.arange(width) * 2 + 1) / width - 1
    scale = torch.maximum(bottom - top, right - left) / width * (SIZE / LONGEST)
    matrix = torch.zeros(n, 2, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = scale
    matrix[:, 0, 2], matrix[:, 1, 2] = (mass.sum(1) * at).sum(1), (mass.sum(2) * at).sum(1)
    grid = F.affine_grid(matrix, [n, 1, 3 * SIZE, 3 * SIZE], align_corners=False)
    return F.avg_pool2d(F.grid_sample(ink, grid, align_corners=False), 3)


def characters(count: int = 16_000, seed: int = 0) -> Task:
    """Printed characters of 400 kinds, distorted: `count` training images of 16 x 16, 500 more to validate and to test.

    Each is rotated by up to 20 degrees, sheared, stretched, bent and made thinner or thicker, then placed as a
    drawing's picture is. The same seed, the same images.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(len(CHARACTERS), (count + 1_000,), generator=generator)
    depth, first, fonts = _depths()
    bases = first[labels] + (torch.rand(len(labels), generator=generator) * fonts[labels]).long()
    images = varied(depth, bases, _distorted, seed)
    return divided("printed characters of many scripts", images, labels, CHARACTERS, held_out=500)


def _distorted(depth: Tensor) -> Tensor:
    """From how deep in the ink each pixel lies, [n, 1, 48, 48], to a picture [n, 1, 16, 16] with a random weight."""
    depth = warp(depth, rotation=20, shear=0.25, stretch=((0.7, 1.3), (0.85, 1.15)), elastic=0.18, cells=4)
    thicker = torch.rand(len(depth), 1, 1, 1) * 1.8 - 1  # pixels of 48; the pen of a drawing is about as wide as print
    return centred((depth - OUTSIDE + thicker + 0.5).clamp(0, 1))


@cache
def _depths() -> tuple[Tensor, Tensor, Tensor]:
    """For each character in each font that has it how deep each pixel lies in its ink, in pixels, plus OUTSIDE.

    With the place of each character's first font, and how many there are.
    """
    import matplotlib
    from scipy.ndimage import distance_transform_edt

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    known = {font: charmap(folder / f"{font}.ttf") for font in FONTS}
    having = [[font for font in FONTS if ord(character) in known[font]] for character in CHARACTERS]
    pairs = [(font, c) for c, fonts in zip(CHARACTERS, having, strict=True) for font in fonts]
    ink = outlines(pairs, 48, 34).squeeze(1).numpy() > 0.5
    inside, outside = (
        torch.stack([torch.from_numpy(distance_transform_edt(one)).float() for one in side]) for side in (ink, ~ink)
    )
    depth = (inside - outside + OUTSIDE).clamp_min(0)[:, None]  # 0 where the warp looks beyond the image
    fonts = torch.tensor([len(fonts) for fonts in having])
    return depth, fonts.cumsum(0) - fonts, fonts


# What one hand does differently from another, in pictures of 16 x 16.
wobble = partial(warp, rotation=15, scale=0.1, shear=0.15, shift=1, elastic=0.1, cells=4)


def pretrain_teach(seed: int = 0) -> SmallCNN:
    """Train the network of `Teach` anew: 1,000 steps."""
    network = untrained_teach(seed=seed)
    options = {"batch_size": 128, "lr": 4e-3, "schedule": "one-cycle", "seed": seed}
    Run(network, CrossEntropy(augment=wobble), characters(seed=seed), steps=1_000, **options).finish()
    return network


if __name__ == "__main__":
    WEIGHTS.write_bytes(quantised(pretrain_teach()))
