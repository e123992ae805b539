"""What README shows runs."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


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


def test_what_the_readme_links_to_is_there():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target
