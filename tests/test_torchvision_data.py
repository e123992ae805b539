"""Data sets in torchvision's layouts: small ones written here, and the real ones where TLKIT_DATA has them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

import tlkit as tl
from tlkit.data import torchvision_data
from tlkit.data.downloads import cache_folder

REAL = os.environ.get("TLKIT_DATA", "")
IDX = {
    "train-images-idx3-ubyte": 40,
    "train-labels-idx1-ubyte": 40,
    "t10k-images-idx3-ubyte": 20,
    "t10k-labels-idx1-ubyte": 20,
}


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def real(place: str) -> pytest.MarkDecorator:
    there = bool(REAL) and (Path(REAL) / place).exists()
    return pytest.mark.skipif(not there, reason=f"TLKIT_DATA names no folder with {place}")


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    """An empty folder that TLKIT_DATA names, an empty cache, and no download."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torchvision_data, "fetch", lambda *_, **__: pytest.fail("a download was started"))
    return tmp_path / "data"


# ---- data sets as torchvision stores them ----


def idx(name: str) -> bytes:
    """Digits as bars: an image of class c has c + 1 white rows from row 8 on; labels in turn."""
    labels = (np.arange(IDX[name]) % 10).astype(np.uint8)
    if "labels" in name:
        return b"\0\0\x08\x01" + len(labels).to_bytes(4) + labels.tobytes()
    rows = np.arange(28)
    inked = (rows >= 8) & (rows <= 8 + labels[:, None])
    images = (inked[:, :, None] & (abs(rows - 14) < 3)).astype(np.uint8) * 255
    return b"\0\0\x08\x03" + b"".join(n.to_bytes(4) for n in images.shape) + images.tobytes()


def write_idx(root: Path, name: str = "MNIST", zipped: bool = False) -> Path:
    folder = root / name / "raw"
    folder.mkdir(parents=True)
    for file in IDX:
        path = folder / (file + ".gz" * zipped)
        path.write_bytes(gzip.compress(idx(file)) if zipped else idx(file))
    return folder


@pytest.fixture
def cifar(monkeypatch):
    """Write CIFAR10 into a folder and let torchvision's class know its checksums; class c has red = 20 c."""

    def write(root: Path) -> Path:
        folder = root / "cifar-10-batches-py"
        folder.mkdir(parents=True, exist_ok=True)
        lists = {"train_list": ["data_batch_1", "data_batch_2"], "test_list": ["test_batch"]}
        for attribute, names in lists.items():
            for name in names:
                images = np.zeros((10, 3, 32, 32), np.uint8)
                images[:, 0] = 20 * np.arange(10)[:, None, None]
                data = pickle.dumps({"data": images.reshape(10, -1), "labels": list(range(10))})
                (folder / name).write_bytes(data)
            monkeypatch.setattr(
                datasets.CIFAR10, attribute, [[name, md5((folder / name).read_bytes())] for name in names]
            )
        data = pickle.dumps({"label_names": list("abcdefghij")})
        (folder / "batches.meta").write_bytes(data)
        monkeypatch.setitem(datasets.CIFAR10.meta, "md5", md5(data))
        return folder

    return write


def zipped(folder: Path, root: Path) -> Path:
    path = root / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return path


def write_jpegs(root: Path, train: int = 4) -> Path:
    path = root / "CIFAR10-images" / "cifar10-images.tar.xz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:xz") as archive:
        for part, count in (("train", train), ("test", 1)):
            for shade, name in ((200, "ship"), (50, "cat")):
                for number in range(count):
                    Image.new("RGB", (32, 32), (shade, number, 0)).save(file := io.BytesIO(), "jpeg")
                    member = tarfile.TarInfo(f"{part}/{name}/{number:04}.jpg")
                    member.size = file.tell()
                    file.seek(0)
                    archive.addfile(member, file)
    return path


def equal(one: tl.data.Task, other: tl.data.Task) -> bool:
    pairs = zip(parts(one), parts(other), strict=True)
    return all(a.images.equal(b.images) and a.labels.equal(b.labels) and a.classes == b.classes for a, b in pairs)


def parts(task: tl.data.Task) -> list[tl.data.Split]:
    return [task.train, task.validation, task.test]


# ---- what the tasks are ----


def test_a_task_has_the_test_split_of_the_data_set_and_a_tenth_of_the_rest_to_validate(data):
    write_idx(data)
    task = tl.data.torchvision_task("mnist")
    assert repr(task) == "MNIST: 10 classes, 36 train, 4 validation, 20 test images of 28 x 28"
    assert task.classes == tuple(datasets.MNIST.classes)
    for part in parts(task):
        assert part.images.dtype == torch.float32 and part.images.max() == 1 and part.images.min() == 0
        assert (part.images[:, 0, :, 14].sum(1) - 1).long().equal(part.labels)
    assert task.test.labels.equal(torch.arange(20) % 10)
    assert (task.train + task.validation).labels.bincount().tolist() == [4] * 10


def test_the_split_is_the_same_each_time_and_few_labels_keeps_it(data):
    write_idx(data)
    task = tl.data.mnist()
    assert equal(task, tl.data.mnist())
    few = task.few_labels(1, seed=3)
    assert few.test is task.test and few.validation is task.validation
    assert len(few.train) == 10 and len(few.unlabelled) == 26


def test_mnist_names_its_classes_as_the_digits_do_and_has_their_size_on_request(data):
    write_idx(data)
    large, small = tl.data.mnist(), tl.data.mnist(size=8)
    assert large.classes == small.classes == tl.data.digits().classes
    assert small.train.images.shape[1:] == tl.data.digits().train.images.shape[1:]
    assert small.train.images.mul(16).frac().abs().max() == 0
    assert small.train.images.amax((1, 3)).min() > 0.9  # ink in every row, whatever the height was
    assert small.test.labels.equal(large.test.labels)


def test_another_size_of_mnist_is_refused():
    with pytest.raises(ValueError, match=r"size=16; MNIST comes in 28 \(as it is\) or 8"):
        tl.data.mnist(size=16)


@pytest.mark.parametrize("name", ["MNST", "digits"])
def test_an_unknown_name_is_answered_with_those_known(name):
    with pytest.raises(ValueError, match=rf"no data set '{name}' here; there are MNIST, .*SVHN.*image_folder"):
        tl.data.torchvision_task(name)


@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST"])
def test_kin_of_mnist_have_class_names_of_their_own(name, data):
    write_idx(data, name)
    assert tl.data.torchvision_task(name.upper()).classes == tuple(getattr(datasets, name).classes)


def test_svhn_writes_zero_as_ten_and_is_read_as_zero(data):
    for file, count in (("train_32x32.mat", 20), ("test_32x32.mat", 10)):
        labels = np.arange(count) % 10 + 1
        images = np.broadcast_to(labels.astype(np.uint8), (32, 32, 3, count))
        savemat(data / file, {"X": images, "y": labels[:, None]})
    test = tl.data.torchvision_task("SVHN").test
    assert test.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] and test.classes == tuple("0123456789")
    assert (test.images[:, 0, 0, 0] * 255).round().tolist() == list(range(1, 11))


# ---- where they are found ----


def test_gzipped_files_are_read_as_they_lie(data):
    write_idx(data)
    plain = tl.data.mnist()
    shutil.rmtree(data / "MNIST")
    folder = write_idx(data, zipped=True)
    before = sorted(folder.iterdir())
    assert equal(tl.data.mnist(), plain)
    assert sorted(folder.iterdir()) == before


def test_cifar_is_read_from_its_folder_and_from_its_archive(data, cifar):
    folder = cifar(data)
    task = tl.data.cifar10()
    assert task.classes == tuple("abcdefghij") and len(task.train) == 18 and len(task.test) == 10
    assert (task.train.images[:, 0, 0, 0] * 255 / 20).round().long().equal(task.train.labels)
    zipped(folder, data)
    shutil.rmtree(folder)
    assert equal(tl.data.cifar10(), task)


def test_a_pickle_with_another_checksum_is_never_opened(data, cifar):
    folder = cifar(data)
    (folder / "data_batch_2").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(OSError, match=f"{folder} cannot be used.*checksum of data_batch_2 is not the published one"):
        tl.data.cifar10()


def test_photographs_as_jpeg_are_decoded_once_and_kept(data, tmp_path, monkeypatch):
    write_jpegs(data)
    first = tl.data.cifar10()
    assert first.classes == ("cat", "ship") and len(first.train) == 8 and len(first.test) == 2
    assert (first.test.images[:, 0].mean((1, 2)) * 255).round().tolist() == [200, 50]
    assert first.test.labels.tolist() == [1, 0]
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npz"]
    monkeypatch.setattr(torchvision_data, "_decoded", lambda _: pytest.fail("decoded again"))
    assert equal(tl.data.cifar10(), first)


def test_another_archive_is_decoded_anew(data):
    write_jpegs(data)
    tl.data.cifar10()
    shutil.rmtree(data / "CIFAR10-images")
    write_jpegs(data, train=6)
    assert len(tl.data.cifar10().train) == 11


def test_without_a_cache_to_write_photographs_are_decoded_each_time_and_it_says_so(data, tmp_path):
    write_jpegs(data)
    (tmp_path / "cache").write_text("a file, where a folder should be")
    with pytest.warns(UserWarning, match=r"cannot be kept in .*cache.*set TLKIT_CACHE to a folder"):
        assert len(tl.data.cifar10().train) == 8


def test_what_tlkit_data_has_is_taken_before_what_the_cache_has(data, tmp_path):
    write_idx(tmp_path / "cache")
    assert f"ready in the cache: {tmp_path / 'cache'}" in torchvision_data.place("MNIST").words
    write_idx(data)
    assert f"ready in TLKIT_DATA: {data / 'MNIST' / 'raw'}" in torchvision_data.place("MNIST").words


def test_a_tilde_is_the_home_folder_in_every_place_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_idx(tmp_path / "mine")
    monkeypatch.setenv("TLKIT_DATA", "~/mine")
    assert len(tl.data.mnist().test) == 20
    monkeypatch.setenv("TLKIT_CACHE", "~/kept")
    assert cache_folder() == tmp_path / "kept"
    monkeypatch.delenv("TLKIT_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/xdg")
    assert cache_folder() == tmp_path / "xdg" / "tlkit"


def test_nothing_is_ever_written_where_tlkit_data_points(data):
    write_jpegs(data)
    write_idx(data, zipped=True)
    before = {path: path.stat().st_mtime_ns for path in (data, *data.rglob("*"))}
    tl.data.cifar10(), tl.data.mnist()
    assert {path: path.stat().st_mtime_ns for path in (data, *data.rglob("*"))} == before


# ---- downloads ----


@pytest.fixture
def downloads(monkeypatch) -> list[str]:
    """The addresses that are requested; each file arrives."""
    requests = []

    def fetch(urls, path, *, md5):
        requests.extend(urls)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(idx(path.stem)))
        return path

    monkeypatch.setattr(torchvision_data, "fetch", fetch)
    return requests


def test_what_is_not_here_is_downloaded_from_torchvisions_addresses_once(downloads):
    assert len(tl.data.mnist().test) == 20
    assert downloads == [mirror + file for file, _ in datasets.MNIST.resources for mirror in datasets.MNIST.mirrors]
    downloads.clear()
    tl.data.mnist()
    assert downloads == []


def test_only_what_the_cache_lacks_is_downloaded(downloads, tmp_path):
    lost = write_idx(tmp_path / "cache") / "t10k-labels-idx1-ubyte"
    lost.unlink()
    tl.data.mnist()
    assert {url.rpartition("/")[2] for url in downloads} == {"t10k-labels-idx1-ubyte.gz"}


def test_a_failed_download_says_what_where_why_and_what_to_do(data, tmp_path, monkeypatch):
    def fetch(*_, **__):
        raise ConnectionError("the server cut off after 1.2 of 9.9 MB")

    monkeypatch.setattr(torchvision_data, "fetch", fetch)
    with pytest.raises(ConnectionError) as raised:
        tl.data.mnist()
    assert str(raised.value) == (
        f"MNIST is neither in TLKIT_DATA ({data}) nor in the cache ({tmp_path / 'cache'}), and "
        "train-images-idx3-ubyte.gz could not be downloaded: the server cut off after 1.2 of 9.9 MB. Try another "
        f"network, or put the file at {tmp_path / 'cache' / 'MNIST' / 'raw' / 'train-images-idx3-ubyte.gz'}; "
        "TLKIT_DATA can name another folder to look in, TLKIT_CACHE one to download to"
    )


# ---- files that are broken: no download takes their place ----


def test_tlkit_data_that_is_no_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TLKIT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError, match=f"TLKIT_DATA={tmp_path}/nowhere is not a folder; set it to"):
        tl.data.mnist()


def test_a_file_that_is_missing_among_others_is_named(data):
    folder = write_idx(data, zipped=True)
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=f"{folder}/t10k-images-idx3-ubyte.gz is missing; put it there"):
        tl.data.mnist()


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("file", IDX)
@pytest.mark.parametrize("keep", [0, 3, 6, 25])
def test_a_truncated_file_is_named(file, keep, zipped, data):
    path = write_idx(data, zipped=zipped) / (file + ".gz" * zipped)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(OSError, match=rf"{path} cannot be used \(.+\); put a good copy in its place"):
        tl.data.mnist()


def test_a_changed_gzipped_file_is_named(data):
    path = write_idx(data, zipped=True) / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match=f"{path} cannot be used .*CRC"):
        tl.data.mnist()


def test_more_labels_than_images_are_refused(data):
    folder = write_idx(data)
    shutil.copy(folder / "train-labels-idx1-ubyte", folder / "t10k-labels-idx1-ubyte")
    with pytest.raises(OSError, match=f"{folder} has 20 images of MNIST but 40 labels"):
        tl.data.mnist()


@pytest.mark.parametrize("kind", ["JPEG files", "batches"])
def test_a_truncated_archive_is_named(kind, data, cifar, tmp_path):
    path = write_jpegs(data) if kind == "JPEG files" else zipped(cifar(tmp_path), data)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(OSError, match=f"{path} cannot be used"):
        tl.data.cifar10()


# ---- what `tlkit data check` compares ----


@pytest.fixture
def small(monkeypatch):
    """What is known of the data sets written here: bars of 5 x (class + 1) pixels."""
    bright = 5 * 5.5 / 28**2
    known = torchvision_data.Known("digits", 0, (40, 20), (1, 28, 28), 10, (4, 2), (bright,))
    monkeypatch.setitem(torchvision_data.DATA_SETS, "MNIST", known)
    photographs = known._replace(shape=(3, 32, 32), counts=(20, 10), smallest=(2, 1), brightness=(90 / 255, 0, 0))
    monkeypatch.setitem(torchvision_data.DATA_SETS, "CIFAR10", photographs)


def checked(name: str = "MNIST") -> str:
    return torchvision_data.check(name)


def test_data_that_are_as_published_are_whole_and_it_says_by_what(data, small, cifar, monkeypatch):
    folder = write_idx(data, zipped=True)
    words = "whole: 40 + 20 images, 10 classes, counts, labels and brightness as published; ready in TLKIT_DATA"
    assert checked().startswith(words)
    sums = [(f"{file}.gz", md5((folder / f"{file}.gz").read_bytes())) for file in IDX]
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    assert "10 classes, checksums as published" in checked()
    cifar(data)
    assert checked("CIFAR10").startswith("whole: 20 + 10 images, 10 classes")


def exchange(folder: Path, one: str, other: str) -> None:
    (folder / one).rename(folder / "aside")
    (folder / other).rename(folder / one)
    (folder / "aside").rename(folder / other)


def test_train_and_test_exchanged_are_not_whole(data, small):
    folder = write_idx(data)
    exchange(folder, "train-images-idx3-ubyte", "t10k-images-idx3-ubyte")
    exchange(folder, "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte")
    words = r"MNIST/raw is not MNIST as it was published: the train images are \[20, 1, 28, 28\] instead of \[40, "
    with pytest.raises(OSError, match=words):
        checked()


def test_images_and_labels_exchanged_are_not_read_at_all(data, small):
    exchange(write_idx(data), "train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    for use in (checked, tl.data.mnist):
        with pytest.raises(OSError, match=r"train-images-idx3-ubyte cannot be used \(it holds labels, and its name"):
            use()


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("train-labels-idx1-ubyte", lambda values: np.where(values == 3, 200, values), "train labels are 0 to 200 in"),
        ("train-labels-idx1-ubyte", lambda values: np.where(values == 9, 8, values), "train labels are 0 to 8 instead"),
        ("t10k-labels-idx1-ubyte", lambda values: np.where(values == 3, 4, values), "smallest class has 0 test images"),
        ("t10k-images-idx3-ubyte", lambda values: 255 - values, r"test images have the brightness .* instead of \(0.0"),
    ],
)
def test_other_labels_and_other_images_are_not_whole(file, change, words, data, small):
    path = write_idx(data) / file
    content, head = path.read_bytes(), 16 if "images" in file else 8
    changed = change(np.frombuffer(content, np.uint8, offset=head)).astype(np.uint8)
    path.write_bytes(content[:head] + changed.tobytes())
    with pytest.raises(OSError, match=words):
        checked()


def test_a_published_file_of_another_data_set_is_named(data, small, monkeypatch):
    folder = write_idx(data)
    labels = folder / "train-labels-idx1-ubyte"
    monkeypatch.setattr(datasets.KMNIST, "resources", [("kana.gz", md5(labels.read_bytes()))])
    with pytest.raises(OSError, match=r"train-labels-idx1-ubyte is KMNIST/raw/kana.gz of KMNIST"):
        checked()


def test_photographs_of_too_few_classes_are_not_whole(data, small):
    write_jpegs(data)
    with pytest.raises(OSError, match="it has 2 classes instead of 10; the train images are"):
        checked("CIFAR10")


# ---- the real ones ----


@real("MNIST/raw")
def test_the_real_mnist_is_the_published_one(monkeypatch):
    monkeypatch.setenv("TLKIT_DATA", REAL)
    published = [
        ("6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624"),
        ("2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"),
    ]
    arrays = torchvision_data._arrays("MNIST")
    for images, labels, sums in zip(arrays[:4:2], arrays[1:4:2], published, strict=True):
        shapes = [images[:, 0].shape, labels.shape]
        headers = [bytes((0, 0, 8, len(shape))) + np.array(shape, ">u4").tobytes() for shape in shapes]
        assert (md5(headers[0] + images.tobytes()), md5(headers[1] + labels.tobytes())) == sums
    task = tl.data.mnist()
    assert [len(part) for part in parts(task)] == [55_000, 5_000, 10_000]
    assert float(task.train.images.mean()) == pytest.approx(0.1307, abs=0.001)
    assert torchvision_data.check("MNIST").startswith("whole: 60,000 + 10,000 images, 10 classes, ")


@real("CIFAR10-images")
def test_the_real_photographs_are_those_of_cifar_10(monkeypatch):
    """Decodes 60,000 images, about 10 s: the slow test of this file."""
    monkeypatch.setenv("TLKIT_DATA", REAL)
    task = tl.data.cifar10()
    assert [len(part) for part in parts(task)] == [45_000, 5_000, 10_000]
    assert (task.train + task.validation).labels.bincount().tolist() == [5_000] * 10
    assert task.test.labels.bincount().tolist() == [1_000] * 10
    assert task.classes[:2] == ("airplane", "automobile")
    # The published means of red, green and blue.
    assert task.train.images.mean((0, 2, 3)).tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.005)
    assert torchvision_data.check("CIFAR10").startswith("whole: 50,000 + 10,000 images, 10 classes, ")
