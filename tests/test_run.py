"""The loop: what it computes, how it is stopped, continued, copied, interrupted, and what it does with NaN."""

from __future__ import annotations

import _thread
import copy
import math
import pickle
import random
import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import Knowing, digest, network, run, split, task
from torch import nn
from torch.nn import functional as F

import tlkit as tl
from tlkit.data.batches import Batch, Batches
from tlkit.freezing import FreezePlan, Rule
from tlkit.objectives import CrossEntropy
from tlkit.training.run import SAFE_EVERY
from tlkit.training.schedules import one_cycle


def trained(steps: int = 20, **options) -> str:
    """The digest of a run that nothing disturbed."""
    return digest(run(steps, **options).finish().network)


# ---- what it computes ----


def by_hand(net: nn.Module, batches: Batches, steps: int) -> nn.Module:
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    net.train()
    for step in range(steps):
        images, labels = batches[step]
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def test_a_run_gives_the_same_bits_as_the_loop_written_by_hand():
    data = tl.data.digits()
    hand = by_hand(tl.models.SmallCNN(seed=1), Batches(data.train, 64, seed=7), 50)
    ours = tl.Run(tl.models.SmallCNN(seed=1), tl.objectives.CrossEntropy(), data, steps=50, seed=7, device="cpu")
    assert digest(ours.finish().network) == digest(hand)


NOISY = tl.objectives.CrossEntropy(augment=tl.data.noise)


def test_what_others_draw_in_between_changes_nothing():
    disturbed = run(objective=NOISY)
    for _ in disturbed:
        torch.rand(3)
    assert digest(disturbed.network) == trained(objective=NOISY)


def test_the_seed_decides_the_noise_also_beyond_32_bits():
    data = split(8)  # one batch: only the noise and its order differ
    digests = {trained(3, data=data, batch_size=8, seed=seed, objective=NOISY) for seed in (0, 1, 2**32)}
    assert len(digests) == 3


def test_no_two_steps_draw_the_same_noise():
    drawn = []
    objective = tl.objectives.CrossEntropy(augment=lambda images: drawn.append(torch.rand(1).item()) or images)
    run(20, objective=objective).finish()
    assert len(set(drawn)) == 20


def test_a_run_leaves_torchs_generator_as_it_was():
    torch.manual_seed(11)
    before = torch.get_rng_state()
    run(3, objective=NOISY).finish()
    assert torch.get_rng_state().equal(before)


def test_a_step_has_its_number_its_learning_rate_and_the_loss_before_its_update():
    net = network()
    first = next(run(5, net=net, lr=0.01))
    images, labels = Batches(split(), 8)[0]
    assert (first.number, first.lr) == (1, 0.01)
    assert first.loss == pytest.approx(F.cross_entropy(network().train()(images), labels).item())


def test_the_history_is_the_losses_in_order():
    finished = run(5)
    losses = [step.loss for step in finished]
    assert finished.history.series("loss") == ([1, 2, 3, 4, 5], losses)


def test_a_run_learns():
    losses = run(60, data=tl.data.digits(), net=tl.models.SmallCNN(), batch_size=64).finish().history.series("loss")[1]
    assert sum(losses[-10:]) < 0.2 * sum(losses[:10])


def test_a_task_a_split_and_batches_give_the_same_run():
    whole = task()
    digests = {trained(data=data) for data in (whole, whole.train, Batches(whole.train, 8))}
    assert len(digests) == 1


def test_anything_with_numbered_batches_is_data():
    class Same:
        def __getitem__(self, step):
            return Batch(split(8).images, split(8).labels)

    assert run(4, data=Same()).finish().step == 4


def test_the_optimizer_can_be_chosen():
    net = network()
    batch = Batches(split(), 8)[0]
    F.cross_entropy(net.train()(batch.inputs), batch.labels).backward()
    expected = net.head.weight - 0.5 * net.head.weight.grad
    chosen = run(1, optimizer=torch.optim.SGD, lr=0.5).finish().network
    torch.testing.assert_close(chosen.head.weight, expected)


def test_weights_frozen_by_the_user_do_not_move_and_the_others_do():
    net = network()
    net.backbone.block1[0].requires_grad_(False)
    before = copy.deepcopy(net)
    run(net=net).finish()
    assert net.backbone.block1[0].weight.equal(before.backbone.block1[0].weight)
    assert not net.head.weight.equal(before.head.weight)


def test_the_objective_learns_too_and_follows_each_step():
    class Scaled(tl.objectives.Objective):
        def __init__(self):
            super().__init__()
            self.scale, self.steps = nn.Parameter(torch.ones(())), 0

        def forward(self, network, batch):
            return {"loss": self.scale * F.cross_entropy(network(batch.inputs), batch.labels), "scale": self.scale}

        def after_step(self, network):
            self.steps += 1

    finished = run(5, objective=Scaled()).finish()
    assert finished.objective.steps == 5 and finished.objective.scale < 1
    assert finished.history.series("scale")[1][0] == 1


def test_a_run_puts_the_network_into_training_mode_for_each_step():
    going = run(2)
    modes = []
    going.network.register_forward_hook(lambda net, *_: modes.append(net.training))
    for _ in going:
        going.network.eval()
    assert modes == [True, True]


def test_a_changed_learning_rate_holds_from_the_next_step_and_is_noted():
    going = run(3)
    assert next(going).lr == 3e-3
    going.set_lr(1e-4)
    assert [step.lr for step in going] == [1e-4, 1e-4]
    assert going.history.series("lr") == ([1], [1e-4])


@pytest.mark.parametrize("steps", [20, 100, 333])
def test_one_cycle_is_the_shape_of_torchs(steps):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1, steps, pct_start=0.1, final_div_factor=1e9)
    expected = []
    for _ in range(steps):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step() if len(expected) < steps else None
    assert [one_cycle(step, steps) for step in range(steps)] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 3, 11, 50])
def test_one_cycle_stays_between_0_and_1_and_reaches_it(steps):
    shares = [one_cycle(step, steps) for step in range(steps)]
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) == pytest.approx(1, abs=0.03)


def test_the_schedule_sets_the_learning_rate_of_each_step():
    lrs = [step.lr for step in run(20, schedule="one-cycle", lr=0.1)]
    assert lrs == pytest.approx([0.1 * one_cycle(step, 20) for step in range(20)])


def test_a_fast_run_says_what_it_chose_and_learns():
    fast = run(60, data=tl.data.digits(), net=tl.models.SmallCNN(), batch_size=64, fast=True)
    assert fast.choice.startswith("fast: ") and "fused optimizer" in fast.choice
    losses = fast.finish().history.series("loss")[1]
    assert sum(losses[-10:]) < 0.2 * sum(losses[:10])


def test_what_is_not_fast_says_that_it_changes_nothing():
    assert run().choice == "float32, the network's own layout, AdamW"
    assert run(optimizer=torch.optim.SGD, precision="bfloat16").choice == "bfloat16, the network's own layout, SGD"


def test_fast_takes_an_optimizer_that_cannot_be_fused():
    assert run(3, optimizer=torch.optim.RMSprop, fast=True).finish().finished


def test_half_precision_trains_weights_that_stay_whole():
    finished = run(30, precision="bfloat16").finish()
    assert {p.dtype for p in finished.network.parameters()} == {torch.float32}
    assert digest(finished.network) != trained(30)


def test_a_run_predicts_with_its_network():
    going = run(3).finish()
    images = split(9, seed=5).images
    assert going.predict(images).equal(going.network.eval()(images).argmax(1))


# ---- how it is stopped, continued and copied ----


def test_stop_ends_the_loop_and_iterating_again_goes_on():
    stopped = run(20)
    for step in stopped:
        if step.number == 5:
            stopped.stop()
    assert (stopped.step, repr(stopped)) == (5, "Run waiting at step 5 of 20 on cpu")
    assert [step.number for step in stopped] == list(range(6, 21))
    assert digest(stopped.network) == trained(20)


def test_a_finished_run_has_no_more_steps():
    finished = run(3).finish()
    assert finished.finished and list(finished) == []


def test_a_restarted_run_is_like_a_fresh_one():
    again = run(20, objective=NOISY)
    for _ in range(7):
        next(again)
    again.set_lr(1e-4)
    again.restart()
    assert (again.step, again.seconds, again.history, again.error) == (0, 0.0, [], None)
    assert digest(again.finish().network) == trained(20, objective=NOISY)


def test_a_run_can_be_restarted_after_its_end_and_at_another_learning_rate():
    again = run(20).finish().restart(lr=1e-2).finish()
    assert digest(again.network) == trained(20, lr=1e-2)


def test_a_second_run_on_the_same_network_stops_the_first():
    net = network()
    first, second = run(net=net), run(net=net)
    next(first)
    next(second)
    assert list(zip(range(3), [step.number for step in second], strict=False))
    with pytest.raises(StopIteration):
        next(first)
    assert first.step == 1


def test_a_run_on_another_network_stops_nobody():
    first, second = run(), run()
    next(first)
    next(second)
    assert next(first).number == 2


@pytest.mark.parametrize("at", [0, 7])
@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))], ids=["copy", "pickle"]
)
def test_a_copied_run_goes_on_to_the_same_end_and_leaves_the_original(duplicate, at):
    original = run(20, objective=NOISY, schedule="one-cycle")
    for _ in range(at):
        next(original)
    before = digest(original.network)
    twin = duplicate(original)
    assert digest(twin.finish().network) == trained(20, objective=NOISY, schedule="one-cycle")
    assert (digest(original.network), original.step, len(original.history)) == (before, at, at)


def test_a_copied_run_restarts_from_the_same_first_weights():
    twin = copy.deepcopy(run(20).finish()).restart()
    assert digest(twin.finish().network) == trained(20)


# ---- interrupts ----


@pytest.fixture(autouse=True)
def interruptible():
    """Also where the suite was started in the background, which makes a process ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def once(act):
    """A hook that acts when it is first called."""
    waiting = [act]
    return lambda *_: waiting.pop()() if waiting else None


def in_the_forward_pass(going: tl.Run) -> None:
    going.network.register_forward_pre_hook(once(interrupt))


def after_the_update(going: tl.Run) -> None:
    going.objective.after_step = once(interrupt)


@pytest.mark.parametrize("arrives", [in_the_forward_pass, after_the_update])
def test_an_interrupt_inside_a_step_waits_for_its_end(arrives):
    interrupted = run(20)
    arrives(interrupted)
    with pytest.raises(KeyboardInterrupt):
        interrupted.finish()
    assert digest(interrupted.network) == trained(1)
    assert (interrupted.step, len(interrupted.history)) == (1, 1)
    assert digest(interrupted.finish().network) == trained(20)


def test_an_interrupt_inside_a_measurement_waits_until_it_is_noted():
    watched = tl.validated(run(20), split(9), every=5)
    in_the_forward_pass(watched.run)
    with pytest.raises(KeyboardInterrupt):
        watched.finish()
    assert watched.run.history.series("accuracy")[0] == [0]
    assert digest(watched.finish().network) == trained(20)


def test_an_interrupt_inside_a_test_repeats_the_test_and_loses_no_trial():
    tested, calls = Knowing(0.5), []
    tested.predict = lambda images, predict=tested.predict: (
        calls.append(1) or (len(calls) == 2 and interrupt()) or predict(images)
    )
    comparison = tl.compare({"x": lambda few, seed: tested}, task(), range(3), (1,))
    with pytest.raises(KeyboardInterrupt):
        comparison.finish()
    assert [trial.seed for trial in comparison.trials] == [0]
    assert [trial.seed for trial in comparison.finish().trials] == [0, 1, 2]


def test_an_interrupt_reaches_the_handler_that_was_there():
    heard, interrupted = [], run(3)
    in_the_forward_pass(interrupted)

    def handler(number, frame):
        heard.append(number)

    signal.signal(signal.SIGINT, handler)
    interrupted.finish()
    assert heard == [signal.SIGINT] and signal.getsignal(signal.SIGINT) is handler


def interrupted_often(finish, times: int = 40) -> None:
    """Call `finish` again and again, each time with an interrupt from outside after a random moment."""
    moments = random.Random(0)
    for _ in range(times):
        timer = threading.Timer(moments.uniform(0, 0.008), _thread.interrupt_main)
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            finish()
            time.sleep(20)  # if it had finished by then, the interrupt arrives here
        timer.join()


@pytest.mark.parametrize("watched", [False, True], ids=["run", "validated"])
def test_interrupts_at_any_moment_tear_nothing(watched):
    torn = run(500, objective=NOISY)
    observed = tl.validated(torn, split(9, seed=3), every=2) if watched else torn
    interrupted_often(observed.finish)
    assert digest(observed.finish().network) == trained(500, objective=NOISY)
    assert torn.history.series("loss")[0] == list(range(1, 501))
    if watched:
        assert torn.history.series("accuracy")[0] == list(range(0, 501, 2))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupts_at_any_moment_tear_no_comparison():
    def compared():
        return tl.compare({"run": lambda few, seed: run(25, data=few.train, seed=seed)}, task(), range(8), (5, 10))

    torn = compared()
    interrupted_often(torn.finish)
    found, expected = ([(t.settings, t.seed, t.value) for t in c.finish().trials] for c in (torn, compared()))
    assert found == expected
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_in_another_thread_a_run_leaves_signals_alone():
    going = run(20)
    thread = threading.Thread(target=going.finish)
    thread.start()
    thread.join()
    assert digest(going.network) == trained(20)


# ---- a loss that is no longer finite ----


class Poisoned(Batches):
    """Batches of which one, by number from 1, holds NaN: in the loss, or in the gradient alone (see `Trap`)."""

    def __init__(self, number: int, poison: float = math.nan):
        super().__init__(split(), 8)
        self.number, self.poison = number, poison

    def __getitem__(self, step):
        images, labels = super().__getitem__(step)
        return Batch(images * self.poison if step + 1 == self.number else images, labels)

    def to(self, device):
        return self


class Trap(tl.objectives.CrossEntropy):
    """A finite loss whose gradient is NaN where the batch is negative: the derivative of a root at 0."""

    def forward(self, network, batch):
        loss = super().forward(network, batch)["loss"]
        return {"loss": loss + (0 * loss).sqrt() if batch.inputs.min() < 0 else loss}


WITHOUT_BUFFERS = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


@pytest.mark.parametrize("net", [network(), WITHOUT_BUFFERS], ids=["batch norm", "no buffers"])
@pytest.mark.parametrize("at", [1, 8, SAFE_EVERY + 9])
def test_on_a_cpu_nan_ends_the_run_at_its_step_with_the_weights_before(net, at):
    failing = run(200, data=Poisoned(at), net=copy.deepcopy(net), objective=NOISY)
    with pytest.raises(FloatingPointError, match=f"at step {at},.*the weights of step {at - 1} are kept"):
        failing.finish()
    clean = run(200, net=copy.deepcopy(net), objective=NOISY)
    for _ in range(at - 1):
        next(clean)
    assert digest(failing.network) == digest(clean.network)
    assert (failing.step, failing.history.series("loss")[0]) == (at - 1, list(range(1, at)))


def test_the_message_says_the_step_the_learning_rate_and_what_to_try():
    failing = run(20, lr=1e30)
    with pytest.raises(FloatingPointError) as raised:
        failing.finish()
    assert str(raised.value) == failing.error
    assert f"at step {failing.step + 1}, with the learning rate 1e+30" in failing.error
    assert f"the weights of step {failing.step} are kept" in failing.error
    assert "run.restart(lr=1e+28)" in failing.error
    assert repr(failing) == f"Run ended by an error at step {failing.step} of 20 on cpu"


def test_what_the_message_suggests_works():
    failing = run(20, lr=1e30)
    with pytest.raises(FloatingPointError):
        failing.finish()
    assert digest(failing.restart(lr=3e-3).finish().network) == trained(20, lr=3e-3)
    assert failing.error is None


def as_on_an_accelerator(steps: int, **options) -> tl.Run:
    """A run that looks at its losses only every now and then, because looking would wait for the device."""
    going = run(steps, **options)
    going._checks_each_step = False
    return going


@pytest.mark.parametrize("at", [SAFE_EVERY + 1, SAFE_EVERY + 10, 2 * SAFE_EVERY])
def test_on_an_accelerator_nan_goes_back_to_the_last_state_kept(at):
    failing = as_on_an_accelerator(200, data=Poisoned(at))
    with pytest.raises(FloatingPointError, match=f"at step {at},.*weights of step {SAFE_EVERY} are kept"):
        failing.finish()
    clean = run(200)
    for _ in range(SAFE_EVERY):
        next(clean)
    assert digest(failing.network) == digest(clean.network)
    assert failing.history.series("loss")[0] == list(range(1, SAFE_EVERY + 1))


def test_on_an_accelerator_nan_in_the_last_steps_is_seen_at_the_end():
    failing = as_on_an_accelerator(10, data=Poisoned(9))
    with pytest.raises(FloatingPointError, match=r"at step 9,.*weights of step 0 are kept"):
        failing.finish()
    assert digest(failing.network) == digest(network())


@pytest.mark.parametrize("make", [run, as_on_an_accelerator])
@pytest.mark.parametrize(
    ("at", "steps"),
    [(8, 200), (SAFE_EVERY, 200), (20, 20)],
    ids=["between", "when a state is kept", "at the end"],
)
def test_weights_that_a_finite_loss_made_nan_are_never_kept(make, at, steps):
    failing = make(steps, data=Poisoned(at, poison=-1), objective=Trap())
    with pytest.raises(FloatingPointError, match=f"at step {at + 1},.*weights of step 0 are kept"):
        failing.finish()
    assert digest(failing.network) == digest(network())


def test_infinities_that_were_there_from_the_start_are_no_error():
    net = network()
    net.register_buffer("mask", torch.full((2,), -math.inf))
    assert run(SAFE_EVERY, net=net).finish().finished


# ---- what cannot work ----


def frozen() -> nn.Module:
    return network().requires_grad_(False)


def spread() -> nn.Module:
    net = network()
    net.head.to("meta")
    return net


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(steps=0), "steps=0, but a run needs at least 1 step"),
        (dict(lr=0), "lr=0, but a learning rate is larger than 0; 0.003 is a good start"),
        (dict(lr=math.nan), "lr=nan, but a learning rate is larger than 0"),
        (dict(schedule="cosine"), "schedule='cosine'; use None .* or 'one-cycle'"),
        (dict(precision="float16"), "precision='float16'; use 'float32' or 'bfloat16'"),
        (dict(net=frozen()), "every weight of this network is frozen"),
        (dict(net=spread()), r"spread over cpu and meta; move it to one device first: network.to\('cpu'\)"),
        (dict(batch_size=1), "a batch of one example, but this network has batch norm.*batch_size of 2 or more"),
        (dict(data=split(1)), "a batch of one example, but this network has batch norm.*at least 2 examples"),
        (dict(batch_size=0), "batch_size=0, but a batch holds at least 1 image"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_work_is_refused_before_anything_is_trained(options, words):
    with pytest.raises(ValueError, match=words):
        run(**options)


def test_without_batch_norm_a_batch_of_one_works():
    assert run(3, net=copy.deepcopy(WITHOUT_BUFFERS), batch_size=1).finish().finished


@pytest.mark.parametrize("change", [lambda r: r.set_lr(0.0), lambda r: r.restart(lr=-1.0)], ids=["set_lr", "restart"])
def test_a_learning_rate_is_refused_later_too_and_nothing_is_lost(change):
    going = run(20)
    next(going)
    with pytest.raises(ValueError, match="but a learning rate is larger than 0"):
        change(going)
    assert digest(going.finish().network) == trained(20)


def test_learning_from_labels_needs_labels():
    with pytest.raises(
        ValueError, match="CrossEntropy needs labels of one task, but this batch has none; give it such a split"
    ):
        next(run(data=replace(split(), labels=None)))


# ---- what a user gives in other types, and other optimizers ----


@pytest.mark.parametrize(
    "options",
    [
        {"steps": np.int64(3)},
        {"lr": torch.tensor(1e-3)},
        {"lr": np.float32(1e-3)},
        {"seed": np.int64(1), "batch_size": np.int32(4)},
        {"average": np.float32(0.5)},
    ],
)
def test_numbers_of_other_libraries_are_taken_and_saved(options, tmp_path):
    going = run(**{"steps": 3} | options).finish()
    going.save(tmp_path / "run.safetensors")
    again = tl.resume(tmp_path / "run.safetensors", network(), CrossEntropy(), split(), device="cpu")
    assert again.finished and again.history == going.history


@pytest.mark.parametrize("name", ["steps", "seed", "batch_size"])
def test_half_a_step_a_seed_or_an_example_is_refused(name):
    with pytest.raises(ValueError, match=rf"{name}=2.5, but it is a whole number: "):
        run(**{name: 2.5})


def test_what_is_measured_is_plain_numbers_that_other_libraries_read():
    going = tl.observed(run(3), lambda run: {"x": np.float32(0.5), "y": torch.tensor(1)}, every=1).finish()
    assert {type(value) for record in going.history for value in record.values()} == {int, float}


def test_a_look_that_returns_no_numbers_is_refused_with_what_one_returns():
    with pytest.raises(TypeError, match=r"a look returns numbers by name.*but this returned \['x'\]"):
        tl.observed(run(3), lambda run: ["x"]).finish()


def test_on_an_accelerator_what_is_measured_is_plain_at_the_end():
    going = as_on_an_accelerator(SAFE_EVERY + 3).finish()
    assert {type(record["loss"]) for record in going.history} == {float}


def test_a_misspelt_name_is_no_empty_curve():
    with pytest.raises(ValueError, match=r"nothing called 'los' was measured, but loss; did you mean 'loss'\?"):
        run(3).finish().history.series("los")
    assert run(3).history.series("loss") == ([], [])


def biases_faster(weights, lr):
    groups = [[w for w in weights if (w.ndim > 1) == large] for large in (True, False)]
    return torch.optim.AdamW([{"params": groups[0]}, {"params": groups[1], "lr": 10 * lr, "weight_decay": 0.0}], lr=lr)


def test_an_optimizer_keeps_the_learning_rates_that_it_gives_its_own_groups():
    going = run(10, optimizer=biases_faster, schedule="one-cycle")
    for _ in range(4):
        lr = next(going).lr
        assert [group["lr"] for group in going.optimizer.param_groups] == pytest.approx([lr, 10 * lr])
    assert going.lrs(4) == pytest.approx({"every group, 1": lr, "every group, 2": 10 * lr})


def test_an_optimizer_with_groups_of_its_own_follows_a_plan():
    net = network()
    before = {name: weight.clone() for name, weight in net.named_parameters()}
    plan = FreezePlan((Rule("block1", None), Rule("features", 0.5), Rule("head")))
    going = run(10, net=net, optimizer=biases_faster, plan=plan, lr=1e-3)
    next(going)
    found = {(g["layer_group"], g["weight_decay"]): g["lr"] for g in going.optimizer.param_groups}
    lrs = {("features", 0.01): 5e-4, ("head", 0.01): 1e-3, ("features", 0.0): 5e-3, ("head", 0.0): 1e-2}
    assert found == pytest.approx(lrs)
    assert {name for name, w in net.named_parameters() if not w.equal(before[name])} == {
        name for name in before if "block1" not in name
    }
    assert going.lrs()["head, 2"] == pytest.approx(1e-2) and going.lrs()["block1"] is None


def test_a_batch_that_is_not_finite_is_named_and_the_learning_rate_is_not_blamed():
    batches = [Batches(split(), 8)[number] for number in range(3)]
    inputs = batches[1].inputs.clone()
    inputs[3, 0, 0, 0] = math.nan
    batches[1] = batches[1]._replace(inputs=inputs)
    with pytest.raises(FloatingPointError, match="step 2, because example 3 of its batch has values that are not"):
        run(3, data=batches).finish()


@pytest.mark.parametrize("classes", [2, 5])
def test_a_head_for_other_classes_is_refused_before_anything_is_trained(classes):
    net = network().with_new_head(classes)
    before = digest(net)
    words = f"distinguishes {classes} classes, but these images have 3; give it a head for them"
    with pytest.raises(ValueError, match=words):
        next(run(net=net))
    assert digest(net) == before


class Several(nn.Module):
    """Returns more than logits, as networks of other libraries do."""

    def __init__(self, form):
        super().__init__()
        self.net, self.form = network(), form

    def forward(self, x):
        return self.form(self.net(x))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (lambda logits: (logits, 0), r"returns a tuple, .*such as outputs\[0\]"),
        (lambda logits: {"logits": logits}, r"returns a dict, .*such as outputs\['logits'\]"),
        (lambda logits: SimpleNamespace(logits=logits), r"returns a SimpleNamespace, .*such as outputs.logits"),
    ],
)
def test_a_network_that_returns_more_than_logits_is_refused_with_what_to_take(form, words):
    with pytest.raises(TypeError, match=words):
        next(run(net=Several(form)))
    with pytest.raises(TypeError, match=words):
        tl.evaluate(Several(form), split())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_network_of_another_precision_learns_from_the_same_data_and_is_tested(dtype):
    net = network().to(dtype)
    going = tl.validated(run(5, net=net), split(9)).finish()
    assert {weight.dtype for weight in net.parameters()} == {dtype}
    assert math.isfinite(going.history[-1]["accuracy"])


def test_an_optimizer_with_one_rate_of_its_own_is_named_by_it():
    going = run(3, optimizer=lambda weights, lr: torch.optim.AdamW(weights, lr=1e-4))
    next(going)
    assert going.lrs() == pytest.approx({"every group": 1e-4})
    assert going.optimizer.param_groups[0]["lr"] == pytest.approx(1e-4)


def test_a_learning_rate_of_another_library_is_noted_as_a_number():
    going = run(3)
    going.set_lr(torch.tensor(0.5))
    assert going.history == [{"step": 0, "lr": 0.5}]


@pytest.mark.parametrize("batch", [{"x": torch.ones(4, 1, 4, 4)}, (torch.ones(4, 1, 4, 4), torch.zeros(4).long())])
def test_a_loss_that_is_not_finite_is_named_whatever_its_batches_are(batch):
    class Exploding(tl.objectives.Objective):
        def forward(self, network, batch):
            return {"loss": sum(w.sum() for w in network.parameters()) * math.inf}

    with pytest.raises(FloatingPointError, match=r"Try a smaller one: run\.restart"):
        run(1, data=[batch], objective=Exploding()).finish()


def test_the_averaged_network_of_a_compiled_one_is_tested():
    going = run(4, net=torch.compile(network(), backend="eager"), average=0.5).finish()
    assert tl.evaluate(going, split()).accuracy >= 0


def test_lazy_layers_that_have_seen_nothing_and_optimizers_with_a_closure_are_refused():
    with pytest.raises(ValueError, match=r"this network has lazy layers, .* call it once"):
        run(net=nn.Sequential(nn.Flatten(), nn.LazyLinear(3)))
    with pytest.raises(ValueError, match="LBFGS needs a closure, which a run has not"):
        run(optimizer=torch.optim.LBFGS)


def test_a_network_that_keeps_its_activations_is_copied():
    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.log, self.last = network(), [], {}

        def forward(self, x):
            self.last["x"] = self.net(x)
            self.log[:] = [self.last["x"]]
            return self.last["x"]

    net = Keeping()
    net(split().inputs)
    assert run(3, net=net, average=0.5).finish().finished


def test_a_run_is_not_resumed_with_a_loss_of_other_settings(tmp_path):
    run(3, objective=nn.CrossEntropyLoss()).finish().save(tmp_path / "run.safetensors")
    for other in (nn.CrossEntropyLoss(label_smoothing=0.3), nn.CrossEntropyLoss(torch.ones(3))):
        with pytest.raises(ValueError, match=r"is of a run made with something else|are not those of this objective"):
            tl.resume(tmp_path / "run.safetensors", network(), other, split(), device="cpu")
    tl.resume(tmp_path / "run.safetensors", network(), nn.CrossEntropyLoss(), split(), device="cpu")
