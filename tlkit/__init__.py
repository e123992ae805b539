"""tlkit: a Jupyter-integrated teaching kit for transfer learning.

`import tlkit as tl` is quick: a name loads its module, and torch with it, when it is first used.
"""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit import data, freezing, label_free, lessons, models, objectives, plots, representations, views, widgets
    from tlkit.evaluation import Predictions, Report, evaluate, observed, predict, validated
    from tlkit.experiments import Comparison, compare
    from tlkit.features import Features, extract_features, linear_probe
    from tlkit.intervals import Claim
    from tlkit.lessons.source import show_source
    from tlkit.recipes import Recipe, classical_recipe, probe_recipe
    from tlkit.self_training import balanced_pseudo_labels
    from tlkit.training.learning_rates import range_test
    from tlkit.training.machine import hardware
    from tlkit.training.resuming import resume
    from tlkit.training.run import Run

__version__ = "0.1.0"

__getattr__, __dir__ = attributes(__name__)
