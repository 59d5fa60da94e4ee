"""How accuracy holds when the picture gets worse: one distortion at a time, on held-out faces."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from torch.nn import functional

from emotion_dj.training import emotion_data
from emotion_dj.training.augment import standardise
from emotion_dj.training.covers import PARTS, Covers
from emotion_dj.training.emotion_views import in_half

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.emotion_data import LabelledFaces, Truth

    Distortion = Callable[[torch.Tensor], torch.Tensor]


def measure(net: nn.Module, held: LabelledFaces, truth: Truth) -> dict[str, float]:
    """Return how often the truth is read (face and mirror image) under each distortion."""
    rows, seen = emotion_data.judged(held, truth)
    faces, wanted = _grey(held.rows(rows)), torch.from_numpy(seen)
    return {
        name: round(float((_read(net, distort(faces)).argmax(dim=1) == wanted).float().mean()), 4)
        for name, distort in DISTORTIONS.items()
    }


def covers_found(net: nn.Module, held: LabelledFaces) -> JsonObject:
    """Return, for each part that may be hidden, how often the network says so of faces on which it
    is, and of faces as they are.
    """
    faces = _grey(held)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        covered, hidden = Covers(masked=0.5, shaded=0.25, erased=0.0)(faces)
    found, bare = (_hides(net, seen) for seen in (covered, faces))
    return {
        part: {
            "n": int((hidden[:, column] == 1).sum()),
            "found": round(float(found[hidden[:, column] == 1, column].float().mean()), 4),
            "found_in_faces_as_they_are": round(float(bare[:, column].float().mean()), 4),
        }
        for column, part in enumerate(PARTS)
    }


def _hides(net: nn.Module, faces: torch.Tensor) -> torch.Tensor:
    return _scores(net, faces)[:, -len(PARTS) :] > 0


def _read(net: nn.Module, faces: torch.Tensor) -> torch.Tensor:
    return _scores(net, faces)[:, : len(emotion_data.LABELS)]


@torch.no_grad()
def _scores(net: nn.Module, faces: torch.Tensor) -> torch.Tensor:
    faces = standardise(faces.clamp(0, 1)).contiguous(memory_format=torch.channels_last)
    with in_half(faces.device):
        return torch.cat([net(part) + net(part.flip(3)) for part in faces.split(256)])


def _grey(held: LabelledFaces) -> torch.Tensor:
    return torch.from_numpy(held.pixels).unsqueeze(1).float() / 255


def _crop(
    *, scale: float = 1.0, right: float = 0.0, down: float = 0.0, roll: float = 0.0
) -> Distortion:
    """Cut another square out: ``scale`` times as large, moved by shares of its side, rolled."""
    sine, cosine = scale * math.sin(math.radians(roll)), scale * math.cos(math.radians(roll))
    matrix = torch.tensor([[cosine, -sine, 2 * right], [sine, cosine, 2 * down]])

    def distort(faces: torch.Tensor) -> torch.Tensor:
        grid = functional.affine_grid(
            matrix.expand(len(faces), 2, 3), list(faces.shape), align_corners=False
        )
        return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)

    return distort


def _smaller(side: int) -> Distortion:
    """Show the face at another resolution first."""

    def distort(faces: torch.Tensor) -> torch.Tensor:
        small = functional.interpolate(faces, size=side, mode="area")
        return functional.interpolate(
            small, size=faces.shape[-1], mode="bilinear", align_corners=False
        )

    return distort


def _noise(deviation: float) -> Distortion:
    def distort(faces: torch.Tensor) -> torch.Tensor:
        source = torch.Generator().manual_seed(0)
        return faces + deviation * torch.randn(faces.shape, generator=source)

    return distort


def _side_light(faces: torch.Tensor) -> torch.Tensor:
    """Dim one half of the face down to a third."""
    return faces * torch.linspace(0.33, 1.0, faces.shape[-1])


def _covered(top: float, bottom: float) -> Distortion:
    """Cover a band over the whole width, given as shares of the height."""

    def distort(faces: torch.Tensor) -> torch.Tensor:
        side = faces.shape[-1]
        faces = faces.clone()
        faces[:, :, int(top * side) : int(bottom * side)] = 0.5
        return faces

    return distort


DISTORTIONS: Final[Mapping[str, Distortion]] = {
    "as it is": _crop(),
    "crop 15 % larger": _crop(scale=1.15),
    "crop 15 % smaller": _crop(scale=0.85),
    "crop 10 % to the side": _crop(right=0.10),
    "crop 10 % down": _crop(down=0.10),
    "roll 15 degrees": _crop(roll=15),
    "roll 30 degrees": _crop(roll=30),
    "24 px": _smaller(24),
    "16 px": _smaller(16),
    "noise 5 %": _noise(0.05),
    "noise 10 %": _noise(0.10),
    "gamma 0.5 (washed out)": lambda faces: faces**0.5,
    "gamma 2 (dark)": lambda faces: faces**2,
    "light from one side": _side_light,
    "eyes covered": _covered(0.2, 0.5),
    "mouth covered": _covered(0.6, 0.95),
}
"""Name -> distortion of grey faces in [0, 1], (n, 1, h, w)."""
