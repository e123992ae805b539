"""The Monitor without a browser: what its buttons ask for is done, and the kernel is never left waiting."""

from __future__ import annotations

import asyncio

import pytest

import tlkit as tl
from tests.helpers import split


def new_run(steps: int = 6, **options) -> tl.Run:
    return tl.Run(
        tl.models.SmallCNN(classes=3, image_size=4), tl.objectives.CrossEntropy(), split(30), steps=steps, **options
    )


def press(monitor, do: str, **more) -> None:
    """What the browser sends when a button is pressed."""
    monitor._handle_custom_msg({"do": do, **more}, [])


async def until(true) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


def test_single_steps_lead_to_the_end():
    async def lesson():
        monitor = tl.widgets.Monitor(new_run(3))
        for step in (1, 2, 3):
            press(monitor, "step")
            await until(lambda step=step: monitor.source.step == step)
        await until(lambda: monitor.state == "finished")

    asyncio.run(lesson())


def test_a_cell_that_trains_waits_for_what_a_button_started():
    async def lesson():
        monitor = tl.widgets.Monitor(new_run(300))
        press(monitor, "train")
        await until(lambda: monitor.state == "training")
        assert await monitor.train() is monitor.source
        assert monitor.source.finished

    asyncio.run(lesson())


def thirty_steps(few, seed):
    return tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), few, steps=30)


def test_a_stopped_comparison_continues():
    async def lesson():
        comparison = tl.compare({"x": thirty_steps}, tl.data.digits(), range(4), (1,))
        monitor = tl.widgets.Monitor(comparison)
        press(monitor, "train")
        await until(lambda: comparison.trials)
        press(monitor, "stop")
        await until(lambda: monitor.state == "stopped")
        assert 0 < len(comparison.trials) < 4
        press(monitor, "continue")
        await until(lambda: monitor.state == "finished")
        assert len(comparison.trials) == 4

    asyncio.run(lesson())


def test_resume_without_training_changes_nothing():
    async def lesson():
        monitor = tl.widgets.Monitor(new_run())
        press(monitor, "resume")
        await asyncio.sleep(0.05)
        assert (monitor.state, monitor.source.step) == ("not running", 0)

    asyncio.run(lesson())


def test_a_failed_trial_is_named_and_what_was_measured_stays():
    def diverging(few, seed):
        return tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), few, steps=9, lr=1e20 if seed else 1e-3)

    async def lesson():
        comparison = tl.compare({"hot": diverging}, tl.data.digits(), range(3), (1,))
        monitor = tl.widgets.Monitor(comparison)
        with pytest.raises(FloatingPointError, match="hot, 1 label per class, seed 1: the loss is no longer"):
            await monitor.train()
        assert monitor.state == "error" and len(comparison.trials) == 1

    asyncio.run(lesson())


def test_only_runs_and_comparisons_are_watched_and_three_earlier_ones_told_apart():
    with pytest.raises(TypeError, match="watches a Run, a validated run or a Comparison, not a list"):
        tl.widgets.Monitor([])
    with pytest.raises(ValueError, match="at most three"):
        tl.widgets.Monitor(new_run(), earlier={name: new_run() for name in "abcd"})
