"""What a learner touches: one widget a file, `name.py` with its `name.js`."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.widgets.budget_explorer import BudgetExplorer
    from tlkit.widgets.freeze_panel import FreezePanel
    from tlkit.widgets.gallery import Gallery
    from tlkit.widgets.monitor import Monitor
    from tlkit.widgets.prediction import Prediction
    from tlkit.widgets.teach import Teach

__all__ = ["BudgetExplorer", "FreezePanel", "Gallery", "Monitor", "Prediction", "Teach"]

__getattr__, __dir__ = attributes(
    __name__,
    {
        "budget_explorer": ("BudgetExplorer",),
        "freeze_panel": ("FreezePanel",),
        "gallery": ("Gallery",),
        "monitor": ("Monitor",),
        "prediction": ("Prediction",),
        "teach": ("Teach",),
    },
)
