"""What all widgets have in common: what they hold, and the state that they send and save."""

from __future__ import annotations

import gc
import json
import math
import re
import weakref

import pytest
from helpers import network, split

import tlkit as tl
from tlkit.data.tasks import Split
from tlkit.widgets import Frames


@pytest.mark.parametrize(
    "widget_of",
    [
        lambda net, data: tl.widgets.Gallery(data, net),
        lambda net, data: tl.widgets.PseudoLabelMonitor(data, net),
        lambda net, data: tl.widgets.FeatureMap(data, net.features(data.inputs), network=net, method="PCA"),
        lambda net, data: tl.widgets.Views(data, {"net": lambda images: images.clamp(0, net.head.out_features)}),
        lambda net, data: tl.widgets.FreezePanel(net),
    ],
    ids=["Gallery", "PseudoLabelMonitor", "FeatureMap", "Views", "FreezePanel"],
)
def test_a_widget_that_only_shows_holds_neither_network_nor_data(widget_of):
    net, data = network(), split()
    held = [weakref.ref(net), weakref.ref(data.inputs)]
    widget = widget_of(net, data)
    del net, data
    gc.collect()
    assert [part() for part in held] == [None, None] and repr(widget)


def state_in(page) -> dict:
    """The state of the widget in a saved page, read as strictly as a browser reads it."""

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = page.read_text(encoding="utf-8")
    found = re.search(r'widget-state\+json">(.*?)</script>', text, re.S)
    states = json.loads(found[1], parse_constant=refuse)["state"].values()
    return next(one["state"] for one in states if "view" in one["state"])


def test_a_saved_page_has_null_where_a_number_is_not_finite(tmp_path):
    curve = Frames.Curve("error", [1, math.nan], low=[0, -math.inf], high=[2, math.inf], lines={"mean": math.nan})
    widget = Frames("step", [0, 1], title="Lost", curve=curve)
    assert state_in(widget.save_page(tmp_path / "frames.html"))["view"]["curve"]["lines"] == [["mean", None]]
    widget.view = widget.view | {"deep": [{"inside": (math.inf, -math.inf, 1.5)}]}
    assert state_in(widget.save_page(tmp_path / "frames.html"))["view"]["deep"] == [{"inside": [None, None, 1.5]}]
    assert widget.get_state("view")["view"]["deep"] == [{"inside": [None, None, 1.5]}]


def test_a_name_that_is_not_valid_utf_8_is_saved_with_a_sign_in_its_place(tmp_path):
    data = split(6)
    names = ("caf\udce9", "b\U0001f98b", "c")
    odd = Split(data.inputs, data.labels, names, files=tuple(f"{name}.png" for name in names) * 2)
    view = state_in(tl.widgets.Gallery(odd, title="caf\udce9").save_page(tmp_path / "gallery.html"))["view"]
    assert view["classes"] == ["caf\ufffd", "b\U0001f98b", "c"]
    assert (view["title"], view["files"][0]) == ("caf\ufffd", "caf\ufffd.png")
    teach = tl.widgets.Teach({"caf\udce9": [], "b": []})
    assert "caf\ufffd" in teach.save_page(tmp_path / "teach.html").read_text(encoding="utf-8")
