"""The forms that tags have in files of each kind, seen as one: our names of fields, and texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from emotion_dj.errors import TagError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOOD, BPM, KEY = "MOOD", "BPM", "INITIALKEY"
GAIN: Final = "REPLAYGAIN_TRACK_GAIN"
OPUS_GAIN: Final = "R128_TRACK_GAIN"
"""The same in Opus (RFC 7845, section 5.2.1): in 1/256 dB, to another loudness."""

REFERENCE_LUFS: Final = -18.0
"""The loudness that a gain leads to (ReplayGain 2.0)."""

OPUS_LUFS: Final = -23.0

_ID3_FRAMES: Final = {MOOD: "TMOO", BPM: "TBPM", KEY: "TKEY"}
_MP4_ATOM: Final = "----:com.apple.iTunes:"
_LOWER: Final = {KEY: "initialkey", GAIN: "replaygain_track_gain"}


class Tags(Protocol):
    """The tags of one file under our names of fields; no values means that there is no field."""

    def get(self, field: str) -> list[str]:
        """Return the texts of a field."""

    def put(self, field: str, values: list[str]) -> None:
        """Set the texts of a field; none take it away."""


@dataclass(frozen=True, slots=True)
class Id3:
    """MP3, WAV, AIFF: frames of their own for three fields, TXXX for ours."""

    tags: Any

    def get(self, field: str) -> list[str]:
        """Return the texts of a field."""
        frames = self.tags.getall(_frame(field))
        if not frames:  # names of TXXX are spelt in either case
            frames = [frame for frame in self.tags.getall("TXXX") if frame.desc.upper() == field]
        return [str(text) for frame in frames for text in frame.text]

    def put(self, field: str, values: list[str]) -> None:
        """Set the texts of a field; none take it away."""
        from mutagen import id3

        name = _frame(field)
        self.tags.delall(name)
        if values and name.startswith("TXXX:"):
            self.tags.add(id3.TXXX(encoding=id3.Encoding.UTF8, desc=field, text=values))
        elif values:
            self.tags.add(getattr(id3, name)(encoding=id3.Encoding.UTF8, text=values))


@dataclass(frozen=True, slots=True)
class Vorbis:
    """FLAC, Ogg Vorbis, Opus: any field by its name."""

    tags: Any

    def get(self, field: str) -> list[str]:
        """Return the texts of a field."""
        return [str(value) for value in self.tags.get(field, ())]

    def put(self, field: str, values: list[str]) -> None:
        """Set the texts of a field; none take it away."""
        if values:
            self.tags[field] = values
        elif field in self.tags:
            del self.tags[field]


@dataclass(frozen=True, slots=True)
class Opus(Vorbis):
    """Opus: as Ogg Vorbis, but for the gain, which has a form of its own there."""

    def get(self, field: str) -> list[str]:
        """Return the texts of a field."""
        if field != GAIN:
            return Vorbis.get(self, field)
        above = REFERENCE_LUFS - OPUS_LUFS
        return [decibels(int(v) / 256 + above) for v in Vorbis.get(self, OPUS_GAIN)]

    def put(self, field: str, values: list[str]) -> None:
        """Set the texts of a field; none take it away."""
        if field == GAIN:
            below = OPUS_LUFS - REFERENCE_LUFS
            values = [str(round((float(v.split()[0]) + below) * 256)) for v in values]
        Vorbis.put(self, OPUS_GAIN if field == GAIN else field, values)


@dataclass(frozen=True, slots=True)
class Mp4:
    """MP4: a whole number for the tempo, freeform atoms for all else."""

    tags: Any

    def get(self, field: str) -> list[str]:
        """Return the texts of a field."""
        values = self.tags.get(_atom(field), ())
        return [v.decode("utf-8", "surrogateescape") if field != BPM else str(v) for v in values]

    def put(self, field: str, values: list[str]) -> None:
        """Set the texts of a field; none take it away."""
        from mutagen.mp4 import MP4FreeForm

        self.tags.pop(_atom(field), None)
        if values and field == BPM:
            self.tags[_atom(field)] = [int(value) for value in values]
        elif values:
            encoded = [value.encode("utf-8", "surrogateescape") for value in values]
            self.tags[_atom(field)] = [MP4FreeForm(value) for value in encoded]


def decibels(gain: float) -> str:
    """Write a gain as ReplayGain does."""
    return f"{gain:+.2f} dB"


def _frame(field: str) -> str:
    return _ID3_FRAMES.get(field, f"TXXX:{field}")


def _atom(field: str) -> str:
    return "tmpo" if field == BPM else _MP4_ATOM + _LOWER.get(field, field)


def view(file: Any, path: Path) -> Tags:
    """Return the tags of a file that mutagen has opened. Raises TagError for other kinds."""
    from mutagen._vorbis import VComment
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4Tags
    from mutagen.oggopus import OggOpusVComment

    kinds: dict[type, Callable[[Any], Tags]] = {ID3: Id3, MP4Tags: Mp4}
    kinds |= {OggOpusVComment: Opus, VComment: Vorbis}
    for kind, form in kinds.items():
        if file is not None and isinstance(file.tags, kind):
            return form(file.tags)
    msg = f"{path.name} is of a kind whose tags are not written: MP3, FLAC, Ogg, Opus and MP4 are"
    raise TagError(msg)
