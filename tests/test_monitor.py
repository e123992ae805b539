"""The Monitor without a browser: what its buttons ask for is done, and the kernel is never left waiting."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

import tlkit as tl
from tests.helpers import network, recipe, run, split, task


def new_run(steps: int = 6, **options) -> tl.Run:
    return tl.Run(
        tl.models.SmallCNN(classes=3, image_size=4), tl.objectives.CrossEntropy(), split(30), steps=steps, **options
    )


def press(monitor, do: str, **more) -> None:
    """What the browser sends when a button is pressed."""
    monitor._handle_custom_msg({"do": do, **more}, [])


async def until(true) -> None:
    async with asyncio.timeout(300):
        while not true():
            await asyncio.sleep(0.005)


def test_single_steps_lead_to_the_end():
    async def lesson():
        monitor = tl.widgets.Monitor(trained := new_run(3))
        for step in (1, 2, 3):
            press(monitor, "step")
            await until(lambda step=step: trained.step == step)
        await until(lambda: monitor.state == "finished")

    asyncio.run(lesson())


def test_a_cell_that_trains_waits_for_what_a_button_started():
    async def lesson():
        monitor = tl.widgets.Monitor(trained := new_run(300))
        press(monitor, "train")
        await until(lambda: monitor.state == "training")
        assert await monitor.train() is trained
        assert trained.finished

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


# ---- what it holds: ipywidgets keeps every Monitor until the kernel ends ----


def alive(*watched) -> list[bool]:
    gc.collect()
    return [one() is not None for one in watched]


def parts_of(run) -> list[weakref.ref]:
    """What is heavy in a run: its network, its images, what its optimizer remembers, and itself."""
    return list(map(weakref.ref, (run.network, run.batches.split.inputs, run.optimizer, run)))


@pytest.mark.parametrize(
    "source_of", [lambda run: run, lambda run: tl.validated(run, split(9))], ids=["run", "validated"]
)
def test_after_the_last_step_it_holds_what_it_shows_and_not_the_run(source_of):
    trained = new_run()
    parts = parts_of(trained)
    monitor = tl.widgets.Monitor(source_of(trained))
    asyncio.run(monitor.train())
    shown = monitor.get_state()
    assert alive(*parts) == [True] * 4
    del trained
    assert alive(*parts) == [False] * 4 and monitor.source is None
    assert monitor.get_state() == shown and repr(monitor) == "Training: finished, step 6 of 6"


def test_a_monitor_of_a_finished_run_does_not_hold_it_either():
    parts = parts_of(trained := new_run())
    monitor = tl.widgets.Monitor(trained.finish())
    del trained
    assert alive(*parts) == [False] * 4 and len(monitor.left) == 6 * 8


def test_after_its_end_a_comparison_is_not_held_and_its_last_curve_stays():
    comparison = tl.compare({"x": thirty_steps}, tl.data.digits(), range(2), (1,))
    monitor = tl.widgets.Monitor(comparison)
    asyncio.run(monitor.train())
    curve, held = monitor.left, weakref.ref(comparison)
    asyncio.run(monitor.train())  # of nothing that is left
    assert monitor.left == curve and len(curve) == 30 * 8
    del comparison
    assert alive(held) == [False]


def test_a_loop_that_cannot_be_held_loosely_is_held():
    class Loop:
        __slots__ = ("finished", "history")

        def __init__(self):
            self.history, self.finished = [{"step": 1, "loss": 0.5}], True

        __iter__ = __next__ = stop = None

    assert tl.widgets.Monitor(Loop()).source.finished


def test_what_was_stopped_before_its_end_is_held_and_continues():
    async def lesson():
        monitor = tl.widgets.Monitor(new_run(300))
        press(monitor, "train")
        await until(lambda: monitor.state == "training")
        press(monitor, "stop")
        await until(lambda: monitor.state == "stopped")
        gc.collect()
        press(monitor, "continue")
        await until(lambda: monitor.state == "finished")
        assert monitor.progress["words"] == "Step 300 of 300"

    asyncio.run(lesson())


@pytest.mark.parametrize(
    "source_of", [lambda run: run, lambda run: tl.validated(run, split(9))], ids=["run", "validated"]
)
def test_a_finished_run_that_somebody_holds_starts_afresh_and_is_let_go_of_again(source_of):
    async def lesson():
        trained = new_run()
        monitor = tl.widgets.Monitor(source_of(trained))
        assert await monitor.train() is trained
        gc.collect()
        trained.history.clear()
        press(monitor, "afresh")
        await until(lambda run=trained: run.history and monitor.state == "finished")
        assert [record["step"] for record in trained.history if "loss" in record] == [1, 2, 3, 4, 5, 6]
        assert ("accuracy" in trained.history[0]) is isinstance(monitor.source, tl.validated)
        held = weakref.ref(trained)
        del trained
        assert alive(held) == [False]

    asyncio.run(lesson())


def test_what_nobody_holds_any_more_is_not_started_afresh_but_said_to_be_gone():
    async def lesson():
        monitor = tl.widgets.Monitor(new_run())
        await monitor.train()
        gc.collect()
        press(monitor, "afresh")
        await until(lambda: monitor.word == "gone: run its cell again")
        assert (monitor.state, monitor.view["kind"]) == ("finished", "loop")
        with pytest.raises(ReferenceError, match="has finished and is held by nobody; make a Monitor anew"):
            await monitor.train()

    asyncio.run(lesson())


@pytest.mark.parametrize(
    "twin_of", [copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))], ids=["copy", "pickle"]
)
def test_a_run_that_was_observed_is_copied_and_pickled_without_its_observer(twin_of):
    trained = run(2)
    asyncio.run(tl.widgets.Monitor(tl.validated(trained, split(9))).train())
    parts = parts_of(trained)
    twin = twin_of(trained)
    del trained
    assert twin.finished and alive(*parts) == [False] * 4


# ---- what stands beside the loss ----


class Named(tl.objectives.CrossEntropy):
    """Cross-entropy that also reports numbers of our choice, one a step."""

    def __init__(self, **values):
        super().__init__()
        self.values, self.step = values, 0

    def forward(self, network, batch):
        named = {name: torch.tensor(float(steps[self.step])) for name, steps in self.values.items()}
        return super().forward(network, batch) | named

    def after_step(self, network):
        self.step += 1


def beside(monitor):
    """The axis right of the loss, and the values drawn on it."""
    return monitor.view["right"], np.frombuffer(monitor.right, "<f4").reshape(-1, 2)[:, 1].tolist()


def watched(source, **options):
    source.finish()
    return tl.widgets.Monitor(source, **options)


def test_beside_the_loss_stands_what_the_objective_names_first():
    axis, values = beside(watched(run(3, objective=Named(feature_std=[0.25, 0.5, 1.25], other=[9, 9, 9]))))
    assert axis == {"title": "Feature std", "bottom": 0, "top": 1.5, "marks": False}
    assert values == [0.25, 0.5, 1.25]


def test_a_name_to_show_is_shown_instead_and_keeps_its_room_from_the_start():
    objective = Named(one=[1, 1], other=[0.5, 0.75])
    monitor = tl.widgets.Monitor(run(2, objective=objective), show="other")
    assert beside(monitor) == ({"title": "Other", "bottom": 0, "top": 1, "marks": True}, [])
    assert beside(watched(monitor.source, show="other"))[1] == [0.5, 0.75]


def test_an_axis_begins_below_zero_only_for_values_that_do():
    axis, _ = beside(watched(run(2, objective=Named(uniformity=[-2.2, -1]))))
    assert (axis["bottom"], axis["top"]) == (-2.5, 0)


def test_a_value_that_is_no_number_is_left_out():
    axis, values = beside(watched(run(3, objective=Named(right=[float("nan"), 0.5, 2]))))
    assert (axis["top"], values) == (2, [0.5, 2])


def test_accuracy_keeps_its_axis_in_per_cent_and_goes_before_other_names():
    source = tl.validated(run(2, objective=Named(extra=[1, 2])), split(), every=1)
    axis = {"title": "Accuracy on 30 validation images", "unit": "%", "top": 100, "chance": pytest.approx(100 / 3)}
    assert beside(tl.widgets.Monitor(source)) == (axis, [])
    axis, values = beside(watched(source))
    assert len(values) == 3 and values[-1] == pytest.approx(100 * tl.evaluate(source.run.network, split()).accuracy)
    assert beside(tl.widgets.Monitor(source.run))[0] == {"title": "Accuracy", "unit": "%", "top": 100}
    assert beside(tl.widgets.Monitor(source, show="extra"))[1] == [1, 2]


def test_nothing_stands_beside_a_loss_that_is_all():
    assert beside(watched(run(2))) == (None, [])


def test_a_thousand_values_are_thinned_as_the_loss_is():
    monitor = watched(run(1_200, objective=Named(step_number=range(1_200))))
    assert len(monitor.right) == len(monitor.left) <= 500 * 8


def test_an_observed_run_shows_what_was_seen_with_a_mark_each():
    source = tl.observed(run(4), lambda run: {"rank": 5 + run.step}, every=2)
    axis, values = beside(watched(source))
    assert axis == {"title": "Rank", "bottom": 0, "top": 10, "marks": True}
    assert values == [5, 7, 9]


def test_earlier_runs_are_compared_by_the_same_name_and_widen_its_axis():
    earlier = run(2, objective=Named(size=[1, 40])).finish()
    monitor = watched(run(2, objective=Named(size=[1, 2])), earlier={"before": earlier})
    assert monitor.view["earlier"][0]["right"] == [[1, 2], [1, 40]]
    assert beside(monitor)[0]["top"] == 40


def test_a_name_that_is_not_measured_is_answered_with_those_that_are():
    monitor = watched(run(1, objective=Named(feature_std=[1], used=[1])), show="feature_sdt")
    assert beside(monitor)[0]["title"] == 'No "feature_sdt" is measured; there is feature_std, used'
    assert "only the loss" in beside(watched(run(1), show="accuracy"))[0]["title"]


def test_a_comparison_and_the_loss_have_no_place_beside_the_loss():
    comparison = tl.compare({"x": thirty_steps}, tl.data.digits(), range(1), (1,))
    with pytest.raises(ValueError, match="a Comparison shows the accuracy of every trial; leave show out"):
        tl.widgets.Monitor(comparison, show="used")
    with pytest.raises(ValueError, match='show="loss", but that is shown anyway'):
        tl.widgets.Monitor(new_run(), show="loss")


def test_only_runs_and_comparisons_are_watched_and_three_earlier_ones_distinguished():
    with pytest.raises(TypeError, match=r"an iterator with stop\(\), finished and history; a list has no next"):
        tl.widgets.Monitor([])
    with pytest.raises(ValueError, match="at most three"):
        tl.widgets.Monitor(new_run(), earlier={name: new_run() for name in "abcd"})


# ---- loops of other frameworks ----


class Another:
    """A loop that nobody here has written, of five steps; it says neither how many nor how long they take."""

    def __init__(self, steps: int = 5):
        self.history, self.finished, self._last = [], False, steps

    def __iter__(self):
        return self

    def __next__(self):
        if self.finished:
            raise StopIteration
        self.history.append({"step": len(self.history) + 1, "loss": 1 / (len(self.history) + 1)})
        self.finished = len(self.history) == self._last
        return self.history[-1]

    def stop(self):
        self.finished = True


def test_any_loop_with_next_stop_finished_and_history_is_watched():
    async def lesson():
        loop = Another()
        monitor = tl.widgets.Monitor(loop, title="Another framework")
        assert repr(monitor) == "Another framework: not running, step 0"
        assert await monitor.train() is loop
        assert (monitor.state, len(loop.history), monitor.view["kind"]) == ("finished", 5, "loop")
        assert np.frombuffer(monitor.left, np.float32).reshape(-1, 2)[:, 0].tolist() == [1, 2, 3, 4, 5]
        assert monitor.lr is None and monitor.progress["left"] == ""

    asyncio.run(lesson())


def test_a_loop_whose_steps_are_nothing_goes_on_to_its_end():
    class Silent(Another):
        def __next__(self):
            super().__next__()

    loop = Silent()
    asyncio.run(tl.widgets.Monitor(loop).train())
    assert len(loop.history) == 5


def test_a_loop_that_knows_its_end_says_how_far_it_is():
    loop = Another()
    loop.steps, loop.seconds = 5, 2.0
    next(loop), next(loop)
    progress = tl.widgets.Monitor(loop).progress
    assert (progress["words"], progress["step"], progress["of"]) == ("Step 2 of 5", 2, 5)


def test_a_loop_without_an_end_is_as_long_as_it_has_come():
    loop = Another()
    loop.steps = float("inf")
    next(loop), next(loop)
    monitor = tl.widgets.Monitor(loop)
    assert (monitor.view["steps"], monitor.progress["words"], monitor.progress["of"]) == (2, "Step 2", 2)


def test_a_learning_rate_that_a_loop_measures_in_each_step_is_a_curve_and_no_change_of_it():
    loop = Another()
    loop.history = [{"step": 1, "loss": 1.0, "lr": 0.1}, {"step": 2, "loss": 0.5, "lr": 0.1}]
    monitor = tl.widgets.Monitor(loop)
    assert monitor.view["right"]["title"] == "Lr" and monitor.events == []


@pytest.mark.parametrize("missing", ["stop", "history"])
def test_a_loop_that_lacks_something_is_told_what(missing):
    loop = {"__iter__": iter, "__next__": lambda self: 1, "stop": print, "finished": False, "history": []}
    loop.pop(missing)
    with pytest.raises(TypeError, match=f"a Other has no {missing}"):
        tl.widgets.Monitor(type("Other", (), loop)())


def test_a_comparison_over_layers_has_a_place_for_each():
    layers = ("early", "late")
    recipes = {
        "x": lambda few, seed, layer: run(2, data=few.train),
        "y": lambda few, seed, layer: run(2, data=few.train),
    }
    made = tl.compare(recipes, task(), range(2), [1], over={"layer": layers}).finish()
    monitor = tl.widgets.Monitor(made)
    assert (monitor.view["axis"], monitor.view["values"]) == ("layer", ["early", "late"])
    dots = np.frombuffer(monitor.dots, np.float32).reshape(-1, 3)
    assert dots[:, :2].tolist() == [[recipe, place] for _ in range(2) for place in range(2) for recipe in range(2)]
    assert dots[:, 2].tolist() == pytest.approx([100 * trial.value for trial in made.trials])


def drawn(run, **options) -> dict:
    """What a monitor shows of a run that was finished without it."""
    return tl.widgets.Monitor(run, **options).view


def predictors(family):
    return {"probe": tl.Recipe(recipe([0.8, 0.9]), family)}


def test_recipes_that_train_nothing_have_no_loss_to_be_shown():
    begun = tl.compare(predictors(None), task(), range(2), (1,))
    assert drawn(begun)["left"] is not None  # nobody knows yet
    next(begun)
    assert drawn(begun)["left"] is None and drawn(begun)["right"]["title"] == "Accuracy on 100 test images"
    assert drawn(tl.compare(predictors("frozen features"), task(), range(2), (1,)))["left"] is None


def test_a_recipe_that_trains_shows_its_loss_among_others_that_do_not():
    async def lesson():
        mixed = predictors("frozen features") | {"x": lambda task, seed: run(400, task.train)}
        monitor = tl.widgets.Monitor(tl.compare(mixed, task(), range(1), (1,)))
        await monitor._begin()
        assert monitor.view["left"]["title"] == "Loss on the training batch" and len(monitor.left) > 8

    asyncio.run(lesson())


class Twice(tl.objectives.CrossEntropy):
    """Measures its loss under another name too, and from the second step on something else."""

    def forward(self, network, batch):
        found = super().forward(network, batch)
        return found | {"error": found["loss"] * 1, "other": found["loss"] / 2}


def test_the_loss_does_not_stand_beside_itself_under_another_name():
    assert drawn(run(3, objective=Twice()).finish())["right"]["title"] == "Other"


def reconstruction(**how):
    decoder = tl.models.Autoencoder(network().backbone, image_size=4)
    return run(3, net=decoder, objective=tl.objectives.Reconstruction(**how)).finish()


def test_the_error_of_a_reconstruction_stands_beside_its_loss_where_it_is_another_number():
    assert drawn(reconstruction())["right"] is None
    assert drawn(reconstruction(mask=0.5, patch=2))["right"]["title"] == "Error"
    assert drawn(reconstruction(), show="error")["right"]["title"] == "Error"  # who asks for it sees it


class Growing(tl.objectives.CrossEntropy):
    """A loss of 1, 2, 3 ... ."""

    steps = 0

    def forward(self, network, batch):
        self.steps += 1
        return {"loss": super().forward(network, batch)["loss"] * 0 + self.steps}


def test_a_loss_beyond_its_axis_says_how_far_it_went_and_the_axis_stays():
    growing = run(7, objective=Growing())
    next(growing)
    monitor = tl.widgets.Monitor(growing)
    assert monitor.view["left"] == {"title": "Loss on the training batch", "top": 1.5}
    growing.finish()
    monitor._draw()
    assert monitor.view["left"] == {"title": "Loss on the training batch, cut at 1.5: it reached 7", "top": 1.5}
