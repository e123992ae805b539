"""PyTorch's own data sets and loaders as the data of a run."""

import copy
import random

import numpy as np
import pytest
import torch
from helpers import digest, network, run, split
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import tlkit as tl
from tlkit.data.loaders import LoadedBatches


def dataset(n: int = 30) -> TensorDataset:
    data = split(n)
    return TensorDataset(data.images, data.labels)


def loader(**options) -> DataLoader:
    return DataLoader(dataset(), 8, shuffle=True, **options)


@pytest.mark.parametrize("make", [dataset, loader])
def test_a_run_takes_a_dataset_and_a_loader(make):
    losses = run(80, data=make()).finish().history.series("loss")[1]
    assert sum(losses[-20:]) < sum(losses[:20])


def test_every_epoch_shows_each_example_once_and_each_in_another_order():
    batches = LoadedBatches(loader())
    epochs = [torch.cat([batches[step].inputs for step in range(start, start + 4)]) for start in (0, 4)]
    assert not epochs[0].equal(epochs[1])
    for epoch in epochs:
        assert epoch.flatten(1).sum(1).sort().values.equal(dataset().tensors[0].flatten(1).sum(1).sort().values)


@pytest.mark.parametrize("steps", [[5, 2, 9, 9, 0], [7, 8, 3]])
def test_a_batch_is_a_function_of_its_number(steps):
    batches, straight = LoadedBatches(loader()), LoadedBatches(loader())
    expected = [straight[step] for step in range(10)]
    for step in steps:
        assert batches[step].inputs.equal(expected[step].inputs)


def test_a_run_on_a_loader_restarts_is_copied_and_is_resumed_exactly(tmp_path):
    expected = digest(run(10, data=loader()).finish().network)
    going = run(10, data=loader())
    for _ in range(6):
        next(going)
    going.save(tmp_path / "run.safetensors")
    parts = network(), tl.objectives.CrossEntropy(), loader()
    again = tl.resume(tmp_path / "run.safetensors", *parts, device="cpu")
    twin = copy.deepcopy(going)
    for one in (twin, again, going, going.restart()):
        assert digest(one.finish().network) == expected


class Noisy(Dataset):
    """Draws from all three generators, as transforms of photographs do."""

    def __len__(self):
        return 16

    def __getitem__(self, number):
        return torch.rand(1, 4, 4) * random.random() * np.random.rand(), number % 3


def test_what_a_data_set_draws_comes_from_the_runs_seed_too():
    runs = [run(6, data=Noisy()).finish() for _ in range(2)]
    assert len({digest(one.network) for one in runs}) == 1


def test_what_an_augmentation_draws_from_numpy_and_python_comes_from_the_runs_seed_too():
    def augment(images):
        return images * random.random() + np.random.rand()

    before = random.getstate()[1][:5], np.random.get_state()[1][:5].tolist()
    runs = [run(6, objective=tl.objectives.CrossEntropy(augment)).finish() for _ in range(2)]
    assert len({digest(one.network) for one in runs}) == 1
    assert (random.getstate()[1][:5], np.random.get_state()[1][:5].tolist()) == before


class Endless(IterableDataset):
    def __iter__(self):
        return iter([(torch.rand(1, 4, 4), 0)] * 4)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (TensorDataset(torch.zeros(0, 1, 4, 4), torch.zeros(0)), ValueError, "this data set is empty"),
        (DataLoader(Endless(), 2), ValueError, "this DataLoader does not know its length"),
        (Endless(), TypeError, "a Endless gives no batches by number; give a Task, a Split"),
        (iter([]), TypeError, "gives no batches by number"),
        (DataLoader([{"x": torch.zeros(1, 4, 4)}] * 4, 2), TypeError, "yields a dict, but a batch is a pair"),
    ],
)
def test_what_gives_no_batches_is_refused(data, error, words):
    with pytest.raises(error, match=words):
        next(run(data=data))
