"""Let musicnn hear music, so that the ear's network can learn from it. A tool, not a part.

musicnn (PyPI, ISC; Pons & Serra 2019) was trained to tag two collections of music. Its wheel holds
the weights of both models as TensorFlow wrote them; they are read and run here without TensorFlow,
and nothing of them ships:

    pip download --no-deps musicnn==0.1.0
    PYTHONPATH=src python scripts/hear-with-musicnn.py sounds.npz musicnn-*.whl FOLDER...
    emotion-dj train music ... --sounds sounds.npz

Of each file a patch of three seconds is heard every four, at most 60 spread evenly. The file that
is written holds our mel spectrum of each patch (n, 128, 64), the penultimate layers and the logits
of the tags of both models (n, 500), and the file of each patch, with its folder: a recording that
the ear is to be tested on must bear its own name. Needs the extra `train`.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import av
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from emotion_dj.cli.console import progress
from emotion_dj.errors import AudioError
from emotion_dj.music import decode, spectrum
from emotion_dj.music.network import FRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Floats = npt.NDArray[np.floating]

MODELS = ("MTT_musicnn", "MSD_musicnn")
RATE, WINDOW, HOP, BANDS = 16_000, 512, 256, 96
LENGTH = 187
PATCH_S, EVERY_S, MOST = 3.1, 4, 60
EPSILON = 1e-3
SUREST = 7.0
"""Logits beyond this say nothing more: a chance of one in a thousand."""

FIXED = {1: 8, 5: 4}
"""Bytes of the protocol-buffer types that have a fixed size."""

SUFFIXES = {".ogg", ".mp3", ".opus", ".flac", ".m4a", ".wav"}


def main(out: Path, wheel: Path, roots: Sequence[Path]) -> None:
    """Hear everything below the roots and write what was heard; say what could not be."""
    teachers = [Musicnn(weights(wheel, name)) for name in MODELS]
    files = sorted(p for root in roots for p in root.rglob("*") if p.suffix.lower() in SUFFIXES)
    mels, answers, names, passed_over = [], [], [], []
    with progress("listening") as report:
        for number, path in enumerate(files, start=1):
            try:
                ours, theirs = patches(path)
            except AudioError as error:
                passed_over.append(str(error))
            else:
                mels.append(ours.astype(np.float16))
                answers.append(np.hstack([teacher(theirs) for teacher in teachers]))
                names += [f"{path.parent.name}/{path.name}"] * len(ours)
            report(number, len(files))
    for why in passed_over:
        sys.stderr.write(f"passed over: {why}\n")
    if not mels:
        sys.exit("there is no music below these folders that can be heard")
    np.savez(out, mel=np.concatenate(mels), answers=np.concatenate(answers), files=np.array(names))
    sys.stderr.write(f"{len(names)} patches of {len(mels)} files\n")


def patches(path: Path) -> tuple[Floats, Floats]:
    """Return patches of a file's mel spectrum, as we make it and as musicnn does.

    Raises AudioError.
    """
    parts = [part for signal in decode.decode_whole(path) for part in signal.excerpts]
    samples = np.concatenate(parts)
    starts = np.arange(0, len(samples) / decode.RATE - PATCH_S, EVERY_S)
    if not len(starts):
        msg = f"{path.name} is shorter than a patch of {PATCH_S} seconds"
        raise AudioError(msg)
    if len(starts) > MOST:
        starts = starts[np.linspace(0, len(starts) - 1, MOST).round().astype(int)]
    length = int(PATCH_S * decode.RATE)
    cut = tuple(samples[int(start * decode.RATE) :][:length] for start in starts)
    ours = [mel[:FRAMES] for mel in spectrum.spectra(decode.Signal(cut, None, 1.0)).mel]
    return np.array(ours), np.array([their_mel(resampled(piece))[:LENGTH] for piece in cut])


def resampled(piece: Floats) -> Floats:
    """Return a piece at musicnn's rate."""
    frame = av.AudioFrame.from_ndarray(piece[np.newaxis], format="flt", layout="mono")
    frame.sample_rate = decode.RATE
    resampler = av.AudioResampler("flt", "mono", RATE)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def their_mel(samples: Floats) -> Floats:
    """Return the compressed mel spectrum (frames, 96) that musicnn takes."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, WINDOW // 2), WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1])) ** 2
    return np.asarray(np.log10(10_000 * power @ mel_bank().T + 1), np.float32)


def mel_bank() -> Floats:
    """Return triangles of equal area on Slaney's scale: even below 1 kHz, logarithmic above."""
    knee = 15  # where 1 kHz lies
    top = knee + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    places = np.linspace(0, top, BANDS + 2)
    low, high = places * 200 / 3, 1000 * 6.4 ** ((places - knee) / 27)
    edges = np.where(places < knee, low, high)
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    rising = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None) * area[:, None])


class Musicnn:
    """The published network: timbral and temporal filters, three convolutions, pooling, dense."""

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Keep the weights."""
        self.weights = weights

    @torch.inference_mode()
    def __call__(self, mel: Floats) -> Floats:
        """Return the penultimate layer and the logits of the tags, float32 (n, 250)."""
        image = self._normalised(torch.from_numpy(mel)[:, None], 0)
        front = torch.cat([self._seen(image, layer) for layer in range(5)], 1)
        first = self._convolved(front, 5)
        second = self._convolved(first, 6) + first
        third = self._convolved(second, 7) + second
        everything = torch.cat([front, first, second, third], 1)
        pooled = torch.stack([everything.amax(2), everything.mean(2)], 2).flatten(1)
        hidden = torch.relu(self._dense(self._normalised(pooled, 9), "dense"))
        hidden = self._normalised(hidden, 10)
        tags = self._dense(hidden, "dense_1").clamp(-SUREST, SUREST)
        return np.asarray(torch.cat([hidden, tags], 1).numpy())

    def _seen(self, image: torch.Tensor, layer: int) -> torch.Tensor:
        kernel = self._part("conv2d", layer, "kernel").permute(3, 2, 0, 1)
        length = kernel.shape[2]
        padded = functional.pad(image, (0, 0, (length - 1) // 2, length // 2))
        seen = functional.conv2d(padded, kernel, self._part("conv2d", layer, "bias"))
        return self._normalised(torch.relu(seen), layer + 1).amax(3)

    def _convolved(self, rows: torch.Tensor, layer: int) -> torch.Tensor:
        kernel = self._part("conv2d", layer, "kernel")[:, :, 0].permute(2, 1, 0)
        bias = self._part("conv2d", layer, "bias")
        seen = functional.conv1d(rows, kernel, bias, padding=kernel.shape[2] // 2)
        return self._normalised(torch.relu(seen), layer + 1)

    def _dense(self, rows: torch.Tensor, name: str) -> torch.Tensor:
        return rows @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def _normalised(self, rows: torch.Tensor, layer: int) -> torch.Tensor:
        shape = (1, -1, *(1,) * (rows.ndim - 2))
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        parts = (self._part("batch_normalization", layer, name).view(shape) for name in names)
        gamma, beta, mean, variance = parts
        return (rows - mean) / torch.sqrt(variance + EPSILON) * gamma + beta

    def _part(self, kind: str, layer: int, name: str) -> torch.Tensor:
        return self.weights[f"{kind}_{layer}/{name}" if layer else f"{kind}/{name}"]


def weights(wheel: Path, model: str) -> dict[str, torch.Tensor]:
    """Read a model's float tensors from the wheel: a LevelDB table of places, and their data."""
    with ZipFile(wheel) as archive:
        table = archive.read(f"musicnn/{model}/.index")
        data = archive.read(f"musicnn/{model}/.data-00000-of-00001")
    foot, _ = varints(table[-48:], 0, 4)
    found = {}
    for _, place in block(table, foot[2], foot[3]):
        for key, entry in block(table, *varints(place, 0, 2)[0]):
            fields = message(entry)
            if key and fields.get(1) == [1]:  # float32
                found[key.decode()] = tensor(fields, data)
    return found


def tensor(fields: Mapping[int, list[Any]], data: bytes) -> torch.Tensor:
    """Return the tensor that an entry of the table describes: its shape, its place and size."""
    sizes = message(fields.get(2, [b""])[0]).get(2, [])
    shape = [message(size).get(1, [0])[0] for size in sizes]
    start, size = (fields.get(number, [0])[0] for number in (4, 5))
    values = np.frombuffer(data[start : start + size], np.float32).reshape(shape)
    return torch.from_numpy(values.copy())


def block(table: bytes, start: int, size: int) -> list[tuple[bytes, bytes]]:
    """Return the pairs of an uncompressed block, whose keys share their beginnings."""
    data = table[start : start + size]
    end = size - 4 - 4 * int(struct.unpack("<I", data[-4:])[0])
    place, key, pairs = 0, b"", []
    while place < end:
        (shared, own, length), place = varints(data, place, 3)
        key = key[:shared] + data[place : place + own]
        place += own + length
        pairs.append((key, data[place - length : place]))
    return pairs


def varints(data: bytes, place: int, count: int) -> tuple[list[int], int]:
    """Return so many variable-length numbers and the place behind them."""
    found = []
    for _ in range(count):
        value = shift = 0
        while True:
            byte = data[place]
            value |= (byte & 127) << shift
            place, shift = place + 1, shift + 7
            if not byte & 128:
                break
        found.append(value)
    return found, place


def message(data: bytes) -> dict[int, list[Any]]:
    """Return the fields of a protocol-buffer message by number."""
    fields: dict[int, list[Any]] = {}
    place = 0
    while place < len(data):
        (tag,), place = varints(data, place, 1)
        if tag & 7 == 0:
            (value,), place = varints(data, place, 1)
            fields.setdefault(tag >> 3, []).append(value)
            continue
        size = FIXED.get(tag & 7)
        if size is None:
            (size,), place = varints(data, place, 1)
        fields.setdefault(tag >> 3, []).append(data[place : place + size])
        place += size
    return fields


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(argument) for argument in sys.argv[3:]])
