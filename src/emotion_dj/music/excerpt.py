"""A stretch of a song, small enough to lie inside a document."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np

from emotion_dj.music import decode

if TYPE_CHECKING:
    from emotion_dj.interfaces import Audio

SECONDS: Final = 20
BITS_PER_S: Final = 48_000
CODEC: Final = "libmp3lame"
"""MP3, which every browser plays."""


def mp3(audio: Audio) -> bytes:
    """Return SECONDS from the middle of a song at most as mono MP3, 6 kB a second.

    Raises AudioError as `decode.decode` does.
    """
    excerpts = decode.decode(audio).excerpts
    samples = np.ascontiguousarray(excerpts[len(excerpts) // 2][None, : SECONDS * decode.RATE])
    file = BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream: Any = container.add_stream(CODEC, rate=decode.RATE, layout="mono")
        stream.bit_rate = BITS_PER_S
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = decode.RATE, 0
        size = stream.frame_size or 576
        resampler = av.AudioResampler(stream.format, "mono", decode.RATE, size)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()
