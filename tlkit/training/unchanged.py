"""Whether what learns in a network is still what its optimizer was given."""

from itertools import chain

from torch import nn
from torch.optim import Optimizer

from tlkit.words import listed


class Unchanged:
    """Notices what was replaced in a network, or thawed in it, after a run was made: it would never learn.

    Args:
        network: the network of the run, as it is when the run is made.

    A look costs some microseconds: it compares the identities of all parts, and names weights only where one differs.
    """

    def __init__(self, network: nn.Module):
        self.network = network
        self._learning = [weight for weight in network.parameters() if weight.requires_grad]
        self._remember()

    def _remember(self) -> None:
        """Note which object every part of the network is, and which weights are frozen."""
        modules = [*self.network.modules()]
        self._holders = [part for module in modules for part in (module._parameters, module._modules)]
        self._seen = self._identities()
        self._frozen = [weight for weight in self.network.parameters() if not weight.requires_grad]

    def _identities(self) -> list[int]:
        """Of every weight and module, in order."""
        return [*map(id, chain.from_iterable(map(dict.values, self._holders)))]

    def require(self, optimizer: Optimizer) -> None:
        """Refuse to go on with weights that the optimizer does not know.

        Args:
            optimizer: the run's.

        Raises:
            ValueError: if a weight would learn that was not there, or was frozen, when the run was made.
        """
        if self._identities() == self._seen and not any(weight.requires_grad for weight in self._frozen):
            return
        known = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
        known |= set(map(id, self._learning))  # a plan may never let some of them learn
        new = [name for name, w in self.network.named_parameters() if w.requires_grad and id(w) not in known]
        if new:
            raise ValueError(
                f"{listed(new, 4)} would never learn: replaced, or thawed, after this run was made, so its optimizer "
                "does not know them. Change the network first and make the run then; to thaw during a run give it a "
                "plan, such as tl.freezing.gradual_unfreezing(network)"
            )
        self._remember()
