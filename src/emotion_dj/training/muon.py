"""Muon: momentum whose matrix is made orthogonal before it is applied.

Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; a convolution counts
as the matrix (outputs, inputs x height x width). On this project's faces five short epochs of it
gave 53.5 % after four, where SGD had 52.3 % after all five (docs/log.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emotion_dj.json_types import JsonObject

QUINTIC: Final = (3.4445, -4.7750, 2.0315)
"""Coefficients of the iteration, which drives singular values towards 1 in five steps."""

STEPS: Final = 5


class Muon(torch.optim.Optimizer):
    """For weights with two or more dimensions; ``weight_decay`` is decoupled, times the rate."""

    def __init__(
        self,
        weights: Iterable[torch.nn.Parameter],
        *,
        lr: float,
        momentum: float = 0.6,
        weight_decay: float = 0.02,
    ) -> None:
        """Take the weights of convolutions or linear layers."""
        super().__init__(weights, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient; a closure is not called."""
        del closure
        for group in self.param_groups:
            alike: dict[torch.Size, list[torch.nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(weight.shape, []).append(weight)
            for weights in alike.values():
                self._move(weights, group)

    def _move(self, weights: list[torch.nn.Parameter], group: JsonObject) -> None:
        """Move weights of one shape, all at once: an accelerator is short of work otherwise."""
        slopes = torch.stack([weight.grad for weight in weights if weight.grad is not None])
        for weight, slope in zip(weights, slopes, strict=True):
            state = self.state[weight]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(weight)
            state["momentum"].mul_(group["momentum"]).add_(slope)
        momenta = torch.stack([self.state[weight]["momentum"] for weight in weights])
        matrices = slopes.add(momenta, alpha=group["momentum"]).flatten(2)
        taller = max(1.0, matrices.shape[1] / matrices.shape[2]) ** 0.5
        for weight, matrix in zip(weights, orthogonal(matrices), strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(matrix.reshape(weight.shape), alpha=-group["lr"] * taller)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Return about U V^T of the singular value decomposition U S V^T of matrices (..., m, n).

    Each step multiplies by a polynomial of X X^T, and those commute, so all steps are taken on
    that small square matrix and X is multiplied once: the same numbers in half the time.
    """
    a, b, c = QUINTIC
    tall = matrix.shape[-2] > matrix.shape[-1]
    length = matrix.norm(dim=(-2, -1), keepdim=True)
    x: torch.Tensor = (matrix.mT if tall else matrix) / (length + 1e-7)
    square = x @ x.mT
    one = total = torch.eye(x.shape[-2], dtype=x.dtype, device=x.device)
    for _ in range(STEPS):
        step = a * one + b * square + c * square @ square
        total = step @ total
        square = step @ square @ step
    x = total @ x
    return x.mT if tall else x
