"""The FeatureMap without a browser: what is counted, what is sent, and how a mistake is answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import tlkit as tl
from tests.helpers import Knowing, network, split
from tlkit.data.tasks import Split
from tlkit.representations import neighbours, placed, shared_labels

DRAWN = 300  # of more images


def features(n=30, seed=0):
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


def shown(data=None, frames=None, method="PCA", **options):
    data = split() if data is None else data
    return tl.widgets.FeatureMap(data, features(len(data)) if frames is None else frames, method=method, **options)


def sent(widget):
    """Places [frames, n, 2] and neighbours [frames, n, k], as the page reads them."""
    count, k, frames = widget.view["count"], widget.view["k"], len(widget.view["words"])
    places = np.frombuffer(widget.places, np.float32).reshape(frames, count, 2)
    return places, np.frombuffer(widget.nearest, "<i2").reshape(frames, count, k)


def test_places_and_neighbours_are_sent_as_they_are_for_every_step():
    frames = {0: features(seed=0), 10: features(seed=1), 20: features(seed=2)}
    places, nearest = sent(shown(frames=frames, k=3))
    assert places.tolist() == placed(list(frames.values()), "PCA").tolist()
    assert nearest.tolist() == [neighbours(one, 3).tolist() for one in frames.values()]


def test_the_images_are_placed_by_t_sne_by_default_and_by_pca_on_request():
    places, _ = sent(tl.widgets.FeatureMap(split(), features()))
    assert places.tolist() == placed(features()).tolist()
    assert "placed by PCA" in shown().view["subtitle"]


def test_repr_counts_the_neighbours_that_share_the_label_in_every_step():
    frames = {0: features(seed=0), 120: features(seed=1)}
    widget = shown(frames=frames, k=4)
    shares = [100 * shared_labels(one, split().labels, 4) for one in frames.values()]
    assert widget.view["shares"] == pytest.approx(shares)
    for frame, step in enumerate(frames):
        widget.frame = frame
        expected = f"30 images placed by their features at step {step}; {shares[frame]:.1f} % of their 4 nearest"
        assert repr(widget) == f"{expected} share the label"


def test_chance_is_what_images_drawn_at_random_would_share():
    uneven = replace(split(), labels=torch.tensor([0] * 20 + [1] * 9 + [2]))
    assert shown(uneven).view["chance"] == pytest.approx(100 * (20 * 19 + 9 * 8) / (30 * 29))


def test_the_image_whose_neighbours_share_least_in_the_last_step_is_selected_at_first():
    directions = torch.eye(6)[split().labels]
    directions[7] = directions[0]  # of another class
    assert shown(frames={0: features(), 1: directions + 0.01 * features()}).selected == 7


def test_features_that_were_extracted_are_taken_as_they_are():
    extracted = tl.extract_features(network(), split())
    assert sent(shown(frames=extracted))[1].tolist() == sent(shown(frames=extracted.values))[1].tolist()


def test_a_network_or_class_numbers_say_what_is_predicted():
    predicted = Knowing(0.5).predict(split().images)
    assert shown(network=Knowing(0.5)).view["predicted"] == [predicted.tolist()]
    assert shown(predictions=predicted).view["predicted"] == [predicted.tolist()]
    steps = {0: features(), 5: features(seed=1)}
    of_steps = shown(frames=steps, predictions={0: predicted, 5: split().labels})
    assert of_steps.view["predicted"] == [predicted.tolist(), split().labels.tolist()]
    assert shown().view["predicted"] is None


def test_without_labels_nothing_is_said_of_classes():
    widget = shown(split().without_labels(), frames={0: features(), 9: features(seed=1)}, network=None)
    assert (widget.view["labels"], widget.view["predicted"]) == (None, None)
    assert repr(widget) == "30 images placed by their features at step 0"


def test_the_first_four_classes_that_occur_are_coloured_or_those_that_are_named():
    many = replace(split(), labels=1 + torch.arange(30) % 6, classes=tuple("abcdefgh"))
    assert shown(many).view["colours"] == [1, 2, 3, 4]
    assert shown(many, colours=("g", "b")).view["colours"] == [6, 1]


def test_of_too_many_images_some_are_drawn_and_all_that_belongs_to_them():
    many = split(700)
    values, predicted = features(700), Knowing(0.7).predict(many.images)
    widget = shown(many, frames=values, predictions=predicted)
    assert widget.view["subtitle"].startswith("300 of 700 images, drawn at random, placed by PCA")
    images = (many.images * 255).round().byte().flatten(1).tolist()
    drawn = [images.index(list(one)) for one in np.frombuffer(widget.images, np.uint8).reshape(DRAWN, -1).tolist()]
    assert drawn == sorted(set(drawn))
    assert widget.view["labels"] == many.labels[drawn].tolist()
    assert widget.view["predicted"] == [predicted[drawn].tolist()]
    assert sent(widget)[1].tolist() == [neighbours(values[drawn]).tolist()]
    assert min(np.bincount(widget.view["labels"])) > 80  # whatever the order of the split


def test_photographs_are_shrunk_and_fewer_so_that_a_buffer_stays_below_three_megabytes():
    photographs = Split(torch.rand(120, 3, 96, 192), torch.zeros(120).long(), ("a",))
    widget = shown(photographs)
    assert widget.view["shape"] == [3, 48, 96]
    assert len(widget.images) == 120 * 3 * 48 * 96
    square = shown(Split(torch.rand(120, 3, 96, 96), torch.zeros(120).long(), ("a",)))
    assert len(square.images) == 108 * 3 * 96 * 96 <= 3_000_000


# ---- mistakes ----

TWO = {0: features(), 5: features()}


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"data": split().images}, TypeError, "a FeatureMap shows a Split, not a Tensor; of a Task take task.test"),
        ({"data": split(0)}, ValueError, r"features have the shape \[0, 6\]"),
        (
            {"data": Split(torch.rand(9, 2, 4, 4), None, ())},
            ValueError,
            "2 channels, but a page shows 1 .grey. or 3 .RGB.",
        ),
        ({"frames": features(29)}, ValueError, r"features have the shape \[29, 6\], but there are 30 images"),
        (
            {"frames": {0: features(), 5: features(4)}},
            ValueError,
            r"features at step 5 have the shape \[4, 6\]",
        ),
        ({"frames": torch.zeros(30, 2, 2)}, ValueError, r"shape \[30, 2, 2\], .* give \[30, d\]"),
        ({"frames": features().log()}, ValueError, "some features are no finite numbers"),
        ({"frames": {}}, ValueError, r"frames are of the steps \[\]; give at least one, as whole numbers"),
        ({"frames": {5: features(), 0: features()}}, ValueError, r"steps \[5, 0\]; .* in training's order"),
        ({"frames": {"first": features()}}, ValueError, r"steps \['first'\]; .* as whole numbers"),
        ({"frames": TWO, "network": network()}, ValueError, r"of the steps \[0, 5\]; give predictions of the same"),
        ({"frames": TWO, "predictions": {0: split().labels}}, ValueError, "give predictions of the same"),
        ({"predictions": split().labels[:4]}, ValueError, "predictions are not one class number, 0 to 2, for each of"),
        ({"predictions": split().labels + 1}, ValueError, "predictions are not one class number, 0 to 2"),
        ({"predictions": torch.rand(30, 3)}, ValueError, r"of logits give logits.argmax\(1\)"),
        ({"colours": ("a", "d")}, ValueError, r"colours=\('a', 'd'\); name at most four of the classes a, b, c"),
        ({"k": 30}, ValueError, "k=30, but each of 30 images has 29 others"),
        ({"method": "UMAP"}, ValueError, "use 'PCA' or 't-SNE'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_answered_with_a_sentence(options, error, message):
    with pytest.raises(error, match=message):
        shown(**options)


def test_a_frame_or_an_image_that_is_none_is_refused_later_too():
    widget = shown(frames=TWO)
    with pytest.raises(ValueError, match="there is no frame 2; they are counted from 0 to 1"):
        widget.frame = 2
    with pytest.raises(ValueError, match="there is no image -1; they are counted from 0 to 29"):
        widget.selected = -1
    assert widget.frame == 0 and widget.selected >= 0
