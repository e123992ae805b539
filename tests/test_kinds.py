"""Examples of every kind take the same path; anything else is refused with what to do."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace
from math import tau
from pathlib import Path

import pytest
import torch
from helpers import NAMES, digest, network, split
from torch import Tensor, nn

import tlkit as tl
from tlkit.data import Tokens, Waves
from tlkit.freezing import FreezePlan, Rule
from tlkit.models.networks import seeded

DOCUMENTED = Path(__file__).parent.parent / "docs" / "objectives.md"
EXAMPLE: dict = {}
exec(re.findall(r"```python\n(.*?)```", DOCUMENTED.read_text(encoding="utf-8"), re.DOTALL)[0], EXAMPLE)
Reader, NextToken = EXAMPLE["Reader"], EXAMPLE["NextToken"]

LETTERS = ("", *"abcdef")
RATE = 8_000
KINDS = ("images", "vectors", "texts", "sounds")
each_kind = pytest.mark.parametrize("kind", KINDS)


# ---- examples of each kind: three classes that a small network can learn ----


def texts(labels: Tensor, generator: torch.Generator) -> Tensor:
    """3 to 9 letters each: most are one of the two that the class prefers."""
    n = len(labels)
    preferred = 1 + 2 * labels[:, None] + torch.randint(2, (n, 9), generator=generator)
    anything = torch.randint(1, len(LETTERS), (n, 9), generator=generator)
    letters = torch.where(torch.rand(n, 9, generator=generator) < 0.7, preferred, anything)
    lengths = torch.randint(3, 10, (n, 1), generator=generator)
    return letters.where(torch.arange(9) < lengths, 0)


def sounds(labels: Tensor, generator: torch.Generator) -> Tensor:
    """A noisy tone of 300, 900 or 1,500 Hz for 32 ms, from a moment of its own on."""
    times = torch.arange(256)[None] / RATE + torch.rand(len(labels), 1, generator=generator)
    tones = (tau * (300 + 600 * labels[:, None]) * times).sin()
    return (0.6 * tones + 0.2 * torch.randn(len(labels), 256, generator=generator)).clamp(-1, 1)


def examples(kind: str, n: int, seed: int = 0) -> tl.data.Split:
    generator, labels = torch.Generator().manual_seed(seed), torch.arange(n) % 3
    if kind == "images":
        columns = torch.eye(4)[labels][:, None, None, :].expand(-1, 1, 4, -1)
        return tl.data.Split((columns + torch.rand(n, 1, 4, 4, generator=generator)) / 2, labels, NAMES)
    if kind == "vectors":
        return tl.data.Split(torch.eye(3)[labels] + 0.4 * torch.randn(n, 3, generator=generator), labels, NAMES)
    if kind == "texts":
        return tl.data.Split(texts(labels, generator), labels, NAMES, Tokens(LETTERS))
    return tl.data.Split(sounds(labels, generator), labels, NAMES, Waves(RATE))


def task(kind: str, seed: int = 0) -> tl.data.Task:
    parts = [examples(kind, n, 10 * seed + part) for part, n in enumerate((90, 30, 120))]
    return tl.data.Task(kind, *parts, redraw=lambda other: task(kind, other))


class Dense(nn.Sequential):
    """A backbone of named groups."""

    def __init__(self, **groups: nn.Module):
        super().__init__(OrderedDict(groups))
        self.feature_dim = 16


def net(kind: str, seed: int = 0) -> tl.models.Network:
    if kind == "images":
        return network(seed)
    with seeded(seed):
        if kind == "vectors":
            below, above = nn.Sequential(nn.Linear(3, 16), nn.ReLU()), nn.Sequential(nn.Linear(16, 16), nn.ReLU())
            return tl.models.Network(Dense(below=below, above=above), nn.Linear(16, 3))
        if kind == "texts":
            return tl.models.Network(Reader(len(LETTERS)), nn.Linear(32, 3))
        filters = nn.Sequential(
            nn.Unflatten(1, (1, 256)), nn.Conv1d(1, 16, 32, stride=4), nn.BatchNorm1d(16), nn.ReLU()
        )
        pooled = nn.Sequential(nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 16), nn.LeakyReLU())
        return tl.models.Network(Dense(filters=filters, pooled=pooled), nn.Linear(16, 3))


def learning(kind: str, data=None, seed: int = 0, **options) -> tl.Run:
    options = {"steps": 80, "batch_size": 30, "lr": 1e-2, "device": "cpu", "seed": seed} | options
    return tl.Run(net(kind, seed), tl.objectives.CrossEntropy(), data or task(kind), **options)


# ---- the whole path ----


@each_kind
def test_a_network_learns_it_is_validated_planned_for_probed_saved_resumed_compared_and_claimed(kind, tmp_path):
    data = task(kind)
    watched = tl.validated(learning(kind), data.validation, every=40)
    trained = watched.finish()
    assert trained.history.series("accuracy")[0] == [0, 40, 80]
    assert tl.evaluate(trained, data.test).accuracy > 0.8

    groups = list(tl.freezing.layer_groups(trained.network))
    frozen = learning(kind, plan=tl.freezing.last_layers(net(kind), 1)).finish().network
    changed = {
        name for name, weight in net(kind).named_parameters() if not weight.equal(frozen.get_parameter(name).detach())
    }
    assert changed == {"head.weight", "head.bias"} and groups[-1] == "head" and len(groups) == 3

    features = tl.extract_features(trained.network, data.train, device="cpu")
    assert isinstance(features, tl.data.Split) and features.inputs.shape == (90, trained.network.backbone.feature_dim)
    probe = tl.linear_probe(features)
    assert tl.evaluate(probe, data.test).accuracy > 0.8
    for layer in groups[:-1]:
        assert len(tl.extract_features(trained.network, data.test, layer, device="cpu")) == 120

    going = learning(kind, plan=tl.freezing.gradual_unfreezing(net(kind)))
    for _ in range(30):
        next(going)
    going.save(tmp_path / "run.safetensors")
    objective = tl.objectives.CrossEntropy()
    again = tl.resume(tmp_path / "run.safetensors", net(kind, seed=1), objective, data, device="cpu").finish()
    assert digest(again.network) == digest(going.finish().network)

    recipes = {
        "head kept": lambda few, seed: tl.linear_probe(tl.extract_features(trained.network, few.train, device="cpu")),
        "untrained": lambda few, seed: net(kind, seed),
    }
    comparison = tl.compare(recipes, data.with_fixed_split(), budgets=(2,)).finish()
    assert comparison.claim("head kept", better_than="untrained", at=2, by=10).holds


@each_kind
def test_batches_pairs_and_labels_that_are_kept_are_of_the_kind(kind):
    few = task(kind).few_labels(2)
    pairs = tl.data.PairedBatches(few.train, few.unlabelled)
    assert pairs[0].inputs.dtype == pairs[0].unlabelled.dtype == few.train.inputs.dtype
    assert tl.data.Batches(few.unlabelled, 8)[3].inputs.shape == (8, *few.train.inputs.shape[1:])
    assert (few.train + few.validation).kind == few.train.kind == few.unlabelled.kind


@each_kind
def test_semi_supervised_learning_and_averages_take_it(kind):
    few = task(kind).few_labels(2)
    pairs = tl.data.PairedBatches(few.train, few.unlabelled, batch_size=6)
    same = {"weak": lambda inputs: inputs, "strong": lambda inputs: inputs}
    run = tl.Run(net(kind), tl.objectives.FixMatch(0.8, **same), pairs, steps=5, average=0.9, device="cpu").finish()
    assert tl.evaluate(run, few.test).probabilities.shape == (120, 3)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("images", "90 grey images of 4 x 4, 3 classes"),
        ("vectors", "90 vectors of 3 numbers, 3 classes"),
        ("texts", "90 texts of at most 9 tokens, 3 classes"),
        ("sounds", "90 sounds of 0.032 s at 8 kHz, 3 classes"),
    ],
)
def test_a_kind_describes_its_examples_in_words(kind, words):
    assert repr(task(kind).train) == words
    assert repr(task(kind)).endswith(f"90 train, 30 validation, 120 test {words[3:-11].removeprefix('grey ')}")


# ---- padding ----


def test_padding_changes_neither_what_a_text_means_nor_its_features():
    short, reader = examples("texts", 12), net("texts").eval()
    longer = replace(short, inputs=nn.functional.pad(short.inputs, (0, 5)))
    assert reader(longer.inputs).allclose(reader(short.inputs), atol=1e-6)
    for layer in (None, "embedding"):
        features = [tl.extract_features(reader, one, layer, device="cpu").values for one in (short, longer)]
        assert features[0].allclose(features[1], atol=1e-6)


def test_a_text_is_written_out_without_its_padding():
    assert Tokens(("", "to", "be", "not"), separator=" ").written(torch.tensor([[1, 2, 0], [3, 1, 2]])) == [
        "to be",
        "not to be",
    ]


# ---- the example of the docs ----


def test_an_objective_for_text_is_thirty_lines_and_what_it_learns_transfers():
    """Words in which each letter decides the next; then the last letter but one is to be named from two examples."""
    generator = torch.Generator().manual_seed(0)
    starts = torch.randint(1, 7, (400, 1), generator=generator)
    words = (starts - 1 + torch.arange(6)) % 6 + 1
    words = words.where(torch.arange(6) < torch.randint(3, 7, (400, 1), generator=generator), 0)
    unlabelled = tl.data.Split(words, None, NAMES, Tokens(LETTERS))
    with seeded(0):
        reader, objective = tl.models.Network(Reader(len(LETTERS)), nn.Linear(32, 3)), NextToken(32, len(LETTERS))
    run = tl.Run(reader, objective, unlabelled, steps=150, lr=1e-2, device="cpu").finish()
    assert run.history.series("loss")[1][0] > 1.5 and run.history.series("loss")[1][-1] < 0.1
    longest = re.findall(r"class NextToken.*?(?=\n```)", DOCUMENTED.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert len(longest.splitlines()) <= 30
    after = tl.data.Split(
        words, (words.gather(1, Tokens.mask(words).sum(1, keepdim=True) - 1)[:, 0] - 1) // 2, NAMES, Tokens(LETTERS)
    )
    few = tl.data.Task("last letters", after[:200], after[:3], after[200:]).few_labels(2)
    untrained = net("texts", seed=1)
    accuracies = [
        tl.evaluate(tl.linear_probe(tl.extract_features(one, few.train, device="cpu")), few.test).accuracy
        for one in (run.network, untrained)
    ]
    assert accuracies[0] > accuracies[1] + 0.1, accuracies


# ---- what a page shows ----


def test_sounds_have_pictures_and_texts_and_vectors_say_that_they_have_none():
    assert repr(tl.widgets.Gallery(examples("sounds", 9))) == "9 sounds of 3 classes"
    assert repr(tl.widgets.Gallery(task("sounds"), net("sounds"))).endswith("of 120 test sounds are misclassified")
    shown = examples("sounds", 3).kind.pictures(examples("sounds", 3).inputs)
    assert shown.shape == (3, 1, 32, 96) and set(shown.unique().tolist()) == {0.0, 1.0}
    for kind in ("texts", "vectors"):
        with pytest.raises(TypeError, match=f"{kind} have no picture; a page shows images and sounds"):
            tl.widgets.Gallery(examples(kind, 9))
        with pytest.raises(TypeError, match=f"{kind} have no picture"):
            tl.widgets.FeatureMap(examples(kind, 9), torch.rand(9, 4))
        with pytest.raises(AttributeError, match=f"these are {kind}, not images; take split.inputs"):
            examples(kind, 9).images  # noqa: B018


@each_kind
def test_every_kind_can_be_planned_for_on_a_panel(kind):
    panel = tl.widgets.FreezePanel(net(kind), split=task(kind))
    assert bool(panel.image) is (kind in ("images", "sounds"))
    assert len(panel.plan.groups) == 3


def test_a_quiet_sound_is_as_tall_as_a_loud_one():
    loud = torch.zeros(1, 960)
    loud[0, 480:] = 0.9
    both = torch.cat([loud, loud / 10])
    first, second = Waves(RATE).pictures(both)
    assert first.equal(second) and first[0, :, :48].sum() == 0 and first[0, :, 48:].all()


# ---- what is refused ----

WORDS = torch.tensor([[1, 2, 0], [3, 1, 2]])
TONE = torch.ones(3, 8) / 2


def of(changed: Tensor, row: int, value: float) -> Tensor:
    changed = changed.clone()
    changed[row] = value
    return changed


@pytest.mark.parametrize(
    ("inputs", "kind", "words"),
    [
        (
            of(WORDS, 1, 7),
            Tokens(LETTERS),
            "token 7 of text 1 is out of range: the vocabulary has the symbols 0 .* to 6",
        ),
        (of(WORDS, 0, -1), Tokens(LETTERS), "token -1 of text 0 is out of range"),
        (of(WORDS, 1, 0), Tokens(LETTERS), "text 1 is empty: all of its tokens are padding .* take it out"),
        (
            WORDS.float(),
            Tokens(LETTERS),
            r"texts are torch.int64 of the shape \[n, length\], but these are torch.float32",
        ),
        (WORDS.to(torch.uint8), Tokens(LETTERS), "texts are torch.int64 .* but these are torch.uint8"),
        (torch.zeros(2, 0, dtype=torch.int64), Tokens(LETTERS), "text 0 is empty"),
        (WORDS, None, r"torch.int64 of the shape \[2, 3\] could be anything; .*kind=tl.data.Tokens\(vocabulary\)"),
        (of(TONE, 1, 0.0), Waves(RATE), "sound 1 is silent from beginning to end; take it out"),
        (of(TONE, 2, torch.nan), Waves(RATE), r"sound 2 has values that are not finite \(NaN, infinity\)"),
        (TONE * 30_000, Waves(RATE), r"sound 0 reaches 15000, but samples lie in -1..1; .* take samples / 32768"),
        (TONE[:, None], Waves(RATE), r"but these are torch.float32 of the shape \[3, 1, 8\]; mix channels to one"),
        ((TONE * 30_000).short(), Waves(RATE), r"these are torch.int16 .* samples.float\(\) / 32768"),
        (of(TONE, 1, torch.inf), None, "vector 1 has values that are not finite"),
        (
            torch.zeros(2, 1, 4, 4, dtype=torch.int64),
            None,
            r"images are fractions .* these are torch.int64 .* images.float\(\) / 255",
        ),
        (of(torch.zeros(2, 1, 4, 4), 1, 200.0), None, r"images lie in 0..1, but image 1 reaches 200; .*images / 255"),
        (of(torch.zeros(3, 3, 4, 4), 2, -2.1), None, "image 2 reaches -2.1; .*give normalised images as they were"),
        (of(torch.zeros(2, 1, 4, 4), 1, torch.nan), None, "image 1 has values that are not finite"),
    ],
)
def test_inputs_that_are_not_of_their_kind_are_refused(inputs, kind, words):
    with pytest.raises(ValueError, match=words):
        tl.data.Split(inputs, None, NAMES, kind)


def test_images_of_whole_bytes_are_scaled_from_black_to_white():
    of_bytes = tl.data.Split(torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1), None, NAMES)
    assert of_bytes.images.flatten().tolist() == [0, pytest.approx(0.2), 1] and of_bytes.images.dtype == torch.float32


def test_images_may_overshoot_a_little_as_a_sharp_resampling_does():
    drawn = nn.functional.interpolate(torch.eye(4)[None, None], (9, 9), mode="bicubic")
    assert drawn.min() < 0 and tl.data.Split(drawn, None, NAMES).images is drawn


def test_numbers_of_another_range_are_examples_that_are_no_images():
    maps = tl.data.Split(torch.full((2, 3, 4, 4), -7.0), None, NAMES, tl.data.Kind())
    assert repr(maps) == "2 examples of 3 x 4 x 4, no labels"


@pytest.mark.parametrize("kind", ["images", "vectors", "sounds"])
def test_numbers_of_double_precision_are_learnt_from_as_those_of_single_precision(kind):
    plain = examples(kind, 30)
    double = replace(plain, inputs=plain.inputs.double())
    assert double.inputs.equal(plain.inputs) and double.inputs.dtype == torch.float32


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (
            [torch.zeros(8), torch.zeros(9)],
            r"a list of tensors of the shapes \[\[8\], \[9\]\].*sounds are cut or padded",
        ),
        (torch.zeros(2, 3).numpy(), r"a ndarray, but one tensor .* torch.from_numpy\(array\)"),
    ],
)
def test_examples_of_several_lengths_come_in_one_tensor(inputs, words):
    with pytest.raises(TypeError, match=words):
        tl.data.Split(inputs, None, NAMES, Waves(RATE))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (tl.data.Split(TONE, None, NAMES, Waves(16_000)), "8 kHz, no labels cannot be joined to .* 16 kHz"),
        (tl.data.Split(TONE[:, :4], None, NAMES, Waves(RATE)), "bring both to one kind and one size"),
        (tl.data.Split(TONE, None, NAMES), "sounds .* cannot be joined to 3 vectors"),
    ],
    ids=["rates", "lengths", "kinds"],
)
def test_what_differs_in_kind_rate_or_length_is_not_joined(other, words):
    with pytest.raises(ValueError, match=words):
        tl.data.Split(TONE, None, NAMES, Waves(RATE)) + other


def test_other_classes_are_not_joined():
    with pytest.raises(ValueError, match=r"classes are \('a', 'b', 'c'\) and \('a', 'b', 'd'\), .*; rename or regroup"):
        split() + replace(split(), classes=("a", "b", "d"))


def test_a_split_in_another_rate_is_not_paired():
    slow, quick = (tl.data.Split(TONE, torch.arange(3), NAMES, Waves(rate)) for rate in (RATE, 16_000))
    with pytest.raises(
        ValueError, match=r"8 kHz, 3 classes, unlabelled are .* 16 kHz, 3 classes; pair examples of one"
    ):
        tl.data.PairedBatches(slow, quick)


# ---- what belongs to an example ----


def test_groups_survive_a_join_with_nothing():
    whole = tl.data.Split(torch.rand(6, 4), torch.arange(6) % 3, tuple("abc"), groups=tuple("pqrstu"))
    assert (whole[:0] + whole).groups == (whole + whole[:0]).groups == tuple("pqrstu")
    assert whole[:0].groups == ()


def test_a_kind_is_an_object_and_a_vocabulary_any_sequence():
    with pytest.raises(TypeError, match=r"Waves'> is not a kind; make one, such as tl.data.Waves\(rate=16000\)"):
        tl.data.Split(torch.rand(2, 100), None, (), tl.data.Waves)
    assert tl.data.Tokens(["", "a"]) == tl.data.Tokens(("", "a"))


def test_groups_follow_their_examples():
    speakers = [f"speaker {number % 4}" for number in range(30)]
    whole = replace(split(), groups=speakers)
    assert whole[whole.labels == 1].groups == tuple(speakers[1::3])
    assert (whole[:2] + whole[5:6]).groups == ("speaker 0", "speaker 1", "speaker 1")
    assert (whole + split()).groups is None
    assert whole.without_labels().to("cpu").groups == tuple(speakers)
    with pytest.raises(ValueError, match="there are 30 images, but 2 groups; name one for each"):
        replace(split(), groups=("x", "y"))


def two_tasks(n: int = 12) -> tl.data.Split:
    first = torch.arange(n) % 3
    labels = {"letter": first, "vowel": (first == 0).long().where(torch.arange(n) % 2 == 0, -1)}
    return tl.data.Split(split(n).images, labels, {"letter": NAMES, "vowel": ("no", "yes")})


def test_labels_of_several_tasks_go_by_their_names_and_unknown_ones_are_left_out():
    both = two_tasks()
    assert repr(both) == "12 grey images of 4 x 4, letter of 3 classes, vowel of 2 classes"
    assert repr(both.of("vowel")) == "6 grey images of 4 x 4, 2 classes"
    assert both.of("vowel").labels.tolist() == [1, 0, 0, 1, 0, 0]
    batch = tl.data.Batches(both, 5)[1]
    assert {name: labels.shape for name, labels in batch.labels.items()} == {"letter": (5,), "vowel": (5,)}
    assert (both[:3] + both[3:]).labels["vowel"].equal(both.labels["vowel"])
    task = tl.data.Task("both", both, both, both, unlabelled=both)
    few = task.of("vowel").few_labels(1)
    assert few.classes == ("no", "yes") and len(few.unlabelled) == 6 + 4
    swapped = {"vowel": ("no", "yes"), "letter": NAMES}
    assert replace(both, classes=swapped).of("letter").classes == NAMES


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (
            lambda both: tl.evaluate(network(), both),
            r"labels are of several tasks \(letter, vowel\); .*split.of\('letter'\)",
        ),
        (lambda both: next(learning("images", both)), r"labels of one task, but .* several tasks \(letter, vowel\)"),
        (
            lambda both: both.of("colour"),
            "no labels of a task 'colour'; this split has those of letter, vowel",
        ),
        (lambda both: replace(both, classes=NAMES), "labels of several tasks need the classes of the same tasks"),
        (lambda both: tl.data.Task("both", both, both, both).few_labels(1), "labels are of several tasks"),
    ],
    ids=["evaluate", "cross-entropy", "unknown", "classes", "few labels"],
)
def test_where_one_task_is_needed_several_are_refused(use, words):
    with pytest.raises(ValueError, match=words):
        use(two_tasks())


# ---- features are vectors ----


def test_a_head_is_trained_on_features_as_on_any_vectors():
    features = tl.extract_features(network(), examples("images", 60), device="cpu")
    with seeded(0):
        head = nn.Linear(6, 3)
    tl.Run(head, tl.objectives.CrossEntropy(), features, steps=100, lr=0.05, device="cpu").finish()
    assert tl.evaluate(head, features).accuracy > 0.6


def test_a_probe_asks_which_is_meant_where_inputs_and_features_look_alike():
    same = tl.models.Network(Dense(only=nn.Linear(16, 16)), nn.Linear(16, 3))
    data = tl.data.Split(torch.randn(30, 16), torch.arange(30) % 3, NAMES)
    probe = tl.linear_probe(tl.extract_features(same, data, device="cpu"))
    with pytest.raises(ValueError, match=r"may be inputs or features: both are 16 numbers; use tl\.models\.Network"):
        probe.predict(data.inputs)
    whole = tl.models.Network(probe.cut, probe.head)
    assert len(tl.evaluate(whole, data).labels) == 30


# ---- plans reach an objective's own parts ----


class TwoHeads(tl.objectives.Objective):
    """Two tasks on one backbone: the network's head for the first, one of its own for the second."""

    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleDict({"vowel": nn.Linear(6, 2)})

    def forward(self, network, batch):
        features = network.features(batch.inputs)
        losses = {
            "letter": nn.functional.cross_entropy(network.head(features), batch.labels["letter"]),
            "vowel": nn.functional.cross_entropy(self.heads["vowel"](features), batch.labels["vowel"], ignore_index=-1),
        }
        return {"loss": sum(losses.values()), **losses}


def plan(*more: Rule) -> FreezePlan:
    return FreezePlan((*(Rule(group) for group in tl.freezing.layer_groups(network())), *more))


def test_an_objectives_own_heads_learn_are_planned_for_saved_and_resumed(tmp_path):
    torch.manual_seed(0)
    objective = TwoHeads()
    options = {"steps": 20, "batch_size": 6, "device": "cpu"}
    assert list(tl.freezing.objective_groups(objective, network())) == ["objective.heads.vowel"]
    free = tl.Run(network(), objective, two_tasks(), **options).finish()
    assert not free.objective.heads["vowel"].weight.equal(objective.heads["vowel"].weight)
    frozen = tl.Run(network(), objective, two_tasks(), plan=plan(Rule("objective.heads.vowel", None)), **options)
    assert frozen.finish().objective.heads["vowel"].weight.equal(objective.heads["vowel"].weight)
    thaws = plan(Rule("objective.heads.vowel", None), Rule("objective.heads.vowel", 0.1, 0.5))
    going = tl.Run(network(), objective, two_tasks(), plan=thaws, **options)
    for _ in range(13):
        next(going)
    assert going.lrs()["objective.heads.vowel"] == pytest.approx(0.1 * 3e-3)
    going.save(tmp_path / "run.safetensors")
    torch.manual_seed(1)
    again = tl.resume(tmp_path / "run.safetensors", network(1), TwoHeads(), two_tasks(), device="cpu").finish()
    assert digest(again.objective) == digest(going.finish().objective)


def test_a_plan_with_rules_for_an_objective_is_summarised_and_drawn_on_the_network_alone():
    both = plan(Rule("objective.heads.vowel", None))
    assert [row[0] for row in both.summary(network()).rows] == ["block1", "features", "head"]
    assert tl.plots.plan(both, network()).words.endswith("3 layer groups")


def test_a_group_of_an_objective_leaves_out_what_belongs_to_the_network():
    class Wrapped(tl.objectives.CrossEntropy):
        def __init__(self, net):
            super().__init__()
            self.both = nn.Sequential(net.backbone, nn.Linear(6, 2))

    net = network()
    objective = Wrapped(net)
    (group,) = tl.freezing.objective_groups(objective, net).values()
    assert [weight.shape for weight in group] == [(2, 6), (2,)]
    frozen = tl.Run(net, objective, split(), steps=3, plan=plan(Rule("objective.both", None)), device="cpu").finish()
    assert not frozen.network.backbone.block1[0].weight.equal(network().backbone.block1[0].weight)


def test_a_rule_for_a_part_that_an_objective_has_not_is_refused():
    with pytest.raises(ValueError, match=r"rules for 'objective.heads.noun'; .*did you mean 'objective.heads.vowel'"):
        tl.Run(network(), TwoHeads(), two_tasks(), steps=2, plan=plan(Rule("objective.heads.noun", None)))


# ---- orders ----


def test_a_large_sets_orders_are_not_kept_many_times_over():
    batches = tl.data.Batches(tl.data.Split(torch.zeros(50_000, 1), None, NAMES), 25_000)
    for step in range(20):
        batches[step]
    assert sum(order.numel() for order in batches._orders._kept.values()) == 2 * 50_000


def test_bytes_of_0_and_1_are_not_taken_for_black():
    with pytest.raises(ValueError, match=r"images of the bytes 0 and 1 .*take images\.float\(\)"):
        tl.data.Split((torch.rand(4, 1, 4, 4) > 0.5).to(torch.uint8), torch.arange(4), ("a", "b", "c", "d"))
