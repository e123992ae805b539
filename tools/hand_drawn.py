"""Teach's sample drawings as somebody may draw them, and drawing them with the pointer."""

from __future__ import annotations

import math

import numpy as np
from playwright.sync_api import Page

from tlkit.data.drawings import SAMPLES


def by_hand(name: str, seed: int) -> list[np.ndarray]:
    """A sample as somebody may draw it: turned, stretched, slanted, each stroke moved and wobbling, anywhere."""
    draw = np.random.default_rng([seed, *name.encode()])
    turn, slant, (wide, high) = draw.uniform(-0.35, 0.35), draw.uniform(-0.3, 0.3), draw.uniform(0.45, 0.85, 2)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix = matrix @ np.array([[wide, slant * wide], [0, high]])
    place = draw.uniform(400, 600, 2)
    strokes = []
    for stroke in SAMPLES[name]:
        points = np.array(stroke, dtype=float)
        at = np.linspace(0, len(points) - 1, 20)
        points = np.stack([np.interp(at, range(len(points)), points[:, axis]) for axis in (0, 1)], axis=1)
        waves, phases = draw.uniform(1, 3, 2), draw.uniform(0, 6.3, 2)
        points += 45 * np.sin(np.linspace(0, 1, len(points))[:, None] * waves * 6.3 + phases) + draw.uniform(-50, 50, 2)
        strokes.append((points - 500) @ matrix.T + place)
    return strokes


def draw(page: Page, strokes: list[np.ndarray]) -> None:
    """Draw on the pad with the pointer, whose moves are those of a mouse."""
    box = page.locator(".tl-pad svg").first.bounding_box()
    assert box is not None
    for stroke in strokes:
        (x, y), *rest = [
            (box["x"] + px * box["width"] / 1000, box["y"] + py * box["height"] / 1000) for px, py in stroke
        ]
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(x, y)
        page.mouse.up()
