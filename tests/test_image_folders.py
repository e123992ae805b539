"""Images of one's own: how folders are read, what is refused and named, and that large sets may stay on disk."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tlkit as tl
from tlkit.data import image_folders
from tlkit.data.image_folders import ImageFiles, image_folder

COLOURS = {"ant": (200, 30, 30), "bee": (30, 200, 30), "cat": (30, 30, 200)}


def write(folder: Path, count: int = 10, colours: dict = COLOURS, side: int = 8) -> Path:
    """`count` images a class, each of the class's colour with noise, from 0.png on."""
    random = np.random.default_rng(0)
    for name, colour in colours.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.clip(random.normal(colour, 60, (side, side, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return write(tmp_path / "pets")


def read(path: Path, **options) -> torch.Tensor:
    """The one image of class a, beside which there are others in class b, through a task."""
    other = path.parent.parent / "b"
    other.mkdir()
    for number in range(3):
        Image.new("L", (4, 4)).save(other / f"{number}.png")
        (path.parent / f"{number}-{path.name}").write_bytes(path.read_bytes())
    path.unlink()
    train = image_folder(path.parent.parent, **options).train
    return train.images[train.labels == 0][0]


@pytest.fixture
def one(tmp_path) -> Path:
    (tmp_path / "set" / "a").mkdir(parents=True)
    return tmp_path / "set" / "a" / "image.png"


def parts(task: tl.data.Task) -> list[tl.data.Split]:
    return [task.train, task.validation, task.test]


# ---- folders ----


def test_each_folder_is_a_class_and_each_class_is_split(folder):
    task = image_folder(folder, size=8)
    assert repr(task) == "pets: 3 classes, 18 train, 6 validation, 6 test images of 8 x 8"
    assert task.classes == ("ant", "bee", "cat")
    assert [part.labels.bincount().tolist() for part in parts(task)] == [[6] * 3, [2] * 3, [2] * 3]
    files = [file for part in parts(task) for file in part.files]
    assert sorted(files) == sorted(f"{name}/{number}.png" for name in COLOURS for number in range(10))


@pytest.mark.parametrize("stream", [False, True])
def test_every_image_keeps_its_file_and_its_label(stream, folder):
    for part in parts(image_folder(folder, size=8, stream=stream)):
        for image, label, file in zip(part.images, part.labels, part.files, strict=True):
            assert file.startswith(part.classes[label])
            expected = np.asarray(Image.open(folder / file)).transpose(2, 0, 1)
            assert (image * 255).round().byte().numpy().tolist() == expected.tolist()


def test_a_tilde_is_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert image_folder("~/pets", size=8).train.files == image_folder(folder, size=8).train.files


def test_another_seed_draws_another_split_and_the_same_seed_the_same(folder):
    task = image_folder(folder, size=8)
    assert task.redraw(0).test.files == task.test.files
    assert sorted(task.redraw(1).test.files) != sorted(task.test.files)
    assert task.few_labels(1, seed=1).test.files == task.redraw(1).test.files


def test_images_may_lie_deeper_and_what_is_no_image_is_ignored(folder):
    (folder / "ant" / "garden").mkdir()
    (folder / "ant" / "0.png").rename(folder / "ant" / "garden" / "0.PNG")
    for name in (".DS_Store", "notes.txt", "._1.png", "Thumbs.db"):
        (folder / "ant" / name).write_text("no image")
    for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir", "ant/@eaDir"):
        (folder / name).mkdir()
    Image.new("L", (8, 8)).save(folder / "ant" / "@eaDir" / "thumbnail.jpg")
    (folder / "README.md").write_text("about")
    with pytest.warns(
        UserWarning, match=r"^1 of 31 files are left out: ant/notes.txt \(of a format that is not read\)$"
    ):
        task = image_folder(folder, size=8)
    assert task.classes == ("ant", "bee", "cat")
    assert "ant/garden/0.PNG" in sum((part.files for part in parts(task)), ())


def test_a_link_that_leads_back_up_is_not_followed(folder):
    (folder / "ant" / "again").symlink_to(folder / "ant")
    (folder / "ant" / "above").symlink_to(folder)
    assert sum(map(len, parts(image_folder(folder, size=8)))) == 30


def test_a_folder_that_a_link_in_a_class_leads_to_counts_once(folder, tmp_path):
    write(tmp_path / "elsewhere", count=4, colours={"ant": COLOURS["ant"]})
    for name in ("more", "and again"):
        (folder / "ant" / name).symlink_to(tmp_path / "elsewhere" / "ant")
    (folder / "dog").symlink_to(folder / "cat")
    task = image_folder(folder, size=8)
    assert sum(part.labels.bincount(minlength=4) for part in parts(task)).tolist() == [14, 10, 10, 10]


def test_splits_in_folders_are_kept_and_validation_is_drawn_from_train(tmp_path):
    write(tmp_path / "train")
    write(tmp_path / "test", count=3)
    task = image_folder(tmp_path, size=8)
    assert [len(part) for part in parts(task)] == [24, 6, 9] and task.redraw is None
    assert all(file.startswith("test/") for file in task.test.files)
    assert task.validation.labels.bincount().tolist() == [2, 2, 2]


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Validation"])
def test_a_validation_folder_validates_if_there_is_a_test_split_and_tests_if_not(name, tmp_path):
    write(tmp_path / "train")
    write(tmp_path / name, count=2)
    assert [len(part) for part in parts(image_folder(tmp_path, size=8))] == [24, 6, 6]
    write(tmp_path / "test", count=3)
    task = image_folder(tmp_path, size=8)
    assert [len(part) for part in parts(task)] == [30, 6, 9]
    assert all(file.startswith(name) for file in task.validation.files)


@pytest.mark.parametrize(
    "names",
    [
        ("training", "testing"),
        ("Training", "eval"),
        ("train", "dev"),
        ("training_set", "test_set"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("train2017", "val2017"),
        ("trainset", "testset"),
        ("train_images", "validate"),
        ("dataset-train", "evaluation"),
        ("train", "test1"),
    ],
    ids="-".join,
)
def test_parts_are_known_by_other_names_too(names, tmp_path):
    for name, count in zip(names, (10, 3), strict=True):
        write(tmp_path / name, count)
    task = image_folder(tmp_path, size=8)
    assert task.classes == tuple(COLOURS) and [len(part) for part in parts(task)] == [24, 6, 9]
    assert all(file.startswith(names[1]) for file in task.test.files)


def test_the_parts_may_lie_in_the_classes(tmp_path):
    for name, colour in COLOURS.items():
        for part, count in (("training", 5), ("val", 2), ("test", 3)):
            write(tmp_path / "drawn", count, {"x": colour})
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / "drawn" / "x").rename(tmp_path / name / part)
            (tmp_path / "drawn").rmdir()
    task = image_folder(tmp_path, size=8)
    assert task.classes == tuple(COLOURS) and [len(part) for part in parts(task)] == [15, 6, 9]
    assert all(re.fullmatch(r"(ant|bee|cat)/test/\d.png", file) for file in task.test.files)


def test_folders_that_all_hold_the_same_ones_and_are_no_known_parts_are_refused(tmp_path):
    for name in ("first", "second"):
        write(tmp_path / name, 3)
    words = "folders first, second all hold the same folders, ant, bee, cat, .* call the parts train, validation, test"
    with pytest.raises(ValueError, match=words):
        image_folder(tmp_path)


def test_two_folders_that_are_the_same_part_are_refused(tmp_path):
    for name in ("train", "training", "test"):
        write(tmp_path / name, 3)
    with pytest.raises(ValueError, match=r"train and .*training both look like the train part by their names; keep"):
        image_folder(tmp_path)


def test_what_lies_beside_the_parts_or_the_classes_is_named(tmp_path):
    for name in ("train", "test", "unsure"):
        write(tmp_path / name, 5)
    Image.new("L", (8, 8)).save(tmp_path / "train" / "cover.jpg")
    words = r"2 of 32 files are left out: unsure \(a folder beside the parts\), train/cover.jpg \(an image in no class"
    with pytest.warns(UserWarning, match=words):
        image_folder(tmp_path, size=8)


def test_two_spellings_of_an_accent_are_one_class(tmp_path):
    short, long = "caf\u00e9", "cafe\u0301"
    write(tmp_path / "train", colours={short: COLOURS["ant"], "bee": COLOURS["bee"]})
    write(tmp_path / "test", colours={long: COLOURS["ant"], "bee": COLOURS["bee"]})
    Image.new("RGB", (8, 8)).save((tmp_path / "train" / long).mkdir() or tmp_path / "train" / long / "more.png")
    task = image_folder(tmp_path, size=8)
    assert task.classes == ("bee", short) and [len(part) for part in parts(task)] == [17, 4, 20]


def test_a_class_may_be_called_train(tmp_path):
    write(tmp_path, colours={"bus": (200, 0, 0), "train": (0, 200, 0)})
    assert image_folder(tmp_path, size=8).classes == ("bus", "train")


# ---- pixels ----


def test_an_image_is_turned_upright(one):
    image = Image.new("RGB", (8, 4), "red")
    image.paste("blue", (0, 0, 4, 4))
    exif = image.getexif()
    exif[0x0112] = 6  # turn right by a quarter to see it upright: what is left comes to the top
    image.save(one, exif=exif)
    assert read(one, size=4)[:, :, 0].round().T.tolist() == [[0, 0, 1]] * 2 + [[1, 0, 0]] * 2


def test_the_shorter_side_fits_and_the_middle_is_kept(one):
    image = Image.new("L", (24, 8))
    image.paste(255, (8, 0, 16, 8))
    image.save(one)
    assert read(one, size=8).min() == 1


def test_shrinking_averages_over_pixels(one):
    pixels = np.indices((64, 64)).sum(0) % 2 * 255
    Image.fromarray(pixels.astype(np.uint8)).save(one)
    assert read(one, size=8).numpy() == pytest.approx(0.5, abs=0.02)


def test_a_large_photograph_is_shrunk_as_a_small_one(one):
    """JPEG decoders skip what is not needed; the result is the same to a hundredth."""
    smooth = Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize((600, 600))
    smooth.save(photograph := one.with_suffix(".jpg"), quality=95)
    expected = np.asarray(smooth.resize((16, 16), Image.Resampling.BILINEAR)).transpose(2, 0, 1) / 255
    assert read(photograph, size=16).numpy() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "I", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
def test_every_kind_of_image_is_read_and_half_bright_stays_half_bright(mode, one):
    grey = np.full((8, 8), 128, np.uint8)
    if mode.startswith("I"):
        image = Image.fromarray((grey.astype(np.uint16) * 257).astype(np.int32 if mode == "I" else np.uint16))
    elif mode == "1":
        image = Image.fromarray((np.indices((8, 8)).sum(0) % 2).astype(bool))
    else:
        image = Image.fromarray(grey).convert("RGB").convert(mode)
    image.save(path := one.with_suffix(".tif" if mode in ("I", "CMYK", "YCbCr", "LAB") else ".png"))
    pixels = read(path, size=4)
    assert len(pixels) == (1 if mode in ("1", "L", "LA", "I;16", "I") else 3)
    assert pixels.numpy() == pytest.approx(0.5, abs=0.02)


def test_a_palette_with_transparency_is_read_without_a_warning(one):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(one, transparency=b"\0\x80")
    with warnings.catch_warnings(action="error"):
        assert read(one, size=4).mean((1, 2)).tolist() == pytest.approx([1, 127 / 255, 127 / 255])


@pytest.mark.parametrize(("background", "seen"), [("white", [1, 1, 1]), ("#ff0000", [1, 0, 0]), ("black", [0, 0, 0])])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "webp"])
def test_the_background_is_seen_through_transparent_places(mode, background, seen, one):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    if mode in ("P", "L"):
        Image.new(mode, (8, 8), 0).save(one, transparency=0)
    else:
        image = image if mode == "webp" else image.convert(mode)
        image.save(one.with_suffix(".webp" if mode == "webp" else ".png"), lossless=True)
    (written,) = one.parent.iterdir()
    pixels = read(written, size=4, background=background).mean((1, 2))
    assert pixels.expand(3).tolist() == seen


@pytest.mark.parametrize("stream", [False, True])
def test_black_icons_on_nothing_are_seen_and_stay_grey(stream, tmp_path):
    for name, place in (("a", (0, 0, 4, 8)), ("b", (0, 0, 8, 4))):
        (tmp_path / name).mkdir()
        for number in range(5):
            icon = Image.new("LA", (8, 8), (0, 0))
            icon.paste((0, 255), place)
            icon.save(tmp_path / name / f"{number}.png")
    train = image_folder(tmp_path, size=8, stream=stream).train
    assert train.images.shape[1] == 1 and train.images[:].mean((1, 2, 3)).tolist() == [0.5] * 6


def test_a_background_that_is_no_colour_is_refused(folder):
    with pytest.raises(ValueError, match="background='whit' is no colour; give a name or \"#ffffff\""):
        image_folder(folder, background="whit")


DEEP = {  # numbers that stand for black, half and white, and what is told
    "16 bits": (np.uint16, 65_535, ""),
    "12 bits": (np.uint16, 4_095, "10 images hold whole numbers up to 4,095, so 4,095 is taken for white"),
    "14 bits": (np.uint16, 12_000, "whole numbers up to 12,000, so 16,383 is taken for white"),
    "8 bits in 32": (np.int32, 255, "whole numbers up to 255, so 255 is taken for white"),
    "shares": (np.float32, 1, ""),
    "shares that overshoot": (np.float32, 1.02, ""),
    "fractions to 255": (np.float32, 255, "fractions up to 255, so 255 is taken for white"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("number", "top", "told"), DEEP.values(), ids=DEEP)
def test_the_range_of_deep_images_is_taken_from_all_of_them_and_told(number, top, told, stream, tmp_path):
    for name, brightness in (("a", 1), ("b", 0.5)):
        (tmp_path / name).mkdir()
        for each in range(5):
            Image.fromarray(np.full((8, 8), brightness * top).astype(number)).save(tmp_path / name / f"{each}.tif")
    with warnings.catch_warnings(record=True, action="always") as warned:
        train = image_folder(tmp_path, size=4, stream=stream).train
    assert told in "".join(str(warning.message) for warning in warned) and bool(told) == bool(warned)
    white = min(top / 16_383, 1) if top == 12_000 else 1
    means = [train.images[:][train.labels == label].mean().item() for label in (0, 1)]
    assert means == pytest.approx([white, white / 2], abs=0.01)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((8, 8), -1_000, np.int32), "its numbers, -1000 to -1000, are no brightness in 0..1 or 0..65,535"),
        (np.full((8, 8), 1e6, np.float32), r"its numbers, 1e\+06 to 1e\+06, are no brightness"),
        (np.full((8, 8), np.nan, np.float32), "its numbers, nan to nan, are no brightness"),
    ],
)
def test_numbers_that_are_no_brightness_are_left_out_by_name(values, words, folder):
    Image.fromarray(values).save(folder / "ant" / "scan.tif")
    with pytest.warns(UserWarning, match=rf"1 of 31 files are left out: ant/scan.tif \({words}"):
        image_folder(folder, size=8)


def test_colours_of_which_only_the_dark_half_is_read_are_told(folder):
    """A PNG of 16 bits a colour that holds 12: Pillow reads the upper 8 of them."""
    rows = np.full((8, 8, 3), 4_095, ">u2")
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    written = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    (folder / "ant" / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + written)
    with pytest.warns(UserWarning, match="1 images of 16 bits a colour are almost black: Pillow reads the upper 8"):
        image_folder(folder, size=8)


def test_only_the_first_page_is_read_and_it_is_told(folder):
    first, *others = (Image.new("L", (8, 8), shade) for shade in (0, 100, 200))
    for name in ("scan.tif", "moving.gif"):
        first.save(folder / "ant" / name, save_all=True, append_images=others)
    words = r"2 files hold several pages, of which the first is read: ant/moving.gif \(3\), ant/scan.tif \(3\)"
    with pytest.warns(UserWarning, match=words):
        image_folder(folder, size=8)


@pytest.mark.parametrize("ending", ["jfif", "jpe", "JP2", "tga", "dib"])
def test_further_endings_are_read(ending, one):
    Image.new("RGB", (8, 8), (255, 0, 0)).save(one.with_suffix(f".{ending}"))
    assert read(one.with_suffix(f".{ending}"), size=4).mean((1, 2)).tolist() == pytest.approx([1, 0, 0], abs=0.01)


def test_one_coloured_image_makes_the_set_coloured(tmp_path):
    write(tmp_path, count=5)
    Image.new("L", (8, 8), 100).save(tmp_path / "ant" / "grey.png")
    task = image_folder(tmp_path, size=8)
    split = next(part for part in parts(task) if "ant/grey.png" in part.files)
    assert (split.images[split.files.index("ant/grey.png")] * 255).round().unique().tolist() == [100]
    assert split.images.shape[1] == 3


def test_palette_alpha_16_bit_and_cmyk_images_lie_in_one_folder(tmp_path):
    grey = Image.new("L", (8, 8), 128)
    wide = Image.fromarray(np.full((8, 8), 128 * 257, np.uint16))
    kinds = [grey.convert("RGB").convert("P"), grey.convert("RGBA"), grey.convert("LA"), wide, grey.convert("CMYK")]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number, image in enumerate(kinds):
            image.save(tmp_path / name / f"{number}.{'tif' if image.mode == 'CMYK' else 'png'}")
    task = image_folder(tmp_path, size=4)
    images = torch.cat([part.images for part in parts(task)])
    assert images.shape == (10, 3, 4, 4) and images.numpy() == pytest.approx(0.5, abs=0.02)


# ---- what is left out, and named ----


def test_what_cannot_be_read_is_left_out_and_named_with_the_reason(folder):
    photograph = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    photograph.save(folder / "ant" / "cut.jpg")
    for name in ("cut.jpg", "0.png"):
        path = folder / "ant" / name
        path.write_bytes(path.read_bytes()[:-60])
    (folder / "bee" / "empty.png").touch()
    (folder / "bee" / "page.jpg").write_text("<html>not found</html>")
    (folder / "cat" / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    Image.new("1", (10_000, 9_000)).save(folder / "cat" / "bomb.png")
    with pytest.warns(UserWarning) as warned:
        task = image_folder(folder, size=8)
    (message,) = [str(warning.message) for warning in warned]
    assert message.startswith("6 of 35 files are left out: ant/0.png (")
    assert re.search(r"ant/cut.jpg \(.*truncated", message)
    for file in ("bee/empty.png", "bee/page.jpg"):
        assert f"{file} (not an image that Pillow can read)" in message
    assert "cat/phone.heic (of a format that is not read)" in message
    assert "cat/bomb.png (more than 89 million pixels)" in message
    assert sum(map(len, parts(task))) == 29


def test_only_the_first_ten_are_named(folder):
    for number in range(12):
        (folder / "ant" / f"broken {number:02}.jpg").touch()
    with pytest.warns(UserWarning, match=r"12 of 42 files are left out: .*broken 09.jpg \([^)]*\) and 2 more$"):
        image_folder(folder, size=8)


# ---- what is refused ----


def test_a_folder_that_does_not_exist_and_a_file_in_its_place_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"there is no folder {tmp_path}/none; give the path of one with"):
        image_folder(tmp_path / "none")
    (tmp_path / "pets.zip").touch()
    with pytest.raises(NotADirectoryError, match=r"pets\.zip is a file, .*unpack an archive"):
        image_folder(tmp_path / "pets.zip")


def test_a_folder_that_may_not_be_read_is_named(folder, monkeypatch):
    visit = Path.iterdir

    def iterdir(path):
        if path.name == "bee":
            raise PermissionError(13, "Permission denied")
        return visit(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(PermissionError, match=f"you may not read {folder}/bee; change its permissions"):
        image_folder(folder)


@pytest.mark.parametrize(
    ("classes", "words"),
    [((), "has none"), (("ant",), 'has only one, "ant"')],
    ids=["no class", "one class"],
)
def test_fewer_than_two_classes_are_refused(classes, words, tmp_path):
    write(tmp_path / "set", colours={name: COLOURS[name] for name in classes})
    (tmp_path / "set").mkdir(exist_ok=True)
    with pytest.raises(ValueError, match=f"{tmp_path}/set needs a folder .* at least 2 classes, but {words}"):
        image_folder(tmp_path / "set")


@pytest.mark.parametrize("content", [None, "no image"])
def test_a_class_without_an_image_that_can_be_read_is_named(content, folder):
    (folder / "dog").mkdir()
    if content:
        (folder / "dog" / "a.jpg").write_text(content)
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(ValueError, match=f'the class folder "{folder}/dog" has no image that can be read; put images'),
    ):
        image_folder(folder)


def test_a_class_too_small_to_split_is_named(folder):
    (folder / "dog").mkdir()
    for number in range(2):
        Image.new("RGB", (8, 8)).save(folder / "dog" / f"{number}.png")
    with pytest.raises(ValueError, match='class "dog" has only 2 images, too few for 3 splits; add some'):
        image_folder(folder)


def test_splits_with_different_classes_are_refused(tmp_path):
    write(tmp_path / "train")
    write(tmp_path / "test", colours={name: COLOURS[name] for name in ("ant", "bee")})
    with pytest.raises(ValueError, match=r'train and .*test have different classes: "cat" is only in one of them'):
        image_folder(tmp_path)


@pytest.mark.parametrize("size", [0, 64.5, (64, 64)])
def test_an_image_without_pixels_or_with_parts_of_them_is_refused(size, folder):
    with pytest.raises(ValueError, match=f"size={re.escape(repr(size))}, but .*an image has at least 1 pixel a side"):
        image_folder(folder, size=size)


# ---- files of a split ----


def test_files_follow_their_images(folder):
    split = image_folder(folder, size=8).train
    numbers = torch.tensor([5, 0, 7])
    assert split[numbers].files == tuple(split.files[number] for number in numbers)
    assert split[:3].files == split.files[:3] and split.to("cpu").files == split.files
    mask = split.labels == 1
    assert all(file.startswith("bee/") for file in split[mask].files) and len(split[mask].files) == int(mask.sum())
    assert (split[:2] + split[4:5]).files == (*split.files[:2], split.files[4])
    assert (split + replace(split, files=None)).files is None
    with pytest.raises(ValueError, match="18 images, but 1 files; name one for each"):
        replace(split, files=("a.png",))


# ---- large sets stay on disk ----


@pytest.fixture
def both(folder) -> tuple[tl.data.Task, tl.data.Task]:
    return image_folder(folder, size=8, stream=False), image_folder(folder, size=8, stream=True)


def test_only_what_would_fill_the_memory_streams_by_default(folder, monkeypatch):
    assert isinstance(image_folder(folder, size=8).train.images, torch.Tensor)
    monkeypatch.setattr(image_folders, "IN_MEMORY", 1_000)
    assert isinstance(image_folder(folder, size=8).train.images, ImageFiles)
    assert isinstance(image_folder(folder, size=8, stream=False).train.images, torch.Tensor)


def test_a_streamed_split_has_the_same_images_however_it_is_indexed(both):
    loaded, streamed = (task.train for task in both)
    assert repr(loaded) == repr(streamed)
    mask = loaded.labels == 2
    for index in (slice(None), slice(3, 9, 2), mask, torch.tensor([4, 4, 1]), 3, -1):
        assert loaded.images[index].equal(streamed.images[index])
    assert torch.cat(list(streamed.images.split(7))).equal(loaded.images)
    with pytest.raises(IndexError):
        streamed.images[len(streamed)]


def test_parts_and_sums_of_a_streamed_split_hold_only_paths(both):
    streamed = both[1].train
    for split in (streamed, streamed[2:5], streamed[streamed.labels == 1], streamed + both[1].test, streamed.to("cpu")):
        assert isinstance(split.images, ImageFiles)
        paths = sum(len(path) + 20 for path in split.images.paths)
        assert len(pickle.dumps(split.images)) < 500 + paths < 500 + split.images.shape.numel()
    assert (streamed + both[1].test).images[:].equal((both[0].train + both[0].test).images)


def test_streamed_images_are_joined_only_to_their_like(both, folder):
    other = image_folder(folder, size=4, stream=True).train
    with pytest.raises(
        ValueError,
        match=r"images of 8 x 8.* cannot be joined to .* of 4 x 4.*; bring both to",
    ):
        both[1].train + other
    for first, second in (both, both[::-1]):
        with pytest.raises(ValueError, match="read both with the same stream="):
            first.train + second.train


def test_training_few_labels_and_tests_are_the_same_from_disk(both):
    results = []
    for task in both:
        few = task.few_labels(2, seed=1)
        network = tl.models.SmallCNN(widths=(4,), features=6, classes=3, channels=3, image_size=8, pool_after=(1,))
        run = tl.Run(network, tl.objectives.CrossEntropy(), few, steps=12, batch_size=4, device="cpu")
        watched = tl.validated(run, few.validation, every=4).finish()
        report = tl.evaluate(network, few.test + few.unlabelled)
        results.append((watched.history, report.confusion.tolist()))
    assert results[0] == results[1]


def test_a_gallery_shows_streamed_images(both):
    loaded, streamed = (tl.plots.gallery(task.test[:4]).svg() for task in both)
    assert loaded.count("<image") == streamed.count("<image") == 4


@pytest.mark.parametrize("what", ["vanished", "changed"])
def test_a_file_that_is_lost_later_is_named(what, both, folder):
    split = both[1].train
    path = folder / split.files[2]
    path.unlink() if what == "vanished" else path.write_text("no image")
    assert len(split.images[:2]) == 2
    with pytest.raises(OSError, match=f"{path} could be read before, but not now .* put it back or call image_folder"):
        split.images[:4]


def test_what_cannot_be_read_is_left_out_of_a_streamed_set_too(folder):
    (folder / "ant" / "0.png").write_text("no image")
    with pytest.warns(UserWarning, match="1 of 30 files are left out: ant/0.png"):
        task = image_folder(folder, size=8, stream=True)
    assert sum(map(len, parts(task))) == 29


def test_classes_that_are_called_as_parts_are_are_classes_where_they_hold_the_images(tmp_path):
    write(tmp_path, 12, dict(zip(("train", "eval", "bus"), COLOURS.values(), strict=True)))
    assert image_folder(tmp_path).classes == ("bus", "eval", "train")
