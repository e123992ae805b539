"""What a learner touches: one widget a file, `name.py` with its `name.js`."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.widgets.budget_explorer import BudgetExplorer
    from tlkit.widgets.monitor import Monitor
    from tlkit.widgets.prediction import Prediction

__all__ = ["BudgetExplorer", "Monitor", "Prediction"]

__getattr__, __dir__ = attributes(
    __name__,
    {"budget_explorer": ("BudgetExplorer",), "monitor": ("Monitor",), "prediction": ("Prediction",)},
)
