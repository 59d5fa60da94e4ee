"""A small network of ours: three seconds of log-mel spectrum -> what taggers would say of them.

Convolutions over time and two kinds of pooling, in NumPy: seven million multiplications for three
seconds, which is less than starting any runtime costs. `training.sounds` teaches it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.spectrum import BANDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.json_types import JsonObject

    Floats = npt.NDArray[np.float32]

FRAMES: Final = 128
"""Frames of one patch: three seconds."""

QUIETEST_DB: Final = -80.0
"""What is quieter is taken for this quiet."""

POOL: Final = 2
"""Frames of which the strongest goes on, between two layers."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Weights, float32: ``mean`` and ``deviation`` (BANDS,) of the mel spectrum in dB; for each
    layer ``kernels`` (width, channels in, channels out) and ``biases`` (channels out,), with the
    normalisation folded in; the ``head`` (2 * channels, outputs) and its ``offset`` (outputs,).
    """

    mean: Floats
    deviation: Floats
    kernels: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    head: Floats
    offset: Floats

    def __call__(self, mels: Sequence[Floats]) -> Floats:
        """Return mean and deviation (2 * outputs,) of the answers to all patches of some mel
        spectra in dB: what taggers would say, and how much that changes on the way.
        """
        return self.summary(patches(mels))

    def summary(self, patches: npt.NDArray[np.floating]) -> Floats:
        """Return mean and deviation (2 * outputs,) of the answers to some patches."""
        answers = self.answers(patches)
        return np.concatenate([answers.mean(axis=0), answers.std(axis=0)])

    def answers(self, patches: npt.NDArray[np.floating]) -> Floats:
        """Return the answers (n, outputs) to patches (n, FRAMES, BANDS), as `patches` cuts them."""
        rows = np.asarray((patches - self.mean) / self.deviation, np.float32)
        for layer, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            if layer:
                rows = rows.reshape(len(rows), -1, POOL, rows.shape[2]).max(axis=2)
            rows = np.maximum(_convolved(rows, kernel) + bias, 0)
        pooled = np.hstack([rows.mean(axis=1), rows.max(axis=1)])
        return np.asarray(pooled @ self.head + self.offset, np.float32)


def patches(mels: Sequence[Floats]) -> Floats:
    """Cut spectra (frames, BANDS) into patches (n, FRAMES, BANDS); what is left over is dropped.

    Spectra of which none fills a patch are repeated until they do.
    """
    joined = np.concatenate([mel[: len(mel) // FRAMES * FRAMES] for mel in mels])
    if not len(joined):
        joined = np.resize(np.concatenate(mels), (FRAMES, BANDS))
    return np.asarray(np.maximum(joined.reshape(-1, FRAMES, BANDS), np.float32(QUIETEST_DB)))


def _convolved(rows: Floats, kernel: Floats) -> Floats:
    """Convolve (n, frames, in) over time with (width, in, out), frames of zero around them."""
    width, frames = len(kernel), rows.shape[1]
    padded = np.pad(rows, ((0, 0), (width // 2, width // 2), (0, 0)))
    beside = np.concatenate([padded[:, k : k + frames] for k in range(width)], axis=2)
    return np.asarray(beside @ kernel.reshape(-1, kernel.shape[2]))


def unpacked(file: Mapping[str, Any], prefix: str) -> Network:
    """Return the network whose arrays have such names in a file. Raises KeyError."""

    def part(name: str) -> Floats:
        return np.asarray(file[prefix + name], np.float32)

    layers = range(sum(name.startswith(f"{prefix}kernel_") for name in file))
    return Network(
        part("mean"),
        part("deviation"),
        tuple(part(f"kernel_{layer}") for layer in layers),
        tuple(part(f"bias_{layer}") for layer in layers),
        part("head"),
        part("offset"),
    )


def packed(network: Network, prefix: str) -> JsonObject:
    """Return the arrays of a network by name, kernels and head in half precision."""
    layers = zip(network.kernels, network.biases, strict=True)
    arrays: JsonObject = {
        f"{prefix}{name}_{layer}": array
        for layer, (kernel, bias) in enumerate(layers)
        for name, array in (("kernel", kernel.astype(np.float16)), ("bias", bias))
    }
    whole = {"mean": network.mean, "deviation": network.deviation, "offset": network.offset}
    arrays |= {prefix + name: array.astype(np.float32) for name, array in whole.items()}
    return arrays | {f"{prefix}head": network.head.astype(np.float16)}
