"""Audio that a browser cannot play, brought into a form that every browser does.

What was lossless becomes FLAC of the same rate and depth, up to 96 kHz and 24 bits; what was lossy
becomes Ogg Opus. More than two channels are mixed down to two, as a browser would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from emotion_dj.errors import AudioError
from emotion_dj.music.decode import frames, opened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MPEG_4: Final = "mov,mp4,m4a,3gp,3g2,mj2"
_LINEAR: Final = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le"})
_PLAYABLE: Final = {
    "aac": ("audio/aac", frozenset({"aac"})),
    "flac": ("audio/flac", frozenset({"flac"})),
    "matroska,webm": ("audio/webm", frozenset({"opus", "vorbis"})),
    "mp3": ("audio/mpeg", frozenset({"mp3"})),
    _MPEG_4: ("audio/mp4", frozenset({"aac", "flac", "mp3", "opus"})),
    "ogg": ("audio/ogg", frozenset({"flac", "opus", "vorbis"})),
    "wav": ("audio/wav", _LINEAR),
}
"""Containers that browsers play, by FFmpeg's name: their media type, and the codecs inside."""

_OTHERS: Final = frozenset("ac3 aiff ape asf au avi caf dsf eac3 iff mpc mpc8 tta w64 wv".split())
_RATES: Final = (88_200, 96_000)
"""Samples a second of what has more than the larger, by the family of its own rate."""


class Sink(Protocol):
    """What can be written anywhere."""

    def write(self, data: bytes, /) -> int:
        """Write where it stands. Raises OSError."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move."""

    def tell(self) -> int:
        """Return where it stands."""


@dataclass(frozen=True, slots=True)
class Target:
    """A form that every browser plays: media type, FFmpeg's names for it, and a bit rate or 0."""

    media_type: str
    container: str
    codec: str
    bit_rate: int = 0


FLAC: Final = Target("audio/flac", "flac", "flac")
OPUS: Final = Target("audio/ogg", "ogg", "libopus", 160_000)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: a browser plays it as ``media_type``, or plays its ``target`` instead."""

    media_type: str
    target: Target | None


def content(path: Path) -> Content:
    """Return what a file holds, whatever its name says.

    Raises AudioError where it is not audio in one of the containers that music comes in.
    """
    with opened(path) as (container, stream, name):
        form, codec = container.format.name, stream.codec_context.codec
        media_type, codecs = _PLAYABLE.get(form, ("", frozenset()))
        if not media_type and form not in _OTHERS:
            msg = f"{name} is not a file of music"
            raise AudioError(msg)
        if codec.canonical_name in codecs:
            return Content(media_type, None)
        target = FLAC if _is_lossless(codec) else OPUS
        return Content(target.media_type, target)


def _is_lossless(codec: Any) -> bool:
    return bool(codec.lossless) or codec.name.startswith(
        "dsd_"
    )  # a bit stream loses in any other form


def transcode(path: Path, file: Sink, target: Target) -> None:
    """Write the audio of ``path`` to a file that can seek, in the form of ``target``.

    What breaks off in the middle is written up to there. Raises AudioError for what holds no audio,
    and where the file cannot be written.
    """
    import av

    with opened(path) as (source, stream, name):
        begun = False
        with av.open(file, "w", format=target.container) as sink:
            encoder = _Encoder.of(sink, stream, target)
            for frame in frames(source, stream, 0.0):
                if not encoder.takes(frame):
                    break
                begun = True
            if begun:
                encoder.finish()
        if not begun:
            msg = f"{name} holds no audio, or is damaged"
            raise AudioError(msg)


@dataclass(frozen=True, slots=True)
class _Encoder:
    """Encodes frames of one stream into another."""

    sink: Any
    track: Any
    resampler: Any

    @classmethod
    def of(cls, sink: Any, stream: Any, target: Target) -> _Encoder:
        import av

        layout = "mono" if stream.codec_context.layout.nb_channels == 1 else "stereo"
        rate = 48_000 if target is OPUS else _rate(stream.rate)
        track = sink.add_stream(target.codec, rate=rate, layout=layout)
        track.format = _sample_format(stream.format.bytes, target)
        if target.bit_rate:
            track.bit_rate = target.bit_rate
        track.codec_context.open()
        size = track.codec_context.frame_size
        return cls(sink, track, av.AudioResampler(track.format, layout, rate, size or 4096))

    def takes(self, frame: Any) -> bool:
        """Encode a frame; False for one that is unlike those before it, where the source broke."""
        frame.pts = None
        try:
            pieces = self.resampler.resample(frame)
        except ValueError:
            return False
        self._write(pieces)
        return True

    def finish(self) -> None:
        """Write what is still held back."""
        self._write(self.resampler.resample(None))
        self.sink.mux(self.track.encode(None))

    def _write(self, pieces: Iterable[Any]) -> None:
        for piece in pieces:
            self.sink.mux(self.track.encode(piece))


def _rate(rate: int) -> int:
    low, high = _RATES
    return rate if rate <= high else (low if rate % 44_100 == 0 else high)


def _sample_format(width: int, target: Target) -> str:
    """Return the sample format for samples of so many bytes; FLAC holds 24 bits of four bytes."""
    return "s16" if width <= 2 or target is OPUS else "s32"  # noqa: PLR2004
