"""The command: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tlkit import cli
from tlkit.lessons.headless import kernel_environment

TESTS = Path(__file__).resolve().parent
HEAVY = ("torch", "torchvision", "matplotlib", "sklearn", "numpy")


def plant(folder: Path, name: str, *cells: str) -> None:
    about = {"title": name, "question": f"What is {name}?", "minutes": 20, "transfer": "supervised"}
    code = [new_code_cell(text, id=f"cell-{number}") for number, text in enumerate(cells)]
    nbformat.write(new_notebook(cells=code, metadata={"tlkit": about}), folder / f"{name}.ipynb")


@pytest.fixture
def lessons(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    plant(folder, "01_why_transfer", "answer = 42")
    monkeypatch.setattr("tlkit.lessons.course.lessons_folder", lambda: folder)
    return folder


# ---- as a whole ----


def test_help_names_the_commands_and_loads_nothing_heavy():
    code = f"try: main(['--help'])\nfinally: print(set(sys.modules) & set({HEAVY}))"
    imports = "import sys; from tlkit.cli import main\n"
    ran = subprocess.run([sys.executable, "-c", imports + code], capture_output=True, text=True)
    assert [command in ran.stdout for command in ("lab", "lessons", "run")] == [True] * 3
    assert ran.stdout.endswith("set()\n")


def test_the_package_runs_as_a_module():
    ran = subprocess.run([sys.executable, "-m", "tlkit", "--version"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "0.1.0\n")


def test_without_a_command_it_says_how_to_call_it(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2 and "usage: tlkit" in capsys.readouterr().err


def test_an_interrupt_ends_it_as_the_shell_expects(monkeypatch):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_parser", lambda: argparse.ArgumentParser())
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", lambda *_: argparse.Namespace(command=interrupted))
    assert cli.main([]) == 130


# ---- lessons ----


def test_lessons_are_listed_with_their_question(lessons, capsys):
    assert cli.main(["lessons"]) == 0
    assert capsys.readouterr().out == "01_why_transfer           20 min  What is 01_why_transfer?\n"


def test_lessons_are_listed_as_json(lessons, capsys):
    assert cli.main(["lessons", "--json"]) == 0
    about = {
        "title": "01_why_transfer",
        "question": "What is 01_why_transfer?",
        "minutes": 20,
        "transfer": "supervised",
    }
    assert json.loads(capsys.readouterr().out) == [{"name": "01_why_transfer"} | about]


# ---- run ----

CLAIMS = """
import sys
sys.path.insert(0, {tests!r})
from helpers import measured
import tlkit as tl
comparison = measured({{"x": [0.9, 0.91, 0.92, 0.9, 0.9], "y": [0.7, 0.72, 0.71, 0.7, 0.7]}}, budgets=(1,), skip=(50,))
"""


def test_run_reports_every_claim_true_or_false_and_goes_on_to_the_next_lesson(lessons, tmp_path, capsys):
    """One kernel for each of two lessons: this is the slow test of this file."""
    plant(
        lessons,
        "02_claims",
        CLAIMS.format(tests=str(TESTS)),
        "tl.lessons.claim(comparison, 'x', better_than='y', at=1, by=5, text='x wins')",
        "tl.lessons.claim(comparison, 'y', better_than='x', at=1, text='y wins')",
        "tl.lessons.claim(comparison, 'x', level_with='y', at=50, text='in the end they are level')",
        "import os, pathlib; assert tl.lessons.scale() == 'quick' and os.environ['OMP_NUM_THREADS'] == '1'",
        "pathlib.Path('litter.txt').write_text('here')",
    )
    plant(lessons, "03_broken", "1 / 0", "print('never reached')")
    results, pages = tmp_path / "results.json", tmp_path / "pages"
    call = ["run", "02", "03", "--scale", "quick", "--json", str(results), "--html", str(pages)]
    assert cli.main(call) == 1

    printed = capsys.readouterr().out
    assert "02_claims at quick: What is 02_claims?" in printed
    assert "  holds: x wins: +20.0 (+19.1 to +20.9) points, 5 seeds" in printed
    assert "  DOES NOT HOLD: y wins: -20.0 (-20.9 to -19.1) points, 5 seeds" in printed
    assert "  undecided: in the end they are level\n" in printed
    assert "  FAILED cell 'cell-0': ZeroDivisionError: division by zero" in printed

    claims, broken = json.loads(results.read_text())
    assert list(claims) == ["lesson", "scale", "device", "seconds", "date", "machine", "versions", "claims"]
    assert (claims["lesson"], claims["scale"], claims["seconds"] > 0) == ("02_claims", "quick", True)
    assert [claim["holds"] for claim in claims["claims"]] == [True, False, None]
    assert all(list(claim) == ["text", "holds", "difference", "low", "high", "seeds"] for claim in claims["claims"])
    assert claims["claims"][0]["difference"] == pytest.approx(20)
    assert (broken["claims"], broken["error"]) == ([], "cell 'cell-0': ZeroDivisionError: division by zero")

    page = (pages / "02_claims.html").read_text()
    assert "✓ Holds: x wins." in page and "✕ Does not hold: y wins." in page
    assert list(tmp_path.rglob("litter.txt")) == [] and not Path("litter.txt").exists()


def entry(*holds: bool | None, **more) -> dict:
    claims = [{"text": "it", "holds": h, "difference": 1.0, "low": None, "high": None, "seeds": 5} for h in holds]
    return {"lesson": "01_why_transfer", "device": "cpu", "seconds": 1.0, "claims": claims} | more


@pytest.mark.parametrize(
    ("found", "status"),
    [(entry(True, True), 0), (entry(True, None), 0), (entry(), 0), (entry(True, False), 1), (entry(error="cell"), 1)],
    ids=["all hold", "one is undecided", "no claims", "one is false", "a cell failed"],
)
def test_run_fails_for_a_false_claim_and_for_a_failed_cell(found, status, lessons, monkeypatch):
    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", lambda *_: found)
    assert cli.main(["run", "01"]) == status


@pytest.mark.parametrize(("variable", "expected"), [(None, "standard"), ("full", "full")])
def test_run_takes_the_scale_of_the_environment_unless_told(variable, expected, lessons, monkeypatch):
    monkeypatch.setenv("TLKIT_SCALE", variable) if variable else monkeypatch.delenv("TLKIT_SCALE", raising=False)
    asked = []
    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", lambda lesson, scale, html: asked.append(scale) or entry())
    cli.main(["run", "01"])
    cli.main(["run", "01", "--scale", "quick"])
    assert asked == [expected, "quick"]


def test_an_unknown_lesson_gets_the_nearest_match_before_anything_runs(lessons, monkeypatch, capsys):
    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", lambda *_: pytest.fail("a lesson ran"))
    assert cli.main(["run", "01", "02_why_transfer"]) == 2
    assert capsys.readouterr().err == 'tlkit: there is no lesson "02_why_transfer"; did you mean "01_why_transfer"?\n'


def test_an_unknown_scale_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "01", "--scale", "huge"])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and all(scale in said for scale in ("'huge'", "quick", "standard", "full"))


def test_kernels_get_one_thread_unless_the_user_or_the_full_scale_says_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert kernel_environment("quick")["OMP_NUM_THREADS"] == "1"
    assert kernel_environment("quick")["TLKIT_SCALE"] == "quick"
    assert "OMP_NUM_THREADS" not in kernel_environment("full")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert kernel_environment("standard")["OMP_NUM_THREADS"] == "3"


# ---- lab ----


@pytest.fixture
def lab(lessons, tmp_path, monkeypatch):
    """Call `tlkit lab` without starting it; returns its exit status, and the command and environment it would start."""
    started = []

    def call(*options: str):
        started.clear()
        status = cli.main(["lab", "--folder", str(tmp_path / "mine"), *options])
        return status, *(started or [([], {})])[0]

    monkeypatch.setattr(cli, "_become", lambda command, env: started.append((command, env)) or 0)
    monkeypatch.setenv("DISPLAY", ":0")
    return call


def test_lab_opens_the_first_of_the_copies(lab, tmp_path):
    status, command, environment = lab()
    assert status == 0
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={(tmp_path / 'mine').resolve()}" in command
    assert "--LabApp.default_url=/lab/tree/01_why_transfer.ipynb" in command
    assert environment["OMP_NUM_THREADS"] == os.environ["OMP_NUM_THREADS"]
    assert (tmp_path / "mine" / "01_why_transfer.ipynb").exists()


def test_lab_says_where_a_fresh_copy_stands_beside_an_edited_lesson(lab, tmp_path, capsys):
    lab()
    assert "fresh" not in capsys.readouterr().out
    copy = tmp_path / "mine" / "01_why_transfer.ipynb"
    copy.write_text(copy.read_text().replace("42", "43"))
    _, command, _ = lab()
    assert (
        "edited lessons stay as they are" in (said := capsys.readouterr().out) and "01_why_transfer-fresh.ipynb" in said
    )
    assert "--LabApp.default_url=/lab/tree/01_why_transfer.ipynb" in command


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_lab_works_as_root_and_says_so(user, allowed, lab, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    _, command, _ = lab()
    assert ("--allow-root" in command) is allowed
    assert ("You are root" in capsys.readouterr().out) is allowed


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="these always have a screen")
def test_lab_without_a_screen_prints_the_address(lab, monkeypatch, capsys):
    assert "--no-browser" not in lab()[1]
    assert "--no-browser" in lab("--no-browser")[1]
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert "--no-browser" in lab()[1]
    assert "Open the address below in a browser" in capsys.readouterr().out


def test_lab_takes_the_port_it_is_given_and_no_other(lab):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = lab("--port", str(port))[1]
    assert f"--port={port}" in command and "--port-retries=0" in command


def test_lab_says_that_a_port_is_in_use_and_starts_nothing(lab, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, command, _ = lab("--port", str(port))
    assert (status, command) == (2, [])
    assert f"tlkit: port {port} is in use; leave --port out and a free one is taken" in capsys.readouterr().err


def test_lab_says_that_there_is_no_such_port(lab, capsys):
    assert lab("--port", "70000")[0] == 2
    assert "there is no port 70000" in capsys.readouterr().err
