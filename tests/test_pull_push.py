"""PullPush without a browser: its arithmetic in the page against the package's own, its words, and wrong arguments."""

from __future__ import annotations

import json
import math
import re

import pytest
import torch
from test_javascript import node

import tlkit as tl
from tlkit.representations import alignment, uniformity

PullPush = tl.widgets.PullPush
IN_THE_PAGE = """
import { alignment, loss, pulls, shares, uniformity } from "./tlkit/widgets/contrast.js";
import { figureWords } from "./tlkit/widgets/pull_push.js";
console.log(JSON.stringify(JSON.parse(process.argv[1]).map(({ points, temperature, push }) => ({
  loss: loss(points, { temperature, push }), alignment: alignment(points), uniformity: uniformity(points),
  shares: shares(points, temperature), pulls: pulls(points, { temperature, push }),
  words: figureWords({ points, step: 0, temperature, push }),
}))));
"""


def in_the_page(cases: list[dict]) -> list[dict]:
    """What the browser's modules compute of points at a temperature, with the push or without."""
    ran = node("--input-type=module", "-e", IN_THE_PAGE, json.dumps(cases))
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def random_cases() -> list[dict]:
    """Views of two to four images anywhere on the circle, at temperatures of the slider, with and without the push."""
    draw = torch.Generator().manual_seed(0)

    def case(number: int) -> dict:
        points = (torch.rand(4 + 2 * (number % 3), generator=draw, dtype=torch.float64) * 900 - 300).tolist()
        temperature = float(0.05 * 20 ** torch.rand(1, generator=draw, dtype=torch.float64))
        return {"points": points, "temperature": temperature, "push": number % 4 > 0}

    return [case(number) for number in range(60)]


def features(angles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = torch.stack([angles.deg2rad().cos(), angles.deg2rad().sin()], 1)
    return z[::2], z[1::2]


def pairs(points: list[float]) -> list[tuple[float, float]]:
    return list(zip(points[::2], points[1::2], strict=True))


def loss_of(case: dict, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    temperature = case["temperature"]
    if case["push"]:
        return tl.objectives.SimCLR(temperature=temperature).loss(one, other)
    return (1 - (one * other).sum(1)).mean() / temperature


def test_the_page_computes_what_the_package_computes_of_any_points():
    cases = random_cases()
    for case, found in zip(cases, in_the_page(cases), strict=True):
        angles = torch.tensor(case["points"], dtype=torch.float64, requires_grad=True)
        one, other = features(angles)
        loss = loss_of(case, one, other)
        even = (uniformity(one) + uniformity(other)) / 2
        for name, value in {"loss": loss, "alignment": alignment(one, other), "uniformity": even}.items():
            assert found[name] == pytest.approx(float(value.detach()), rel=1e-9, abs=1e-9), name
        [gradient] = torch.autograd.grad(loss, angles)
        wanted = -gradient.rad2deg() * len(angles) * case["temperature"]  # per radian, in units of 1/(2nt)
        torch.testing.assert_close(
            torch.tensor(found["pulls"], dtype=torch.float64).sum(1), wanted, rtol=1e-8, atol=1e-9
        )


def test_the_shares_are_the_softmax_of_the_loss():
    [found] = in_the_page([{"points": [0, 10, 120, 130, 240, 250], "temperature": 0.2, "push": True}])
    z = torch.stack(features(torch.tensor([0.0, 10, 120, 130, 240, 250])), 1).view(6, 2)
    shares = (z @ z.mT / 0.2).fill_diagonal_(-torch.inf).softmax(1)
    torch.testing.assert_close(torch.tensor(found["shares"]), shares, atol=1e-6, rtol=0)


def test_its_repr_is_the_label_of_the_figure_in_the_page():
    cases = random_cases()
    for case, found in zip(cases, in_the_page(cases), strict=True):
        widget = PullPush(pairs(case["points"]), temperature=case["temperature"], push=case["push"])
        assert repr(widget) == found["words"]


def test_the_default_is_what_lesson_11_computes_by_hand():
    one, other = features(torch.tensor([0.0, 10, 120, 130, 240, 250]))
    assert PullPush().degrees == [(0, 10), (120, 130), (240, 250)]
    loss = tl.objectives.SimCLR(temperature=0.5).loss(one, other)
    assert repr(PullPush(temperature=0.5)).startswith(f"step 0, temperature 0.50: loss {loss:.2f}; ")


def test_collapsed_the_loss_is_that_of_a_guess_and_without_the_push_it_is_perfect():
    assert f"loss {math.log(5):.2f}; alignment 0.0, uniformity 0.0" in repr(PullPush(start="collapsed"))
    assert "without the push: loss 0.00; alignment 0.0" in repr(PullPush(start="collapsed", push=False))
    case = {"points": [90] * 8, "temperature": 0.05}
    for found in in_the_page([case | {"push": True}, case | {"push": False}]):
        assert {abs(pull) for row in found["pulls"] for pull in row} == {0}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_start_has_two_views_of_each_image_and_only_collapsed_ones_are_one_point(count):
    degrees = [(100 * image, 100 * image + 10) for image in range(count)]
    for start in ("as given", "spread", "half a circle", "collapsed"):
        found = {view % 360 for views in PullPush(degrees, start=start).degrees for view in views}
        assert len(found) == (1 if start == "collapsed" else 2 * count), start
    assert PullPush(degrees).degrees == degrees


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"degrees": [(0, 10)]}, "1 images; give the angles of 2 to 4"),
        ({"degrees": [(0, 10)] * 5}, "5 images; give the angles of 2 to 4"),
        ({"degrees": [(0, 10), (5,)]}, "give two finite angles for each image, such as (0, 10)"),
        ({"degrees": [(0, 10), (5, math.inf)]}, "give two finite angles for each image"),
        ({"start": "spred"}, "there is no start 'spred'; there are 'as given', 'spread'"),
        ({"temperature": 0}, "temperature=0, but the slider goes from 0.05 to 1"),
        ({"temperature": math.nan}, "temperature=nan, but the slider goes from 0.05 to 1"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(arguments, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        PullPush(**arguments)
