"""The answer to what is hidden, fitted once a run is over.

Beside the other questions it is asked with a tenth of the loss and of few faces, so the network
learns to see covers, but never says that it is surer than not. Its last layer is fitted again, to
features of varied faces, with the hidden ones counting more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn
from torch.nn import functional

from emotion_dj.training.augment import standardise
from emotion_dj.training.covers import PARTS

if TYPE_CHECKING:
    from emotion_dj.training.augment import Augmentation
    from emotion_dj.training.emotion_net import EmotionNet

HIDDEN_WEIGHT: Final = 4.0
"""How much more a hidden part counts than one that is seen: seven faces in a hundred are masked."""

SAMPLE: Final = 25_000
"""Varied faces that it is fitted to, at most."""

_CHUNK: Final = 256
_DECAY: Final = 1e-5


def refit(net: EmotionNet, pixels: torch.Tensor, augmentation: Augmentation, *, seed: int) -> None:
    """Fit the rows of the last layer that tell the PARTS, in place; everything else stays.

    ``pixels`` are uint8 faces (n, 1, 48, 48), each of which is varied once.
    """
    net.eval()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        rows = torch.randperm(len(pixels))[:SAMPLE]
        seen, hidden = _features(net, pixels[rows], augmentation)
        layers = [_fitted(seen, part) for part in hidden.T]
    head: Any = net.head[-1]
    with torch.no_grad():
        head.weight[-len(PARTS) :] = torch.cat([layer.weight for layer in layers])
        head.bias[-len(PARTS) :] = torch.cat([layer.bias for layer in layers])


@torch.no_grad()
def _features(
    net: EmotionNet, pixels: torch.Tensor, augmentation: Augmentation
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the last layer sees of varied faces, and what is hidden of each (n, parts)."""
    seen, hides = [], []
    for part in pixels.split(_CHUNK):
        faces, hidden = augmentation(part.float() / 255, pixels.shape[-1])
        faces = standardise(faces).to(memory_format=torch.channels_last)
        seen.append(net.features(faces).mean(dim=(2, 3)))
        hides.append(hidden)
    return torch.cat(seen), torch.cat(hides)


def _fitted(seen: torch.Tensor, hidden: torch.Tensor) -> nn.Linear:
    """Return a layer of one answer, fitted where it is known if the part is hidden (L-BFGS)."""
    known = ~hidden.isnan()
    inputs, truth = seen[known], hidden[known]
    weights = torch.where(truth == 1, HIDDEN_WEIGHT, 1.0)
    layer = nn.Linear(seen.shape[1], 1)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimiser.zero_grad()
        told = layer(inputs)[:, 0]
        value = functional.binary_cross_entropy_with_logits(told, truth, weight=weights)
        value = value + _DECAY * layer.weight.square().sum()
        value.backward()
        return float(value.detach())

    optimiser.step(loss)
    return layer
