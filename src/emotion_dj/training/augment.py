"""What cameras and detectors do to a face, done to a whole batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import torch
from torch.nn import functional

from emotion_dj.training.covers import Covers

if TYPE_CHECKING:
    from collections.abc import Callable

_COSINES: Final = torch.cos(
    (torch.arange(8) + 0.5).view(1, -1) * torch.arange(8).view(-1, 1) * math.pi / 8
) * torch.cat([torch.full((1, 1), math.sqrt(1 / 8)), torch.full((7, 1), 0.5)])
"""The orthonormal cosine transform of eight samples, a row per frequency."""

_STEPS: Final = torch.tensor(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    ],
    dtype=torch.float32,
)
"""Steps of the coefficients of luminance (ITU-T T.81, table K.1), row by row."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly faces are varied; every figure is the largest change to either side.

    ``shift`` in shares of the side, ``scale`` as a factor, ``roll`` in degrees, ``contrast`` and
    ``gamma`` as factors; then the share of faces that are blurred, made noisy or squeezed by JPEG
    (one of the three), and what covers some.
    """

    shift: float = 0.1
    scale: float = 1.2
    roll: float = 15.0
    contrast: float = 1.3
    gamma: float = 1.4
    blurred: float = 0.06
    noisy: float = 0.06
    squeezed: float = 0.1
    covers: Covers = field(default_factory=Covers)

    def __call__(self, faces: torch.Tensor, side: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Map grey faces in [0, 1], (n, 1, h, w), to varied ones, (n, 1, side, side), and to what
        is hidden of each (see `Covers`).
        """
        faces, hidden = self.covers(faces)
        return self._spoil(self._light(self._move(faces, side))), hidden

    def gentler(self, share: float) -> Augmentation:
        """Return one that changes faces by so much of what this one does.

        Masks and glasses stay as many, since they are worn by the faces that will be read.
        """
        factors = {name: getattr(self, name) ** share for name in ("scale", "contrast", "gamma")}
        parts = {
            name: getattr(self, name) * share
            for name in ("shift", "roll", "blurred", "noisy", "squeezed")
        }
        covers = replace(self.covers, erased=self.covers.erased * share)
        return replace(self, **factors, **parts, covers=covers)

    def _spoil(self, faces: torch.Tensor) -> torch.Tensor:
        """Blur some faces, make others noisy, squeeze others as JPEG does."""
        faults: tuple[tuple[float, Callable[[torch.Tensor], torch.Tensor]], ...] = (
            (self.blurred, _blur),
            (self.noisy, lambda some: some + 0.06 * torch.randn_like(some)),
            (self.squeezed, _squeeze),
        )
        lot, drawn = _draw(faces), 0.0
        for share, fault in faults:
            chosen = ((lot >= drawn) & (lot < drawn + share)).nonzero()[:, 0]
            drawn += share
            if len(chosen):
                faces[chosen] = fault(faces[chosen])
        return faces

    def _move(self, faces: torch.Tensor, side: int) -> torch.Tensor:
        """Mirror, roll, scale and shift in one resampling."""
        roll = _between(faces, math.radians(self.roll))
        size = torch.exp(_between(faces, math.log(self.scale)))
        flip = torch.where(_draw(faces) < 0.5, -1.0, 1.0)  # noqa: PLR2004 - a fair coin
        sine, cosine = torch.sin(roll) / size, torch.cos(roll) / size
        across = torch.stack([cosine * flip, -sine, _between(faces, 2 * self.shift)], dim=1)
        down = torch.stack([sine * flip, cosine, _between(faces, 2 * self.shift)], dim=1)
        matrix = torch.stack([across, down], dim=1)
        grid = functional.affine_grid(matrix, [len(faces), 1, side, side], align_corners=False)
        return functional.grid_sample(
            faces, grid, mode="bilinear", padding_mode="border", align_corners=False
        )

    def _light(self, faces: torch.Tensor) -> torch.Tensor:
        """Change gamma and contrast; brightness goes away when faces are standardised."""
        gamma = torch.exp(_between(faces, math.log(self.gamma))).view(-1, 1, 1, 1)
        contrast = torch.exp(_between(faces, math.log(self.contrast))).view(-1, 1, 1, 1)
        curved = faces.clamp(0, 1) ** gamma
        middle = curved.mean(dim=(2, 3), keepdim=True)
        return (middle + contrast * (curved - middle)).clamp(0, 1)


def standardise(faces: torch.Tensor) -> torch.Tensor:
    """Give each face mean 0 and deviation 1, so that light and contrast hardly matter."""
    mean = faces.mean(dim=(2, 3), keepdim=True)
    deviation = faces.std(dim=(2, 3), keepdim=True, correction=0)
    return (faces - mean) / (deviation + 1e-3)


def _draw(faces: torch.Tensor, *shape: int) -> torch.Tensor:
    """Return numbers in [0, 1), (n, *shape), drawn where the faces are."""
    return torch.rand(len(faces), *shape, device=faces.device)


def _between(faces: torch.Tensor, limit: float) -> torch.Tensor:
    return (2 * _draw(faces) - 1) * limit


def _blur(faces: torch.Tensor) -> torch.Tensor:
    """Halve the resolution and come back, as a distant face does."""
    side = faces.shape[-1]
    small = functional.interpolate(faces, size=side // 2, mode="area")
    return functional.interpolate(small, size=side, mode="bilinear", align_corners=False)


def _squeeze(faces: torch.Tensor) -> torch.Tensor:
    """Round the cosine coefficients of 8x8 blocks as JPEG does at qualities of 15 to 75."""
    n, count = len(faces), faces.shape[-1] // 8
    blocks = (faces * 255 - 128).reshape(n, count, 8, count, 8).transpose(2, 3)
    waves = torch.kron(_COSINES, _COSINES).to(faces.device)
    quality = 15 + 60 * _draw(faces, 1, 1, 1)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)  # noqa: PLR2004 - IJG's rule
    step = _STEPS.to(faces.device) * scale
    kept = torch.round(blocks.flatten(3) @ waves.T / step) * step
    blocks = (kept @ waves).unflatten(3, (8, 8)).transpose(2, 3)
    squeezed: torch.Tensor = (blocks.reshape(faces.shape) + 128) / 255
    return squeezed.clamp(0, 1)
