"""The network that reads faces: a small residual one made for 48x48 on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        """Keep the width."""
        super().__init__()
        self.body = nn.Sequential(
            *convolution(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False)
        )
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, width, h, w) to the same shape."""
        return torch.relu(x + self.norm(self.body(x)))


class EmotionNet(nn.Module):
    """Faces (n, 1, 48, 48), standardised each, to logits (n, 7).

    Space-to-depth instead of a first convolution at full size: the 48x48 level would cost more
    than all others together and gain little from so few grey values. Every level halves the side.
    """

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128, 256),
        blocks: Sequence[int] = (1, 1, 1, 1),
        *,
        classes: int = 7,
        dropout: float = 0.1,
    ) -> None:
        """Name the channels of each level and how many residual blocks it has."""
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2), *convolution(4, widths[0])]
        self.ends = [0]
        for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            if level:
                layers += convolution(widths[level - 1], width, stride=2)
            layers += [Residual(width) for _ in range(count)]
            self.ends.append(len(layers))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(widths[-1], classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map faces to logits."""
        return _scores(self.features, self.head, x)

    def divided(self, levels: int) -> tuple[nn.Sequential, Upper]:
        """Return the first so many levels and all that follows them, with the same weights."""
        layers, end = list(self.features), self.ends[levels]
        return nn.Sequential(*layers[:end]), Upper(nn.Sequential(*layers[end:]), self.head)


class Upper(nn.Module):
    """What follows the first levels of an `EmotionNet`: their answer to logits."""

    def __init__(self, features: nn.Sequential, head: nn.Sequential) -> None:
        """Take the levels and the head."""
        super().__init__()
        self.features, self.head = features, head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map what the lower levels answered, (n, channels, h, w), to logits."""
        return _scores(self.features, self.head, x)


def _scores(features: nn.Module, head: nn.Module, x: torch.Tensor) -> torch.Tensor:
    logits: torch.Tensor = head(features(x).mean(dim=(2, 3)))
    return logits


def convolution(inputs: int, outputs: int, *, stride: int = 1) -> list[nn.Module]:
    """Return a 3x3 convolution with batch normalisation and ReLU."""
    return [
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]
