"""The recipe of the network inside the ear: what musicnn says of music -> `music.network.Network`.

`scripts/hear-with-musicnn.py` makes the lessons (Hinton et al. 2015: distillation). Needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import DataError
from emotion_dj.music.network import FRAMES, POOL, QUIETEST_DB, Network
from emotion_dj.music.spectrum import BANDS
from emotion_dj.training.music_data import arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import torch

    Floats = npt.NDArray[np.float32]

OUTPUTS: Final = 48
"""Principal components that are learnt of what the teachers say: nine tenths of its variance."""

CHANNELS: Final = (BANDS, 64, 96, 128, 160)
WIDTHS: Final = (5, 5, 3, 3)
EPOCHS: Final = 20
BATCH: Final = 64
RATE: Final = 3e-3
DECAY: Final = 0.02
DROPOUT: Final = 0.2
LOUDER: Final = 0.15
"""Deviation of the change in loudness, against that of the spectrum."""

SHIFT: Final = 4
COVERED: Final = 8
"""Frames by which patches are shifted at most, and bands that are covered."""


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """What teachers said of n patches: ``mel`` (n, FRAMES, BANDS) in dB, float16; ``answers``
    (n, a), float32; the ``files`` that they were cut from.
    """

    mel: npt.NDArray[np.float16]
    answers: Floats
    files: npt.NDArray[np.str_]

    def of(self, names: Collection[str]) -> Sounds:
        """Return the lessons that were cut from files of these names, whatever their folder."""
        return self._where(self._are(names))

    def without(self, names: Collection[str]) -> Sounds:
        """Return the lessons that were not cut from files of these names."""
        return self._where(~self._are(names))

    def _are(self, names: Collection[str]) -> npt.NDArray[np.bool_]:
        own = [str(file).rpartition("/")[2] for file in self.files]
        return np.isin(own, list(names))

    def _where(self, rows: npt.NDArray[np.bool_]) -> Sounds:
        return Sounds(self.mel[rows], self.answers[rows], self.files[rows])


def read_sounds(path: Path) -> Sounds:
    """Read what `scripts/hear-with-musicnn.py` wrote. Raises DataError."""
    with arrays(path, "sounds") as file:
        sounds = Sounds(file["mel"], file["answers"].astype(np.float32), file["files"])
    if fault := _fault(sounds):
        msg = f"{path} is not a file of sounds: {fault}"
        raise DataError(msg)
    return sounds


def _fault(sounds: Sounds) -> str:
    if sounds.mel.shape[1:] != (FRAMES, BANDS):
        return f"its spectra are not {FRAMES} frames of {BANDS} bands"
    count = len(sounds.mel)
    if sounds.files.shape != (count,) or sounds.answers.shape[:-1] != (count,):
        return "it has not one row of answers, and one file, for each spectrum"
    if sounds.answers.shape[1] < OUTPUTS or count < BATCH:
        return f"it has fewer than {BATCH} spectra, or fewer than {OUTPUTS} answers to each"
    if not (np.isfinite(sounds.mel).all() and np.isfinite(sounds.answers).all()):
        return "it holds values that are no numbers"
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """What a network is to say instead of all answers: their ``directions`` (a, OUTPUTS) of
    greatest variance, once the answers stand in deviations (``deviation``) from their ``middle``.
    """

    middle: Floats
    deviation: Floats
    directions: Floats

    def __call__(self, answers: Floats) -> Floats:
        """Return (n, OUTPUTS), whose variance is 1 on average over the outputs."""
        return np.asarray((answers - self.middle) / self.deviation @ self.directions)


def code(answers: Floats) -> Code:
    """Return the principal components of some answers (n, a)."""
    middle, deviation = answers.mean(0), answers.std(0) + np.float32(1e-6)
    standard = (answers - middle) / deviation
    values, vectors = np.linalg.eigh(np.asarray(standard.T @ standard / len(answers), float))
    kept = slice(None, -OUTPUTS - 1, -1)
    scale = np.sqrt(OUTPUTS / values[kept].sum())
    return Code(middle, deviation, np.asarray(vectors[:, kept] * scale, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Student:
    """A trained ``network``, the ``code`` in which it answers, and the network as torch has it."""

    network: Network
    code: Code
    net: torch.nn.Sequential

    def agreement(self, sounds: Sounds) -> float:
        """Return R2 of its answers to some lessons, against the teachers', over all outputs."""
        truth = self.code(sounds.answers)
        error = np.square(truth - self.network.answers(sounds.mel)).sum()
        return float(1 - error / np.square(truth - truth.mean(0)).sum())


def distil(
    sounds: Sounds, *, epochs: int = EPOCHS, seed: int = 0, tick: Callable[[], None] = lambda: None
) -> Student:
    """Train a network on all the lessons; the same seed gives the same network.

    ``tick`` is called after each epoch. Raises DataError where there is no lesson.
    """
    import torch

    if not len(sounds.mel):
        msg = "no sound is left to learn from, once the tracks to test on are held back: hear more"
        raise DataError(msg)
    torch.manual_seed(seed)
    mel = np.maximum(sounds.mel.astype(np.float32), np.float32(QUIETEST_DB))
    mean, deviation = mel.mean((0, 1)), mel.std((0, 1)) + np.float32(1e-3)
    told = code(sounds.answers)
    patches = torch.from_numpy((mel - mean) / deviation).transpose(1, 2).contiguous()
    net = module()
    _fit(net, patches, torch.from_numpy(told(sounds.answers)), epochs, tick)
    return Student(_as_ours(net, mean, deviation), told, net)


def module() -> torch.nn.Sequential:
    """Return the network as torch trains it: patches (n, BANDS, FRAMES) -> (n, OUTPUTS)."""
    import torch
    from torch import nn

    class MeanAndMax(nn.Module):
        """(n, channels, frames) -> (n, 2 * channels)."""

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            """Pool over time in two ways."""
            return torch.cat([rows.mean(2), rows.amax(2)], 1)

    layers: list[nn.Module] = []
    for width, inside, outside in zip(WIDTHS, CHANNELS, CHANNELS[1:], strict=False):
        layers += [nn.MaxPool1d(POOL)] if layers else []
        layers += [nn.Conv1d(inside, outside, width, padding=width // 2), nn.BatchNorm1d(outside)]
        layers += [nn.ReLU()]
    head = nn.Linear(2 * CHANNELS[-1], OUTPUTS)
    return nn.Sequential(*layers, MeanAndMax(), nn.Dropout(DROPOUT), head)


def _fit(
    net: torch.nn.Module,
    patches: torch.Tensor,
    wanted: torch.Tensor,
    epochs: int,
    tick: Callable[[], None],
) -> None:
    import torch

    from emotion_dj.training.emotion_views import is_half_fast

    steps = max(len(patches) // BATCH, 1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, epochs * steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(patches))[: steps * BATCH].chunk(steps):
            with torch.autocast("cpu", torch.bfloat16, enabled=is_half_fast()):
                said = net(_varied(patches[rows]))
            loss = (said.float() - wanted[rows]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        tick()
    net.eval()


def _varied(patches: torch.Tensor) -> torch.Tensor:
    """Return patches a little louder, shifted, and with some bands covered."""
    import torch

    louder = patches + LOUDER * torch.randn(len(patches), 1, 1)
    shifted = torch.roll(louder, int(torch.randint(-SHIFT, SHIFT + 1, ())), 2)
    first = int(torch.randint(BANDS - COVERED, ()))
    shifted[:, first : first + int(torch.randint(COVERED + 1, ()))] = 0
    return shifted


def _as_ours(net: torch.nn.Sequential, mean: Floats, deviation: Floats) -> Network:
    """Return torch's network as the one that serves."""
    import torch

    parts: list[Any] = list(net)
    layers = [_folded(a, b) for a, b in pairwise(parts) if isinstance(a, torch.nn.Conv1d)]
    return Network(
        mean=mean,
        deviation=deviation,
        kernels=tuple(kernel for kernel, _ in layers),
        biases=tuple(bias for _, bias in layers),
        head=parts[-1].weight.detach().numpy().T.copy(),
        offset=parts[-1].bias.detach().numpy().copy(),
    )


def _folded(layer: Any, norm: Any) -> tuple[Floats, Floats]:
    """Return kernel (width, in, out) and bias of a convolution with its normalisation."""
    gain = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    kernel = layer.weight.detach() * gain[:, None, None]
    bias = (layer.bias - norm.running_mean).detach() * gain + norm.bias.detach()
    return kernel.permute(2, 1, 0).contiguous().numpy(), bias.numpy()
