"""What README shows runs, and what the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


CODE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_code_in_the_readme_runs(capsys):
    exec(re.sub(r"steps=\d+", "steps=5", CODE[0]), {})
    assert "of 600 images right" in capsys.readouterr().out


def test_ten_lines_fine_tune_a_network_on_a_folder_of_photographs(tmp_path, monkeypatch, capsys):
    for number in range(20):
        path = tmp_path / "pets" / ("cats", "dogs")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (10 * number, 100, 50)).save(path)
    monkeypatch.chdir(tmp_path)
    smaller = {"size=224": "size=32", "steps=300, batch_size=32": "steps=50, batch_size=4"}
    smaller['"resnet18", '] = '"resnet18", weights=None, image_size=32, '
    code = CODE[1]
    for text, other in smaller.items():
        assert text in code
        code = code.replace(text, other)
    exec("import tlkit as tl\n" + code, {})
    assert "of 4 images right" in capsys.readouterr().out
    assert (tmp_path / "pets.safetensors").exists()


def test_unlabelled_images_are_learnt_from_twice(capsys):
    exec("import tlkit as tl\n" + re.sub(r"steps=\d+", "steps=5", CODE[2]), {})
    assert "of 600 images right" in capsys.readouterr().out


DOCUMENTS = [path for folder in (ROOT, ROOT / "docs") for path in sorted(folder.glob("*.md"))]
PLACES = r"`((?:tlkit|tests|tools|docs|notebooks|benchmarks)/[\w./]*)"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_to_is_there(path):
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_the_files_that_a_document_sends_one_to_are_there(name):
    for target in re.findall(PLACES, (ROOT / name).read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


def test_the_names_under_where_do_i_stand_in_the_files_beside_them():
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("Where do I")[2].partition("\n\n#")[0]
    named = re.findall(r"`(tlkit/[\w./]+\.py)`[: (]+((?:[^`|]*`[\w.]+`)+)", table)
    assert len(named) >= 6
    for file, names in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        for name in re.findall(r"`([\w.]+)`", names):
            assert name.rpartition(".")[2] in text, f"{name} is not in {file}"


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", "CITATION.cff", ".github/workflows/ci.yml"])
def test_what_other_programs_read_of_the_repository_is_yaml_and_names_files_that_are_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert isinstance(yaml.safe_load(text), dict)
    for target in re.findall(r"(?:tools|\.ci)/[\w.]+", text):
        assert (ROOT / target).exists(), target
