"""Chapters: the tracks of one long file by what it says itself, where no CUE sheet lies beside it.

FFmpeg reads chapters of MP4, Matroska, WebM, Ogg, Opus and MP3 (ID3v2's CHAP), and the tracks of
FLAC's block CUESHEET; a tag called CUESHEET, as of FLAC, APE and WavPack, holds a whole sheet and
is believed first. To open each file would make a walk a hundred times as slow, and songs have no
chapters, so only files that are larger than songs are looked into.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.sources import cue_sheets
from emotion_dj.sources.cue_sheets import Entry, Sheet
from emotion_dj.sources.text_guess import guess

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE: Final = 20_000_000
"""Bytes from which on a file is looked into: eight minutes of MP3 at 320 kbit/s."""

LARGE_LOSSLESS: Final = 100_000_000
"""The same where nothing was lost: a quarter of an hour from a CD."""

SHORTEST_S: Final = 3.0
"""Chapters that are shorter are no tracks: then the file stays whole."""

_LOSSLESS: Final = frozenset(
    ".aif .aifc .aiff .ape .au .caf .dff .dsf .flac .snd .tta .wav .wv".split()
)
_ID: Final = re.compile(r"c(?:h|hp|hap|hapter)?_?\d+", re.IGNORECASE)
"""The id of a chapter in ID3v2, which FFmpeg gives where it has no title."""

_WHOLE: Final = frozenset({".m4b"})
"""Audiobooks are not music by their suffix, so their chapters are no songs."""


def within(path: str, status: os.stat_result) -> Sheet | None:
    """Return how a large file is divided by its own words, None where it is not.

    It is opened once while it stays the same. Raises OSError where it cannot be read now.
    """
    if status.st_size < LARGE:  # before anything else: this is asked of each file
        return None
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - a text
    if suffix in _WHOLE or (suffix in _LOSSLESS and status.st_size < LARGE_LOSSLESS):
        return None
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=20_000)
def _read(path: str, _size: int, _mtime_ns: int) -> Sheet | None:
    import av

    try:
        with av.open(path, metadata_errors="surrogateescape") as container:
            sheets = [*_embedded(container), Sheet(Entry(), _chapters(container))]
            length = container.duration / 1_000_000 if container.duration else None
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - a damaged file is one track, whatever the library raises
        return None
    return next((sheet for sheet in sheets if _is_good(sheet, length)), None)


def _embedded(container: Any) -> Iterator[Sheet]:
    """Yield the sheets of a tag; it may name no file, which is the one that it is in."""
    streams = container.streams.audio
    pairs = [*container.metadata.items(), *(streams[0].metadata.items() if streams else ())]
    for key, value in pairs:
        if key.lower() == "cuesheet":
            text = guess(value.encode("utf-8", "surrogateescape"))
            yield from cue_sheets.parse(f"FILE . WAVE\n{text}").values()


def _chapters(container: Any) -> list[Entry]:
    """Return the chapters by their time; ID3v2 has them in any order."""
    end = (container.duration or float("inf")) / 1_000_000
    entries = []
    for chapter in container.chapters():
        begin = float(chapter["start"] * chapter["time_base"])
        if begin < end - 0.001:  # what begins where all ends is FLAC's lead-out
            entries.append(Entry({"TITLE": _title(container, chapter)}, begin))
    return sorted(entries, key=lambda entry: entry.begin or 0.0)


def _title(container: Any, chapter: Any) -> str:
    """Return a chapter's title, empty where it has but an id, or an ISRC as in FLAC."""
    raw = chapter["metadata"].get("title", "").encode("utf-8", "surrogateescape")
    title = " ".join(guess(raw).split())
    return "" if container.format.name == "flac" or _ID.fullmatch(title) else title


def _is_good(sheet: Sheet, length: float | None) -> bool:
    """Tell whether all tracks, of a file so many seconds long, are longer than a moment."""
    last = Entry(begin=length)
    whole = replace(sheet, entries=[*sheet.entries, *([last] if length else [])])
    return cue_sheets.divides(sheet) and cue_sheets.divides(whole, SHORTEST_S)
