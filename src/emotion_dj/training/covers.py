"""What hides a part of a face: a mask or a hand, dark glasses, anything else in front of it.

The covers are laid over upright faces before those are moved, so it is known what each one hides,
and the network can be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

PARTS: Final = {
    "mouth_hidden": (0.66, 0.86, 0.32, 0.68),
    "eyes_hidden": (0.27, 0.48, 0.16, 0.84),
}
"""Where each part is in a face that is cut out as FER2013 does: top, bottom, left and right as
shares of the side, the median of those faces."""

HIDDEN: Final = 0.7
"""Share of a part's area that is covered where it counts as hidden."""

SEEN: Final = 0.2
"""The share up to which it counts as seen; between both nothing is asked."""


@dataclass(frozen=True, slots=True)
class Covers:
    """The shares of the faces that wear a mask, wear dark glasses, or have a rectangle erased
    (Zhong et al. 2020, "Random erasing data augmentation").
    """

    masked: float = 0.07
    shaded: float = 0.03
    erased: float = 0.1

    def __call__(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cover some of grey faces in [0, 1], (n, 1, h, w).

        Returns new faces and, for each of PARTS, 1 where it is hidden, 0 where it is seen and nan
        where that is in doubt, (n, 2).
        """
        faces = faces.clone()
        covered = torch.zeros_like(faces[:, 0], dtype=torch.bool)
        lot, drawn = torch.rand(len(faces), device=faces.device), 0.0
        for share, shape in ((self.masked, _mask), (self.shaded, _band), (self.erased, _rectangle)):
            chosen = ((lot >= drawn) & (lot < drawn + share)).nonzero()[:, 0]
            drawn += share
            if len(chosen):
                covered[chosen] = shape(faces[chosen])
                faces[chosen] = _painted(faces[chosen], covered[chosen])
        return faces, _hidden(covered)


def _hidden(covered: torch.Tensor) -> torch.Tensor:
    down, across = _axes(covered)
    shares = []
    for top, bottom, left, right in PARTS.values():
        part = (down > top) & (down < bottom) & (across > left) & (across < right)
        shares.append((covered & part).sum(dim=(1, 2)) / part.sum())
    share = torch.stack(shares, dim=1)
    doubt = torch.where(share < SEEN, 0.0, torch.nan)
    return torch.where(share > HIDDEN, 1.0, doubt)


def _mask(faces: torch.Tensor) -> torch.Tensor:
    """Return where a mask lies: from the nose to the chin, bent above, narrower below.

    One in four is a plain rectangle.
    """
    down, across = _axes(faces)
    top, bottom = _between(faces, 0.48, 0.68), _between(faces, 0.88, 1.08)
    half, aside = _between(faces, 0.22, 0.46), across - _between(faces, 0.44, 0.56)
    plain = _between(faces, 0, 1) < 0.25  # noqa: PLR2004 - one in four
    bend = _between(faces, -0.12, 0.12) * ~plain
    taper = _between(faces, 0, 0.7) * ~plain
    width = half * (1 - taper * ((down - 0.75) / 0.3).clamp(0, 1))
    return (down > top + bend * (aside / half) ** 2) & (down < bottom) & (aside.abs() < width)


def _band(faces: torch.Tensor) -> torch.Tensor:
    """Return where dark glasses lie: a band over both eyes."""
    down, across = _axes(faces)
    high = (down > _between(faces, 0.2, 0.32)) & (down < _between(faces, 0.44, 0.56))
    return high & ((across - _between(faces, 0.45, 0.55)).abs() < _between(faces, 0.34, 0.5))


def _rectangle(faces: torch.Tensor) -> torch.Tensor:
    down, across = _axes(faces)
    tall, wide = _between(faces, 0.1, 0.42), _between(faces, 0.1, 0.42)
    top, left = _between(faces, 0, 1) * (1 - tall), _between(faces, 0, 1) * (1 - wide)
    return (down >= top) & (down < top + tall) & (across >= left) & (across < left + wide)


def _painted(faces: torch.Tensor, covered: torch.Tensor) -> torch.Tensor:
    """Paint what is covered: one grey, in a quarter of the faces their own; shaded, some with
    folds, some with a grain.
    """
    down, _ = _axes(faces)
    own = faces.mean(dim=(2, 3)).unsqueeze(2) + 0.1 * _normal(faces)
    grey = torch.where(_between(faces, 0, 1) < 0.25, own, _between(faces, 0, 1))  # noqa: PLR2004
    folds = 0.05 * torch.sin(_between(faces, 20, 60) * down) * (_between(faces, 0, 1) < 0.3)  # noqa: PLR2004
    grain = 0.03 * torch.randn_like(faces[:, 0]) * (_between(faces, 0, 1) < 0.4)  # noqa: PLR2004
    paint = grey + 0.25 * _normal(faces) * (down - 0.7) + folds + grain
    return torch.where(covered, paint.clamp(0, 1), faces[:, 0]).unsqueeze(1)


def _axes(faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the height of each row, (1, h, 1), and the place of each column, (1, 1, w)."""
    height, width = faces.shape[-2:]
    down = (torch.arange(height, device=faces.device) + 0.5) / height
    across = (torch.arange(width, device=faces.device) + 0.5) / width
    return down.view(1, -1, 1), across.view(1, 1, -1)


def _between(faces: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Draw a number for each face, (n, 1, 1)."""
    return low + (high - low) * torch.rand(len(faces), 1, 1, device=faces.device)


def _normal(faces: torch.Tensor) -> torch.Tensor:
    return torch.randn(len(faces), 1, 1, device=faces.device)
