"""What a run minimises: an objective turns (network, batch) into `{"loss": ..., other named values}`."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.objectives.objective import Objective
    from tlkit.objectives.semisupervised import FixMatch, MeanTeacher, PseudoLabel, SoftMatch
    from tlkit.objectives.supervised import L2SP, CrossEntropy
    from tlkit.objectives.unsupervised import Reconstruction, SimCLR, VICReg

__all__ = [  # noqa: RUF022, which takes L2SP for a constant
    "CrossEntropy",
    "FixMatch",
    "L2SP",
    "MeanTeacher",
    "Objective",
    "PseudoLabel",
    "Reconstruction",
    "SimCLR",
    "SoftMatch",
    "VICReg",
]

__getattr__, __dir__ = attributes(
    __name__,
    {
        "objective": ("Objective",),
        "semisupervised": ("FixMatch", "MeanTeacher", "PseudoLabel", "SoftMatch"),
        "supervised": ("CrossEntropy", "L2SP"),
        "unsupervised": ("Reconstruction", "SimCLR", "VICReg"),
    },
)
