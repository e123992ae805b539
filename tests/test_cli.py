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
from helpers import plant_kernel, reader
from jupyterlab_server.settings_utils import _get_overrides
from nbformat.v4 import new_code_cell, new_notebook

import tlkit as tl
from tlkit import cli
from tlkit.lessons.copies import NAMES
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
    assert [command in ran.stdout for command in ("lab", "lessons", "run", "data", "doctor")] == [True] * 5
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


NAMES_OF_PYTHON = "random re fnmatch types token copy string json socket logging inspect code queue select calendar"


@pytest.fixture
def disguised(tmp_path, monkeypatch) -> Path:
    """A working folder in which a learner's files have names of Python's modules."""
    for name in NAMES_OF_PYTHON.split():
        (tmp_path / f"{name}.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_module_takes_no_file_of_the_working_folder_for_one_of_pythons(disguised):
    for name in ("re", "fnmatch", "types"):  # those that Python itself reads for -m, before tlkit does anything
        (disguised / f"{name}.py").unlink()
    ran = subprocess.run([sys.executable, "-m", "tlkit", "lessons"], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_what_the_encoding_of_the_output_does_not_have_is_printed_plainly():
    code = "from tlkit import cli; cli._lessons = lambda options: print('✓ a − b') or 0; cli.main(['lessons'])"
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert (ran.stdout, ran.stderr) == (b"+ a - b\n", b"")


def test_who_reads_only_the_first_lines_gets_no_complaint():
    code = "import sys; sys.stdin.close(); from tlkit.cli import main; sys.exit(main(['lessons']))"
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (ran.returncode, ran.stderr) == (cli.UNREAD, b"")


@pytest.mark.parametrize("name", ["lab", "run", "doctor"])
def test_without_a_home_folder_jupyter_is_not_started_and_it_says_what_to_do(name, lessons, monkeypatch, capsys):
    def homeless(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    assert cli.main([name, "01"] if name == "run" else [name]) == 2
    assert "set HOME to one you may write to" in capsys.readouterr().err


# ---- lessons ----


def test_lessons_are_listed_with_their_question(lessons, capsys):
    assert cli.main(["lessons"]) == 0
    assert capsys.readouterr().out == "01_why_transfer                   20 min  What is 01_why_transfer?\n"


def test_lessons_are_listed_as_json(lessons, capsys):
    assert cli.main(["lessons", "--json"]) == 0
    about = {
        "title": "01_why_transfer",
        "question": "What is 01_why_transfer?",
        "minutes": 20,
        "transfer": "supervised",
    }
    assert json.loads(capsys.readouterr().out) == [{"name": "01_why_transfer"} | about]


@pytest.fixture
def odd(lessons) -> str:
    """Two numbered notebooks that are not lessons; the reasons for both, each time."""
    nbformat.write(new_notebook(), lessons / "02_new.ipynb")
    plant(lessons, "01_why_transfer-Copy1")
    return (
        "tlkit: 01_why_transfer-Copy1.ipynb is left out: its number is that of 01_why_transfer.ipynb; give one of "
        'them another\ntlkit: 02_new.ipynb is left out: its metadata does not say, under "tlkit", its title, question, '
        "minutes, transfer; see docs/lessons.md\n"
    )


@pytest.mark.parametrize("call", [["lessons"], ["lessons", "--json"], ["run", "01"], ["lab"]], ids=" ".join)
def test_a_notebook_that_is_not_a_lesson_is_named_and_left_out(call, odd, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", lambda *_: entry())
    monkeypatch.setattr(cli, "_become", lambda *_: 0)
    assert cli.main(call) == 0
    printed = capsys.readouterr()
    assert printed.err == odd and "02_new" not in printed.out


def test_run_says_why_a_notebook_is_not_a_lesson_and_runs_nothing(odd, monkeypatch, capsys):
    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", lambda *_: pytest.fail("a lesson ran"))
    assert cli.main(["run", "01", "02_new"]) == 2
    assert capsys.readouterr().err == odd + odd.splitlines(keepends=True)[1]


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


def test_a_file_of_ones_own_runs_in_its_own_folder_with_the_modules_beside_it(lessons, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "beside.py").write_text("answer = 42")
    plant(tmp_path / "mine", "01_why_transfer", "from beside import answer", "assert answer == 43, 'mine'")
    assert cli.main(["run", str(tmp_path / "mine" / "01_why_transfer.ipynb"), "--scale", "quick"]) == 1
    assert "FAILED cell 'cell-1': AssertionError: mine" in capsys.readouterr().out


def entry(*holds: bool | None, **more) -> dict:
    claims = [{"text": "it", "holds": h, "difference": 1.0, "low": None, "high": None, "seeds": 5} for h in holds]
    return {"lesson": "01_why_transfer", "device": "cpu", "seconds": 1.0, "claims": claims} | more


@pytest.fixture
def instant(lessons, monkeypatch):
    """Lessons that take no time; what is done while one runs may be given."""
    during = []

    def run_lesson(*_):
        for action in during:
            action()
        return entry(True)

    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", run_lesson)
    return during


def test_a_kernel_that_cannot_start_is_a_sentence_with_a_status_of_its_own(lessons, tmp_path, monkeypatch, capsys):
    plant_kernel(tmp_path, "raise SystemExit('no disk\\nno memory')")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    (results := tmp_path / "results.json").write_text("earlier")
    assert cli.main(["run", "01", "--json", str(results)]) == 3
    words = capsys.readouterr().err
    assert 'tlkit: the kernel "python3" does not start: ' in words and words.endswith("no memory\n")
    assert results.read_text() == "earlier"


def test_a_kernel_that_is_not_installed_is_named(lessons, capsys):
    notebook = nbformat.read(path := lessons / "01_why_transfer.ipynb", as_version=4)
    notebook.metadata.kernelspec = {"name": "no-such-kernel", "display_name": "", "language": "python"}
    nbformat.write(notebook, path)
    assert cli.main(["run", "01"]) == 3
    assert 'the kernel "no-such-kernel" does not start: No such kernel' in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_what_cannot_be_written_is_refused_before_a_lesson_runs(option, instant, tmp_path, capsys):
    (tmp_path / "file").touch()
    instant.append(lambda: pytest.fail("a lesson ran"))
    assert cli.main(["run", "01", option, str(tmp_path / "file" / "results")]) == 2
    assert "cannot be written (" in (words := capsys.readouterr().err) and "nothing has run yet" in words


def test_results_are_not_written_over_a_folder_and_nothing_runs(instant, tmp_path, capsys):
    instant.append(lambda: pytest.fail("a lesson ran"))
    assert cli.main(["run", "01", "--json", str(tmp_path)]) == 2
    assert f"{tmp_path} cannot be written (Is a directory)" in capsys.readouterr().err


def test_what_was_measured_is_printed_also_when_it_can_no_longer_be_written(instant, tmp_path, capsys):
    folder = tmp_path / "results"
    instant.append(lambda: (folder.rmdir(), folder.touch()))
    assert cli.main(["run", "01", "--json", str(folder / "results.json")]) == 2
    assert "  holds: it: +1.0 points, 5 seeds\n" in capsys.readouterr().out


def test_what_was_measured_is_written_also_when_nobody_reads_what_is_printed(instant, tmp_path, monkeypatch):
    def gone(words, **_):
        if "holds" in words:
            raise BrokenPipeError

    monkeypatch.setattr(cli, "print", gone, raising=False)
    cli.main(["run", "01", "--json", str(tmp_path / "results.json")])
    assert json.loads((tmp_path / "results.json").read_text()) == [entry(True)]


def test_results_for_a_pipe_are_one_list(instant, lessons, tmp_path):
    plant(lessons, "02_more", "1")
    with reader(pipe := tmp_path / "pipe") as read:
        assert cli.main(["run", "01", "02", "--json", str(pipe)]) == 0
        assert json.loads(read()) == [entry(True)] * 2


def test_two_lessons_of_one_name_do_not_overwrite_each_others_page(instant, tmp_path, capsys):
    plant(tmp_path, "01_why_transfer", "1")
    call = ["run", "01", str(tmp_path / "01_why_transfer.ipynb"), "--html", str(tmp_path / "pages")]
    assert cli.main(call) == 2
    assert "two of these lessons are called 01_why_transfer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "status"),
    [(entry(True, True), 0), (entry(True, None), 0), (entry(), 0), (entry(True, False), 1), (entry(error="cell"), 1)],
    ids=["all hold", "one is undecided", "no claims", "one is false", "a cell failed"],
)
def test_run_fails_for_a_false_claim_and_for_a_failed_cell(found, status, lessons, monkeypatch):
    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", lambda *_: found)
    assert cli.main(["run", "01"]) == status


@pytest.mark.parametrize(("variable", "expected"), [(None, "standard"), ("full", "full")])
def test_run_takes_the_scale_of_the_environment_by_default(variable, expected, lessons, monkeypatch):
    monkeypatch.setenv("TLKIT_SCALE", variable) if variable else monkeypatch.delenv("TLKIT_SCALE", raising=False)
    scales = []
    monkeypatch.setattr(
        "tlkit.lessons.headless.run_lesson", lambda lesson, scale, html, record: scales.append(scale) or entry()
    )
    cli.main(["run", "01"])
    cli.main(["run", "01", "--scale", "quick"])
    assert scales == [expected, "quick"]


def test_an_unknown_lesson_gets_the_nearest_match_before_anything_runs(lessons, monkeypatch, capsys):
    monkeypatch.setattr("tlkit.lessons.headless.run_lesson", lambda *_: pytest.fail("a lesson ran"))
    assert cli.main(["run", "01", "02_why_transfer"]) == 2
    assert capsys.readouterr().err == 'tlkit: there is no lesson "02_why_transfer"; did you mean "01_why_transfer"?\n'


def test_an_unknown_scale_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "01", "--scale", "huge"])
    words = capsys.readouterr().err
    assert ended.value.code == 2 and all(scale in words for scale in ("'huge'", "quick", "standard", "full"))


def test_kernels_get_one_thread_unless_the_user_or_the_full_scale_says_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert kernel_environment("quick")["OMP_NUM_THREADS"] == "1"
    assert kernel_environment("quick")["TLKIT_SCALE"] == "quick"
    assert "OMP_NUM_THREADS" not in kernel_environment("full")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert kernel_environment("standard")["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize("variable", ["TLKIT_DATA", "TLKIT_CACHE", "TLKIT_CLAIMS"])
def test_kernels_get_the_paths_of_variables_as_they_are_meant_here(variable, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "mine")
    assert kernel_environment("quick")[variable] == str(tmp_path / "mine")


def test_a_tilde_in_a_path_is_the_home_folder_also_where_the_shell_leaves_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    options = cli._parser().parse_args(["run", "01", "--json=~/out.json", "--html=~/pages"])
    assert (options.json, options.html) == (tmp_path / "out.json", tmp_path / "pages")
    assert cli._parser().parse_args(["lab", "--folder=~/course"]).folder == tmp_path / "course"


def test_a_tilde_of_a_user_there_is_not_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["lab", "--folder=~no-such-user/course"])
    assert ended.value.code == 2 and "~no-such-user/course" in capsys.readouterr().err


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
    assert command[:4] == [sys.executable, "-P", "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={(tmp_path / 'mine').resolve()}" in command
    assert "--LabApp.default_url=/lab/tree/01_why_transfer.ipynb" in command
    assert environment["OMP_NUM_THREADS"] == os.environ["OMP_NUM_THREADS"]
    assert (tmp_path / "mine" / "01_why_transfer.ipynb").exists()


def test_lab_asks_nothing_about_news_and_leaves_the_users_own_settings_alone(lab, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/theirs")
    ours, theirs = lab()[2]["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert theirs == "/theirs"
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", ours)
    assert _get_overrides(str(tmp_path))[0]["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_lab_says_that_there_is_no_lesson_to_open(lab, lessons, capsys):
    (lessons / "01_why_transfer.ipynb").write_text("{")
    assert lab()[0] == 2
    assert "tlkit: there is no lesson to open; `tlkit doctor` says what is wrong\n" in capsys.readouterr().err


def test_lab_says_where_a_fresh_copy_stands_beside_an_edited_lesson(lab, tmp_path, capsys):
    lab()
    assert "fresh" not in capsys.readouterr().out
    copy = tmp_path / "mine" / "01_why_transfer.ipynb"
    copy.write_text(copy.read_text().replace("42", "43"))
    _, command, _ = lab()
    assert (
        "edited lessons stay as they are" in (words := capsys.readouterr().out)
        and "01_why_transfer-fresh.ipynb" in words
    )
    assert "Of an older tlkit" not in words
    copy.write_text(copy.read_text().replace(f'"names": {NAMES}', '"names": 1'))
    lab()
    assert "some names in them have changed (CHANGELOG says which): 01_why_transfer.ipynb\n" in capsys.readouterr().out
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


def test_lab_takes_the_wanted_port_and_no_other(lab):
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


def test_lab_says_that_a_port_is_not_open_to_this_user(lab, monkeypatch, capsys):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.bind", refused)
    assert lab("--port", "80")[:2] == (2, [])
    assert "port 80 is not open to you; take one from 1024 on, or leave --port out" in capsys.readouterr().err


def test_jupyterlab_starts_where_files_have_names_of_pythons_modules(lab, disguised):
    ran = subprocess.run([*lab()[1], "--version"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("here", "options", "expected"),
    [
        ("", [], "tlkit-lessons"),
        ("", ["--teacher"], "tlkit-lessons-teacher"),
        ("tlkit-lessons", [], "tlkit-lessons"),
        ("tlkit-lessons", ["--teacher"], "tlkit-lessons-teacher"),
        ("mine", [], "mine"),
    ],
)
def test_lab_makes_no_copies_inside_the_copies(here, options, expected, lessons, tmp_path, monkeypatch):
    if here:
        tl.lessons.make_copies(tmp_path / here)
    monkeypatch.chdir(tmp_path / here)
    monkeypatch.setattr(cli, "_become", lambda *_: 0)
    assert cli.main(["lab", *options]) == 0
    assert {path.parent for path in tmp_path.rglob("*.ipynb")} - {lessons, tmp_path / here} <= {tmp_path / expected}
    assert (tmp_path / expected / "01_why_transfer.ipynb").exists()


def test_lab_says_that_there_is_no_such_port(lab, capsys):
    assert lab("--port", "70000")[0] == 2
    assert "there is no port 70000" in capsys.readouterr().err


# ---- data ----


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """No data on this machine, and a cache that cannot be written: a file stands in its place."""
    (cache := tmp_path / "cache").touch()
    monkeypatch.setenv("TLKIT_CACHE", str(cache))
    monkeypatch.delenv("TLKIT_DATA", raising=False)
    return cache


def broken_mnist(folder: Path) -> None:
    (folder / "MNIST" / "raw").mkdir(parents=True)
    for file in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / "MNIST" / "raw" / f"{file}-ubyte").write_text("no idx file")


def test_data_lists_what_is_always_there_and_what_would_be_downloaded(empty, capsys):
    assert cli.main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("digits", "glyphs", "MNIST", "FashionMNIST", "KMNIST", "CIFAR10", "CIFAR100", "SVHN")
    ]
    assert "1,797 handwritten digits of 8 x 8: always there" in lines[0]
    assert lines[2].endswith("70,000 handwritten digits of 28 x 28: would be downloaded (12 MB)")


def test_data_lists_the_data_set_that_is_named_and_where_it_is(empty, tmp_path, monkeypatch, capsys):
    broken_mnist(tmp_path)
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path))
    assert cli.main(["data", "list", "mnist"]) == 0
    assert f": ready in TLKIT_DATA: {tmp_path / 'MNIST' / 'raw'} (0 MB)\n" in capsys.readouterr().out


def test_data_check_fails_for_a_broken_file_and_goes_on_to_the_next(empty, tmp_path, monkeypatch, capsys):
    assert cli.main(["data", "check"]) == 0
    assert "MNIST         not on this machine, so there is nothing to check\n" in capsys.readouterr().out
    broken_mnist(tmp_path)
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path))
    assert cli.main(["data", "check", "MNIST", "SVHN"]) == 1
    mnist, svhn = capsys.readouterr().out.splitlines()
    assert "train-images-idx3-ubyte cannot be used (it is not an idx file of bytes)" in mnist
    assert svhn.endswith("nothing to check")


def test_data_fetch_says_why_it_could_not_and_does_nothing_where_nothing_is_to_do(empty, tmp_path, monkeypatch, capsys):
    assert cli.main(["data", "fetch", "digits", "cifar10"]) == 1
    digits, cifar = capsys.readouterr().out.splitlines()
    assert digits.endswith("always there, inside scikit-learn")
    assert f"CIFAR10 is neither in TLKIT_DATA (not set) nor in the cache ({empty})" in cifar
    assert f"the folder {empty} cannot be written" in cifar
    broken_mnist(tmp_path)
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path))
    assert cli.main(["data", "fetch", "MNIST"]) == 0
    assert "ready in TLKIT_DATA" in capsys.readouterr().out


@pytest.mark.parametrize("call", [["fetch"], ["check", "MNST"]])
def test_data_names_what_there_is_when_no_name_or_an_unknown_one_follows(call, capsys):
    assert cli.main(["data", *call]) == 2
    assert "MNIST, FashionMNIST, KMNIST, CIFAR10, CIFAR100, SVHN" in capsys.readouterr().err


# ---- doctor ----


def tried(monkeypatch, **checks):
    """Let the doctor try these and nothing else."""
    rows = [(name, check, f"mend the {name}") for name, check in checks.items()]
    monkeypatch.setattr("tlkit.lessons.readiness._checks", lambda kernel: rows)


def raising(error):
    def check():
        raise error

    return check


def test_doctor_says_that_everything_works(monkeypatch, capsys):
    tried(monkeypatch, kernel=lambda: "it answered")
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out == "✓ kernel             it answered\nEverything that was tried works.\n"


def test_doctor_goes_on_after_a_failure_and_says_what_to_do(monkeypatch, capsys):
    tried(monkeypatch, kernel=raising(OSError("no disk")), lessons=lambda: "1 found")
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "✕ kernel             OSError: no disk",
        "✓ lessons            1 found",
        "1 of 2 does not work:",
        "  kernel: mend the kernel",
    ]


def test_doctor_ends_at_an_interrupt_with_what_it_has_found(monkeypatch, capsys):
    tried(monkeypatch, lessons=lambda: "1 found", kernel=raising(KeyboardInterrupt()))
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().out == "✓ lessons            1 found\n"
