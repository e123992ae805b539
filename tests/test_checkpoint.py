"""A run in a file: it goes on exactly, it is whole or not there, and what does not fit is refused before a change."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers import digest, network, run, split
from safetensors.torch import load_file, save_file
from torch import nn

import tlkit as tl
from tlkit.freezing import FreezePlan, Rule, last_layers
from tlkit.training import checkpoint
from tlkit.training.provenance import made_with

STEPS = 20
PLAN = FreezePlan(  # features thaw at step 9 and freeze again at 15, the head thaws again at step 17
    (
        Rule("block1", None),
        *(Rule("features", None), Rule("features", 0.5, 0.4), Rule("features", 1.0, 0.7)),
        *(Rule("head"), Rule("head", None, 0.45), Rule("head", 1.0, 0.8)),
    )
)
OPTIMIZERS = {"AdamW": torch.optim.AdamW, "SGD": partial(torch.optim.SGD, momentum=0.9, weight_decay=0.1)}
NOISY = tl.objectives.CrossEntropy(augment=tl.data.noise)


def parts(seed: int = 1) -> tuple[nn.Module, nn.Module, tl.data.Split]:
    """What a run is made of, made anew: the file must bring the weights."""
    return network(seed), tl.objectives.CrossEntropy(augment=tl.data.noise), split()


def saved_at(at: int, path: Path, **options) -> tl.Run:
    going = run(STEPS, objective=NOISY, **options)
    for _ in range(at):
        next(going)
    going.save(path)
    return going


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "run.safetensors"


# ---- it goes on exactly ----


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("schedule", [None, "one-cycle"])
def test_a_run_resumed_at_any_step_ends_as_if_it_had_never_stopped(path, schedule, optimizer):
    options = {"plan": PLAN, "schedule": schedule, "optimizer": optimizer}
    never_stopped = run(STEPS, objective=NOISY, **options).finish()
    going = run(STEPS, objective=NOISY, **options)
    for at in range(STEPS + 1):
        going.save(path)
        again = tl.resume(path, *parts(), optimizer=optimizer, device="cpu").finish()
        assert digest(again.network) == digest(never_stopped.network), at
        assert again.history.series("loss") == never_stopped.history.series("loss"), at
        next(going, None)


def test_saving_does_not_disturb_the_run_that_is_saved(path):
    going = run(STEPS, objective=NOISY, plan=PLAN)
    for _ in going:
        going.save(path)
    assert digest(going.network) == digest(run(STEPS, objective=NOISY, plan=PLAN).finish().network)


def test_a_resumed_run_can_be_saved_and_resumed_again(path):
    saved_at(5, path, plan=PLAN)
    second = tl.resume(path, *parts(), device="cpu")
    for _ in range(6):
        next(second)
    second.save(path)
    third = tl.resume(path, *parts(), device="cpu").finish()
    assert digest(third.network) == digest(run(STEPS, objective=NOISY, plan=PLAN).finish().network)


RESUME = """
import sys
sys.path.insert(0, "tests")
import tlkit as tl
from helpers import digest
from test_checkpoint import parts
print(digest(tl.resume(sys.argv[1], *parts(), device="cpu").finish().network))
"""


def test_a_run_goes_on_in_another_process(path):
    saved_at(8, path, plan=PLAN)
    root = Path(__file__).parent.parent
    ran = subprocess.run([sys.executable, "-c", RESUME, path], capture_output=True, text=True, cwd=root, check=True)
    assert ran.stdout.strip() == digest(run(STEPS, objective=NOISY, plan=PLAN).finish().network)


def test_what_a_run_knows_comes_back(path):
    going = saved_at(3, path, plan=PLAN, schedule="one-cycle", seed=4, lr=0.01, precision="bfloat16")
    going.set_lr(0.02)
    going.save(path)
    again = tl.resume(path, *parts(), device="cpu")
    same = ["steps", "step", "lr", "current_lr", "schedule", "seed", "precision", "plan", "seconds", "history"]
    same += ["choice"]
    assert {name: getattr(again, name) for name in same} == {name: getattr(going, name) for name in same}
    assert (again.batches.batch_size, again.lrs()) == (8, going.lrs())


def test_a_run_that_was_saved_when_its_learning_rate_was_called_rate_comes_back(path):
    going = saved_at(3, path)
    going.set_lr(0.02)
    state = going.state_dict()
    history = [{"rate" if name == "lr" else name: value for name, value in r.items()} for r in state["history"]]
    old = state | {"rate": state.pop("current_lr"), "history": history}
    checkpoint.write(path, made_with(going) | {"run": old})
    again = tl.resume(path, *parts(), device="cpu")
    assert (again.current_lr, again.history.series("lr")) == (0.02, ([3], [0.02]))


def test_a_resumed_run_restarts_from_the_first_weights(path):
    saved_at(9, path, plan=PLAN)
    again = tl.resume(path, *parts(), device="cpu").restart().finish()
    assert digest(again.network) == digest(run(STEPS, objective=NOISY, plan=PLAN).finish().network)


def test_a_resumed_run_that_fails_goes_back_to_where_it_was_resumed(path):
    saved_at(9, path)
    again = tl.resume(path, *parts(), device="cpu")
    before = digest(again.network)
    again._checks_each_step = False  # as on an accelerator, where the loss is looked at later
    again.set_lr(1e30)
    with pytest.raises(FloatingPointError, match="the weights of step 9 are kept"):
        again.finish()
    assert digest(again.network) == before


def test_a_run_that_was_ended_by_an_error_is_saved_with_its_last_finite_weights(path):
    failing = run(STEPS, lr=1e30, objective=NOISY)
    with pytest.raises(FloatingPointError):
        failing.finish()
    failing.save(path)
    again = tl.resume(path, *parts(), device="cpu")
    assert (again.step, again.error, digest(again.network)) == (failing.step, failing.error, digest(failing.network))


def test_the_objectives_weights_come_back_too(path):
    class Scaled(tl.objectives.CrossEntropy):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, net, batch):
            return {"loss": self.scale * super().forward(net, batch)["loss"]}

    going = run(STEPS, objective=Scaled(), plan=last_layers(network(), 1))
    next(going)
    going.save(path)
    again = tl.resume(path, network(1), Scaled(), split(), device="cpu").finish()
    assert again.objective.scale.equal(going.finish().objective.scale)


def test_a_fast_run_goes_on_as_fast_as_it_was(path):
    saved_at(3, path, fast=True)
    again = tl.resume(path, *parts(), device="cpu").finish()
    assert again.choice.startswith("fast: ")
    assert digest(again.network) == digest(run(STEPS, objective=NOISY, fast=True).finish().network)


def test_data_with_numbered_batches_of_their_own_are_passed_again(path):
    class Same:
        def __getitem__(self, step):
            return tl.data.Batches(split(), 8)[0]

    going = run(STEPS, data=Same())
    next(going)
    going.save(path)
    again = tl.resume(path, network(1), tl.objectives.CrossEntropy(), Same(), device="cpu").finish()
    assert digest(again.network) == digest(going.finish().network)


# ---- the file ----


def test_a_run_is_one_file_whose_weights_any_reader_of_safetensors_finds(path):
    going = saved_at(3, path, plan=PLAN)
    assert [file.name for file in path.parent.iterdir()] == ["run.safetensors"]
    assert load_file(path)["run.now.0.head.weight"].equal(going.network.head.weight)


class Full:
    """A disk on which only the beginning of a file has room."""

    def __init__(self, room: int):
        self.room = room

    def __call__(self, path: Path, data: bytes) -> None:
        with open(path, "wb") as file:
            file.write(data[: self.room])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("room", [0, 100, 5000])
def test_a_full_disk_leaves_the_file_that_was_there_and_no_other(path, monkeypatch, room):
    going = saved_at(3, path)
    before = path.read_bytes()
    next(going)
    monkeypatch.setattr(Path, "write_bytes", lambda self, data: Full(room)(self, data))
    with pytest.raises(OSError, match=r"the run is not saved \(No space left on device\).*is as it was") as raised:
        going.save(path)
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["run.safetensors"]
    assert going.finish().finished


def test_an_interrupt_while_saving_leaves_the_file_that_was_there(path, monkeypatch):
    def interrupted(self, data):
        self.touch()
        raise KeyboardInterrupt

    going = saved_at(3, path)
    before = path.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        going.save(path)
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


def test_a_folder_that_is_not_there_is_made(tmp_path):
    saved_at(1, tmp_path / "a" / "b" / "run.safetensors")
    assert (tmp_path / "a" / "b" / "run.safetensors").is_file()


# ---- what does not fit ----


def test_a_file_that_was_cut_short_is_refused_wherever_it_was_cut(path):
    saved_at(3, path)
    whole = path.read_bytes()
    for size in [0, 1, 7, 8, 100, *range(200, len(whole), len(whole) // 20), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="is damaged, or not a file that run"):
            tl.resume(path, *parts())


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"PK\x03\x04 a zip", b"\x80\x02}q\x00."])
def test_a_file_of_another_kind_is_refused(path, content):
    path.write_bytes(content * 10)
    with pytest.raises(ValueError, match="is damaged, or not a file that run"):
        tl.resume(path, *parts())


def test_weights_alone_are_no_run(path):
    save_file(network().state_dict(), path)
    with pytest.raises(ValueError, match="holds weights, but no run to go on with"):
        tl.resume(path, *parts())


def test_a_file_that_is_not_there_is_an_error(path):
    with pytest.raises(FileNotFoundError, match=r"run\.safetensors"):
        tl.resume(path, *parts())


def test_a_newer_files_format_is_not_guessed_at(path):
    about = {"format": 99, "versions": {"tlkit": "7.0"}}
    save_file({"a": torch.zeros(1)}, path, {"tlkit": json.dumps(about)})
    with pytest.raises(
        ValueError,
        match=r"written by a newer tlkit \(7\.0, format 99; .*; resume it with that one, or train",
    ):
        tl.resume(path, *parts())


def refused(path: Path, words: str, net: nn.Module, data=None, **options) -> None:
    before = digest(net)
    with pytest.raises(ValueError, match=words):
        tl.resume(path, net, tl.objectives.CrossEntropy(), split() if data is None else data, device="cpu", **options)
    assert digest(net) == before


def test_other_shapes_are_listed_by_name_and_nothing_is_changed(path):
    saved_at(3, path)
    refused(
        path,
        r"this network: head.weight \(\[3, 6\] in the file, \[5, 6\] here\), head.bias \(\[3\] .*, \[5\] here\)$",
        network().with_new_head(5),
    )


def test_another_network_is_refused_and_at_most_ten_names_are_listed(path):
    saved_at(3, path)
    refused(
        path,
        r"0.bias \(\[4\] in the file, \[16\] here\)(, [^()]+\([^()]+ here\)){8} and 14 more$",
        tl.models.SmallCNN(),
    )


def test_a_weight_that_only_one_side_has_is_listed(path):
    saved_at(3, path)
    net = network()
    net.register_buffer("mask", torch.ones(2))
    del net.head.bias
    net.head.register_parameter("bias", None)
    refused(path, r"head.bias \(\[3\] in the file, none here\), mask \(none in the file, \[2\] here\)$", net)


def test_another_number_of_images_is_refused(path):
    saved_at(3, path)
    words = r"data: 30 grey images of 4 x 4, 3 classes \(\w+\) then, 31 grey images .* now\); make it as it was"
    refused(path, words, network(), split(31))


def test_batches_of_another_size_or_order_are_refused(path):
    saved_at(3, path)
    batches = tl.data.Batches(split(), 9, seed=2)
    refused(path, "batch size: 8 then, 9 now; seed of the batches: 0 then, 2 now", network(), batches)


def test_another_optimizer_is_refused(path):
    saved_at(3, path)
    refused(path, "optimizer: AdamW then, SGD now", network(), optimizer=torch.optim.SGD)


def test_weights_that_were_frozen_by_the_user_must_be_so_again(path):
    net = network()
    net.head.bias.requires_grad_(False)
    going = run(STEPS, net=net, objective=NOISY)
    next(going)
    going.save(path)
    refused(path, r"frozen by you: \['head.bias'\] then, \[\] now", network())
    again = parts()
    again[0].head.bias.requires_grad_(False)
    assert digest(tl.resume(path, *again, device="cpu").finish().network) == digest(going.finish().network)


@pytest.mark.parametrize("again", ["as it was made", "as it was saved"])
def test_a_run_that_was_frozen_by_hand_halfway_goes_on_exactly(again, tmp_path):
    def halfway(net):
        going = run(9, net=net)
        next(going)
        net.backbone.requires_grad_(False)
        next(going)
        return going

    going, net = halfway(network()), network()
    going.save(tmp_path / "run.safetensors")
    net.backbone.requires_grad_(again == "as it was made")
    resumed = tl.resume(tmp_path / "run.safetensors", net, tl.objectives.CrossEntropy(), split(), device="cpu")
    assert not any(weight.requires_grad for weight in net.backbone.parameters())
    assert digest(resumed.finish().network) == digest(going.finish().network)


def test_a_run_is_not_resumed_with_an_optimizer_of_other_groups_and_nothing_changes(tmp_path):
    def halves(weights, lr):
        return torch.optim.AdamW([{"params": weights[:2]}, {"params": weights[2:]}], lr=lr)

    going = run(3)
    next(going)
    going.save(tmp_path / "run.safetensors")
    net = network(seed=1)
    before, parts = digest(net), (net, tl.objectives.CrossEntropy(), split())
    with pytest.raises(ValueError, match=r"weights in the optimizer's groups: \[8\] then, \[2, 6\] now"):
        tl.resume(tmp_path / "run.safetensors", *parts, device="cpu", optimizer=halves)
    net.head.requires_grad_(False)
    with pytest.raises(ValueError, match=r"frozen by you: \[\] then, \['head.weight', 'head.bias'\] now"):
        tl.resume(tmp_path / "run.safetensors", *parts, device="cpu")
    assert digest(net) == before and not net.head.weight.requires_grad and net.backbone.block1[0].weight.requires_grad


class Locating(nn.Module):
    """Makes a buffer in its first pass."""

    def __init__(self, declared: bool):
        super().__init__()
        self.net = network()
        if declared:
            self.register_buffer("mean", None)

    def forward(self, x):
        if getattr(self, "mean", None) is None:
            self.register_buffer("mean", x.mean(0).detach())
        return self.net(x - self.mean)


@pytest.mark.parametrize("declared", [True, False])
def test_a_network_that_makes_a_buffer_in_its_first_pass_is_averaged_and_restarts(declared):
    going = run(6, net=Locating(declared), average=0.5).finish()
    once = digest(going.network), digest(going.averaged)
    going.restart().finish()
    assert (digest(going.network), digest(going.averaged)) == once
    assert tl.evaluate(going, split()).accuracy >= 0


def test_a_network_that_makes_a_buffer_in_its_first_pass_is_resumed(tmp_path):
    going = run(6, net=Locating(True))
    next(going)
    going.save(tmp_path / "run.safetensors")
    parts = Locating(True), tl.objectives.CrossEntropy(), split()
    resumed = tl.resume(tmp_path / "run.safetensors", *parts, device="cpu").finish()
    assert digest(resumed.network) == digest(going.finish().network)


def test_a_path_in_the_home_folder_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run(1).finish().save("~/run.safetensors")
    assert (tmp_path / "run.safetensors").is_file()
    tl.resume("~/run.safetensors", network(), tl.objectives.CrossEntropy(), split(), device="cpu")


def test_a_cache_of_the_first_pass_that_no_file_keeps_is_averaged_too():
    class Caching(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, x):
            if not hasattr(self, "places"):
                self.register_buffer("places", torch.linspace(0, 1, x.shape[-1]), persistent=False)
            return self.net(x + self.places)

    going = run(4, net=Caching(), average=0.5).finish()
    assert tl.evaluate(going, split()).accuracy >= 0
