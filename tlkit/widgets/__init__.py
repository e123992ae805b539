"""What a learner touches: one widget a file, `name.py` with its `name.js`."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.widgets.budget_explorer import BudgetExplorer
    from tlkit.widgets.feature_map import FeatureMap
    from tlkit.widgets.frames import Frames
    from tlkit.widgets.freeze_panel import FreezePanel
    from tlkit.widgets.gallery import Gallery
    from tlkit.widgets.image_views import Views
    from tlkit.widgets.monitor import Monitor
    from tlkit.widgets.prediction import Prediction
    from tlkit.widgets.pseudo_label_monitor import PseudoLabelMonitor
    from tlkit.widgets.pull_push import PullPush
    from tlkit.widgets.shift_explorer import ShiftExplorer
    from tlkit.widgets.side_by_side import SideBySide
    from tlkit.widgets.teach import Teach

__getattr__, __dir__ = attributes(__name__)
