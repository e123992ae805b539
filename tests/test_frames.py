"""Frames without a browser: what is sent, its words, and how a mistake is answered."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tlkit.widgets import Frames

Row, Curve = Frames.Row, Frames.Curve
NAN = float("nan")


def frames(values=(0, 4, 8), name="epoch", **parts):
    return Frames(name, values, title="Learning", **parts)


def images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def sent(widget, part):
    """The images of a row, or of what it hides, for each frame as they are sent, in 0..255."""
    pixels = np.frombuffer(widget.images, np.uint8)[part["from"] :]
    size = int(np.prod(part["shape"]))
    return [pixels[a * size : (a + n) * size].reshape(n, *part["shape"]) for a, n in part["sets"]]


def as_bytes(images):
    return (images * 255).round().byte().numpy()


# ---- images ----


def test_a_row_of_fixed_images_is_sent_once_and_one_that_changes_frame_by_frame():
    fixed, changing = images(2, 1, 4, 4), images(3, 2, 1, 5, 4)
    widget = frames(rows=[Row("given", fixed), Row("made", changing)])
    given, made = widget.view["rows"]
    assert len(widget.images) == 2 * 16 + 3 * 2 * 20
    assert np.array_equal(sent(widget, given), as_bytes(fixed)[None])
    assert np.array_equal(sent(widget, made), as_bytes(changing))


def test_sets_of_a_row_may_differ_in_their_number():
    sets = [images(n, 3, 4, 4) for n in (2, 0, 1)]
    widget = frames(strips=[Row("left out", sets, captions=[["a", "b"], [], ["c"]])])
    [row] = widget.view["rows"]
    assert [len(one) for one in sent(widget, row)] == [2, 0, 1]
    assert np.array_equal(sent(widget, row)[2], as_bytes(sets[2]))


def test_a_row_that_stands_in_several_choices_is_sent_once():
    original = Row("original", images(2, 1, 4, 4))
    made, missed = (Row(name, images(3, 2, 1, 4, 4)) for name in ("made", "missed"))
    widget = frames(rows={"reconstruction": [original, made], "difference": [original, missed]})
    assert widget.view["choices"] == [["reconstruction", [0, 1]], ["difference", [0, 2]]]
    assert len(widget.images) == (2 + 6 + 6) * 16
    assert widget.shown == "reconstruction"


def test_hidden_pixels_are_marked_and_not_sent():
    hidden = torch.zeros(2, 4, 4, dtype=torch.bool)
    hidden[0, :2], hidden[1, 3, 3] = True, True
    shown = images(2, 1, 4, 4).clamp(0.1)
    widget = frames(rows=[Row("given", shown, hidden=hidden)])
    [row] = widget.view["rows"]
    assert np.array_equal(sent(widget, row["hidden"])[0][:, 0], 255 * hidden.numpy())
    assert np.array_equal(sent(widget, row)[0][:, 0] == 0, hidden.numpy())
    assert np.array_equal(sent(widget, row)[0], as_bytes(shown * ~hidden[:, None]))


def test_what_is_hidden_may_change_over_the_same_images():
    hidden = torch.stack([torch.full((2, 4, 4), share) for share in (False, True, False)])
    widget = frames(rows=[Row("given", images(2, 1, 4, 4).clamp(0.1), hidden=hidden)])
    assert [int(one.min()) > 0 for one in sent(widget, widget.view["rows"][0])] == [True, False, True]


def test_large_images_are_shrunk_with_what_they_hide():
    hidden = torch.zeros(1, 192, 192, dtype=torch.bool)
    hidden[:, :96] = True
    row = frames(rows=[Row("large", images(1, 3, 192, 192), hidden=hidden)]).view["rows"][0]
    assert (row["shape"], row["hidden"]["shape"]) == ([3, 96, 96], [1, 96, 96])


# ---- words and numbers ----


def test_words_are_one_for_all_one_a_frame_or_what_a_function_says():
    for words in ("same", ["same"] * 3, lambda frame: "same"):
        assert frames(number=words).view["number"] == ["same"] * 3
    assert frames(interval=lambda frame: f"of {frame}").view["interval"] == ["of 0", "of 1", "of 2"]
    row = Row("made", images(1, 1, 4, 4), note=["first", "then", "last"])
    assert frames(rows=[row]).view["rows"][0]["note"] == ["first", "then", "last"]


@pytest.mark.parametrize(
    "sentence, bold, plain",
    [
        ("Surer is rarer. With 0.95 few are left.", "Surer is rarer. ", "With 0.95 few are left."),
        ("Better: from epoch 2 on.", "Better: ", "from epoch 2 on."),
        ("At 0.95 few are left.", "", "At 0.95 few are left."),
        ("", "", ""),
    ],
)
def test_the_opening_of_a_sentence_that_goes_on_is_bold(sentence, bold, plain):
    assert frames(sentence=sentence).view["sentence"][0] == (bold, plain)


def test_it_says_where_it_is_and_the_number_there():
    error = Curve("Mean squared error", [0.11, NAN, -0.031], name="autoencoder")
    run = frames(curve=error, recorded=True)
    assert repr(run) == "epoch 0 of 8: autoencoder 0.110"
    run.frame = 1
    assert repr(run) == "epoch 4 of 8: autoencoder not measured"
    run.frame = 2
    assert repr(run) == "epoch 8 of 8: autoencoder \u22120.031"
    choice = frames([0.5, 0.95], "threshold", number=["80.0 % right", "96.2 % right"], frame=1)
    assert repr(choice) == "threshold 0.95: 96.2 % right"
    assert repr(frames(["a", "b"], "corruption")) == "corruption a"


def test_numbers_stand_at_their_distance_and_words_side_by_side():
    assert frames([-2, 0, 2500]).view["at"] == [-2, 0, 2500]
    assert frames([-2, 0, 2500]).view["values"] == ["\u22122", "0", "2,500"]
    assert frames(map(str, (1, 10, 100))).view["at"] == [0, 1, 2]


def test_a_table_has_a_value_for_each_frame():
    widget = frames(table={"used": torch.tensor([1000, 453, 0]), "best": ["a", "b", "c"]})
    assert widget.view["table"] == [["used", ["1,000", "453", "0"]], ["best", ["a", "b", "c"]]]


# ---- the curve ----


def curve(widget):
    return widget.view["curve"]


def test_accuracy_runs_from_0_or_a_given_start_to_100_and_other_numbers_to_a_round_one():
    whole = curve(frames(curve=Curve("a", [50, 60, 70], unit="%")))
    assert (whole["bottom"], whole["top"]) == (0, 100)
    accuracy = curve(frames(curve=Curve("a", [80, 90, 96.24], unit="%", start=70)))
    assert (accuracy["bottom"], accuracy["top"], accuracy["words"][2]) == (70, 100, "96.2 %")
    error = curve(frames(curve=Curve("e", [0.1, 0.05, 0.02], lines={"always the mean": 0.13})))
    assert (error["bottom"], error["top"]) == (0, 0.15)


def test_a_curve_stands_over_the_values_or_over_an_axis_of_its_own():
    own, other = Curve("a", [1, 2, 3]), Curve("a", [1, 2, 3], x=[998, 453, 160], x_title="images used")
    assert [curve(frames(curve=one))["x"] for one in (own, other)] == [[0, 4, 8], [998, 453, 160]]
    assert [list(curve(frames(curve=one))["span"]) for one in (own, other)] == [[0, 8], [0, 1000]]


def test_lines_are_levels_or_go_from_frame_to_frame():
    lines = {"level": torch.tensor(0.5), "calibrated": [0.1, 0.2, NAN]}
    assert curve(frames(curve=Curve("a", [0.1, 0.2, 0.4], lines=lines)))["lines"] == [
        ["level", 0.5],
        ["calibrated", [0.1, 0.2, None]],
    ]


def test_the_familys_colour_and_mark_are_those_of_the_course():
    drawn = curve(frames(curve=Curve("a", [1, 2, 3], family="unlabelled target")))
    assert (drawn["token"], drawn["mark"]) == ("s4", "diamond")


# ---- mistakes ----

ONE = images(2, 1, 4, 4)


@pytest.mark.parametrize(
    "values, parts, message",
    [
        ([], {}, "a slider needs values, one for each frame, and there are none"),
        ([1, 10, 5], {}, r"values grow, but 5 follows 10; sort .* or give words .* map\(str, values\)"),
        ([1, 1], {}, "1 follows 1"),
        ((0, 4, 8), {"rows": [Row("made", images(4, 2, 1, 4, 4))]}, 'row "made" has 4 frames, .* slider has 3 values'),
        (
            (0, 4, 8),
            {"rows": [Row("made", [ONE, ONE, images(2, 1, 5, 4)])]},
            r"\[2, 1, 4, 4\] and \[2, 1, 5, 4\]; give",
        ),
        ((0, 4, 8), {"rows": [Row("made", ONE[0])]}, r"has images of shape .*; give \[n, channels, height, width\]"),
        ((0, 4, 8), {"rows": [Row("made", images(2, 2, 4, 4))]}, r"1 channel \(grey\) or 3 \(RGB\)"),
        ((0, 4, 8), {"rows": [Row("made", [])]}, "images of shape none"),
        ((0, 4, 8), {"rows": [Row("made", 2 * ONE - 1)]}, r"has pixels from -0\.\d+ to 0\.\d+; show 0 to 1, .*clamp"),
        ((0, 4, 8), {"rows": [Row("made", ONE * NAN)]}, "has pixels from nan to nan"),
        ((0, 4, 8), {"rows": [Row("made", ONE, hidden=torch.ones(2, 4, 3))]}, r"hides pixels of shape \[2, 4, 3\]"),
        ((0, 4, 8), {"rows": [Row("made", [ONE] * 3, hidden=torch.ones(2, 4, 4))]}, "hides pixels .* its images"),
        (
            (0, 4, 8),
            {"rows": [Row("made", ONE, captions=["a"])]},
            '"made" has 2 images and 1 captions; give one for each',
        ),
        (
            (0, 4, 8),
            {"rows": [Row("made", [ONE, ONE, images(3, 1, 4, 4)], captions=[["a", "b"]] * 3)]},
            '"made" has 3 images and 2 captions',
        ),
        ((0, 4, 8), {"rows": [Row("made", ONE, note=["a"])]}, 'the note of the row "made" has 1 frames'),
        ((0, 4, 8), {"curve": Curve("error", [1, 2])}, 'y of the curve "error" has 2 frames, but the slider has 3'),
        ((0, 4, 8), {"curve": Curve("error", [1, 2, 3], low=[1])}, "an interval of the curve"),
        ((0, 4, 8), {"curve": Curve("error", [1, 2, 3], lines={"mean": [1, 2]})}, 'the line "mean" of the curve'),
        ((0, 4, 8), {"curve": Curve("error", [1, 2, 3], x=[1, NAN, 3])}, "an x that is no number; .* NaN in y"),
        ((0, 4, math.inf), {}, "a slider's values are finite, but inf is among them; give words to set them side by"),
        ((0, 4, 8), {"curve": Curve("error", [1, 2, 3], start=-math.inf)}, "starts at -inf; start it below all"),
        ((0, 4, 8), {"curve": Curve("error", [1, 2, 3], start=5)}, "starts at 5; start it below all that it shows"),
        ((0, 4, 8), {"table": {"used": [1, 2]}}, 'table\'s "used" has 2 frames'),
        ((0, 4, 8), {"sentence": ["a", "b"]}, "the sentence has 2 frames"),
        ((0, 4, 8), {"frame": 3}, "there is no frame 3; they are counted from 0 to 2"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(values, parts, message):
    with pytest.raises(ValueError, match=message):
        frames(values, **parts)


def test_a_lesson_can_go_to_frames_and_rows_that_are_there():
    widget = frames(rows={"one": [Row("a", ONE)], "two": [Row("b", ONE)]})
    widget.frame, widget.shown = 2, "two"
    with pytest.raises(ValueError, match="there is no frame -1"):
        widget.frame = -1
    with pytest.raises(ValueError, match="there are no rows \"three\"; there are 'one', 'two'"):
        widget.shown = "three"
    assert (widget.frame, widget.shown) == (2, "two")


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        (("none", "weak", "strong"), True),
        (("1", "5", "all"), True),
        (("0", "0.9", "0.9999"), False),
        (("1,000", "\u22125", "3e-05"), False),
        ((1, 2, 3), False),
    ],
)
def test_a_curve_over_words_that_are_no_numbers_has_rows_instead_of_a_line(values, rows):
    assert frames(values, curve=Curve("Accuracy", [1, 2, 3])).view["curve"]["rows"] is rows


def test_the_stages_of_a_run_and_a_curve_over_its_own_axis_keep_their_line():
    words = ("begun", "half", "trained")
    assert not frames(words, curve=Curve("Error", [3, 2, 1]), recorded=True).view["curve"]["rows"]
    assert not frames(words, curve=Curve("Error", [3, 2, 1], x=[1, 2, 3])).view["curve"]["rows"]
