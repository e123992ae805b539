"""What a run minimises: an objective turns (network, batch) into `{"loss": ..., other named values}`."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.objectives.adaptation import CORAL, MCC, MMD
    from tlkit.objectives.multitask import MultiTask
    from tlkit.objectives.objective import Objective
    from tlkit.objectives.semisupervised import FixMatch, MeanTeacher, PseudoLabel, SoftMatch
    from tlkit.objectives.supervised import L2SP, CrossEntropy
    from tlkit.objectives.unsupervised import Reconstruction, SimCLR, VICReg

__getattr__, __dir__ = attributes(__name__)
