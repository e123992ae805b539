"""PyTorch's own data sets and loaders as the data of a run."""

import copy
import random

import numpy as np
import pytest
import torch
from helpers import digest, network, run, split
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, SubsetRandomSampler, TensorDataset

import tlkit as tl
from tlkit.data.batches import Batch
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


@pytest.mark.parametrize("at", [2, 4, 7])
def test_what_a_data_set_draws_is_the_same_after_going_on_from_a_file(at, tmp_path):
    def going():
        return run(9, data=DataLoader(Subset(Noisy(), range(15)), 4))

    one = going()
    for _ in range(at):
        next(one)
    one.save(tmp_path / "run.safetensors")
    parts = network(), tl.objectives.CrossEntropy(), DataLoader(Subset(Noisy(), range(15)), 4)
    other = tl.resume(tmp_path / "run.safetensors", *parts, device="cpu").finish()
    assert digest(other.network) == digest(one.finish().network) == digest(going().finish().network)


def test_a_run_is_not_resumed_with_another_data_set_of_the_same_size(tmp_path):
    run(3, data=dataset()).finish().save(tmp_path / "run.safetensors")
    data = split(30)
    other = TensorDataset(data.images.flip(3), data.labels)
    with pytest.raises(ValueError, match=r"is of a run made with something else \(data: "):
        tl.resume(tmp_path / "run.safetensors", network(), tl.objectives.CrossEntropy(), other, device="cpu")


class Boasting(IterableDataset):
    def __len__(self):
        return 40

    def __iter__(self):
        return iter([(torch.rand(1, 4, 4), 0)] * 16)


def test_a_loader_that_ends_too_early_ends_no_run_in_silence():
    with pytest.raises(ValueError, match="promised 5 batches a pass, but ended after 2; correct the __len__"):
        run(9, data=DataLoader(Boasting(), 8)).finish()


def test_images_of_a_loader_may_be_bytes_or_of_double_precision_or_normalised_but_not_of_another_range():
    data = split(30)
    whole = (data.images * 255).round()
    losses = [
        run(3, data=TensorDataset(images, data.labels)).finish().history[-1]["loss"]
        for images in (whole.to(torch.uint8), whole.div(255).double())
    ]
    assert losses[0] == pytest.approx(losses[1])
    run(3, data=TensorDataset((data.images - 0.5) / 0.2, data.labels)).finish()
    with pytest.raises(
        ValueError, match=r"images reach 2\d\d, but lie in 0\.\.1, or about 0 where they are normalised"
    ):
        run(3, data=TensorDataset(whole, data.labels)).finish()


def test_a_batch_size_is_a_number_of_examples_for_a_data_set_too():
    with pytest.raises(ValueError, match="batch_size=0, but a batch holds at least 1 example"):
        run(3, data=dataset(), batch_size=0)


def test_a_loader_that_is_tested_on_is_what_its_sampler_and_its_collation_make_of_it():
    chosen = DataLoader(dataset(), 4, sampler=SubsetRandomSampler(range(7)))
    assert len(tl.evaluate(network(), chosen).labels) == 7

    def halved(pairs):
        return torch.stack([x for x, _ in pairs]) / 2, torch.stack([y for _, y in pairs])

    images = tl.data.as_split(DataLoader(dataset(), 4, collate_fn=halved)).images
    assert images.equal(split(30).images / 2)


def test_a_data_set_that_fails_once_costs_no_batch():
    class Failing(TensorDataset):
        reads = 0

        def __getitem__(self, number):
            Failing.reads += 1
            if Failing.reads == 20:
                raise OSError("gone")
            return super().__getitem__(number)

    data = split(30)
    going = run(4, data=DataLoader(Failing(data.images, data.labels), 8, shuffle=True))
    with pytest.raises(OSError, match="gone"):
        going.finish()
    assert digest(going.finish().network) == digest(run(4, data=loader()).finish().network)


def test_a_data_set_without_the_last_class_is_tested_with_all_classes_of_the_network():
    data = split(30)
    some = data[data.labels < 2]
    report = tl.evaluate(network(), TensorDataset(some.images, some.labels))
    assert len(report.classes) == 3
    tasked = tl.data.Task("t", data, TensorDataset(some.images, some.labels), data)
    assert tasked.validation.classes == data.classes


def test_a_data_set_of_whole_batches_is_batches():
    class Whole(Dataset):
        def __getitem__(self, step):
            return Batch(split().inputs, split().labels)

    assert run(3, data=Whole()).finish().finished


def test_examples_without_labels_are_for_objectives_that_need_none():
    objective = tl.objectives.SimCLR(feature_dim=6)
    assert run(3, data=TensorDataset(split().images), objective=objective).finish().finished
