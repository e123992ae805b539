"""What all widgets have in common: what they hold, and the state that they send and save."""

from __future__ import annotations

import gc
import weakref

import pytest
from helpers import network, split

import tlkit as tl


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
