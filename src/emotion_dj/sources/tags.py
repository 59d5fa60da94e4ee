"""What was heard, written into the files themselves as tags, and taken out again.

Six fields: MOOD, BPM, INITIALKEY and ReplayGain's gain of a track, as other programs read them, and
our own EMOTION_DJ_VALENCE and EMOTION_DJ_AROUSAL. What stood there before, and what we wrote, is
kept in EMOTION_DJ_BEFORE, so that `restore` finds it; a field that somebody changed since is
theirs, and so is a gain that stood there: it was measured on the whole song.

A file is never half written: the tags go into a copy beside it, which takes its place when it lies
on the disk. Permissions stay; the time of change is new, so that players look at the file again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.errors import MissingExtra, TagError
from emotion_dj.sources.tag_forms import BPM, GAIN, KEY, MOOD, REFERENCE_LUFS, decibels, view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from emotion_dj.domain import Analysis, Mood
    from emotion_dj.json_types import JsonObject
    from emotion_dj.sources.tag_forms import Tags

VALENCE, AROUSAL = "EMOTION_DJ_VALENCE", "EMOTION_DJ_AROUSAL"
BEFORE: Final = "EMOTION_DJ_BEFORE"

_KEYS: Final = tuple("C C# D Eb E F F# G Ab A Bb B".split())
"""The twelve keys as ID3's TKEY spells them; a minor one has an m after it."""

_ABANDONED_S: Final = 60.0
"""A copy that nobody has written to for so long is what a killed run left behind."""

_WRITABLE: Final = 0o222
_BLOCK: Final = 1 << 20

_ID3V1: Final = 128


def heard(analysis: Analysis, mood: Mood) -> dict[str, str]:
    """Return the fields of a track; what was not measured is left out."""
    features, point = analysis.features, analysis.affect
    fields = {MOOD: mood.value.capitalize()}
    if features.tempo is not None:
        fields[BPM] = str(round(features.tempo))
    if features.key is not None:
        fields[KEY] = _KEYS[features.key] + ("m" if features.mode == 0 else "")
    if features.loudness is not None:
        fields[GAIN] = decibels(REFERENCE_LUFS - features.loudness)
    return {**fields, VALENCE: f"{point.valence:.3f}", AROUSAL: f"{point.arousal:.3f}"}


def write(path: Path, fields: Mapping[str, str]) -> bool:
    """Write the fields into a file; return whether it had to be changed. Raises TagError."""

    def change(tags: Tags) -> bool:
        record = _record(tags, path)
        ours = record.get(GAIN, {}).get("wrote")
        wanted = {f: v for f, v in fields.items() if f != GAIN or tags.get(f) in ([], [ours])}
        if all(tags.get(field) == [value] for field, value in wanted.items()) and record:
            return False
        for field, value in wanted.items():
            now = tags.get(field)
            if field not in record or now != [record[field]["wrote"]]:
                record[field] = {"was": now}
            record[field]["wrote"] = value
            tags.put(field, [value])
        tags.put(BEFORE, [json.dumps(record)])
        return True

    return _rewritten(path, change)


def restore(path: Path) -> bool:
    """Put back what stood in a file before `write`; return whether there was anything to undo.

    Raises TagError.
    """

    def change(tags: Tags) -> bool:
        record = _record(tags, path)
        for field, kept in record.items():
            if tags.get(field) == [kept["wrote"]]:
                tags.put(field, kept["was"])
        tags.put(BEFORE, [])
        return bool(record)

    return _rewritten(path, change)


def _record(tags: Tags, path: Path) -> dict[str, JsonObject]:
    """Return what `write` left: field -> what ``was`` there and what it ``wrote``."""
    told = tags.get(BEFORE)
    if not told:
        return {}
    try:
        record = json.loads(told[0])
        return {
            str(field): {"was": [str(value) for value in kept["was"]], "wrote": str(kept["wrote"])}
            for field, kept in record.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path.name}: its field {BEFORE} was damaged; remove that field with a tag editor"
        raise TagError(msg) from error


def _rewritten(path: Path, change: Callable[[Tags], bool]) -> bool:
    """Change the tags of a file as a whole or not at all; return whether there was a change."""
    mutagen = _mutagen()
    try:
        target = path.resolve(strict=True)
        status = target.stat()
        file = _open(target)
        if not change(view(file, path)):
            return False
        _demand_writable(target, status)
        with _copy(target) as copy:
            _save(file, copy, _id3v1_of(target))
            _take_place(copy, target, status)
    except TagError:
        raise
    except OSError as error:
        msg = f"{path.name} could not be tagged: {error.strerror or error}"
        raise TagError(msg) from error
    except (mutagen.MutagenError, ValueError, LookupError, EOFError, struct.error) as error:
        msg = f"{path.name} could not be tagged, since its tags cannot be read: {error}"
        raise TagError(msg) from error
    return True


def _mutagen() -> Any:
    """Return the library that writes tags. Raises MissingExtra."""
    try:
        import mutagen
    except ImportError as error:
        raise MissingExtra("tags", "writing tags") from error
    return mutagen


def _demand_writable(target: Path, status: os.stat_result) -> None:
    """Raise TagError for a file that is read-only, also where we may write all the same (root)."""
    if not (os.access(target, os.W_OK) and status.st_mode & _WRITABLE):
        msg = f"{target.name} is read-only: allow writing, or leave its tags alone"
        raise TagError(msg)


def _open(path: Path) -> Any:
    """Return mutagen's view of a file, with tags, if empty ones; None where it knows no such."""
    from mutagen.id3 import ID3

    file = _mutagen().File(path)
    if file is None:
        return None
    options: JsonObject = {}
    if isinstance(file.tags, ID3) and _id3v1_of(path):
        options["load_v1"] = False  # the old tag stays where it is: it would become a new one
    if isinstance(file.tags, ID3) and file.tags.version[:2] == (2, 3):
        options["translate"] = False  # so that 2.3 stays 2.3
    if options:
        file = type(file)(path, **options)
    if file.tags is None:
        file.add_tags()
    return file


def _id3v1_of(path: Path) -> bytes:
    """Return the 128 bytes of a tag of the old form at the end of a file, b"" where none is."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _ID3V1))
        end = file.read(_ID3V1)
    return end if len(end) == _ID3V1 and end.startswith(b"TAG") else b""


def _save(file: Any, copy: Path, id3v1: bytes) -> None:
    """Write the tags into the copy; a tag that is empty now is removed whole, as it came.

    An old tag at the end stays as it is, byte for byte.
    """
    from mutagen import id3

    if not isinstance(file.tags, id3.ID3):
        file.save(copy)
    elif not file.tags:
        _delete_id3v2(file, copy)
    elif file.tags.version[:2] == (2, 3):
        file.save(copy, v2_version=3, v23_sep=None)
    else:
        file.save(copy)
    if id3v1 and isinstance(file.tags, id3.ID3):
        with copy.open("rb+") as end:
            end.seek(-_ID3V1, os.SEEK_END)
            end.write(id3v1)


def _delete_id3v2(file: Any, copy: Path) -> None:
    from mutagen import id3
    from mutagen.mp3 import MP3

    if isinstance(file, MP3):
        id3.delete(copy, delete_v1=False, delete_v2=True)
    else:
        file.delete(copy)


@contextmanager
def _copy(target: Path) -> Iterator[Path]:
    """Copy a file beside itself under a hidden name, for the length of the block."""
    mark = hashlib.blake2b(os.fsencode(target.name), digest_size=8).hexdigest()
    copy = target.with_name(f".emotion-dj-{mark}{target.suffix}")
    with suppress(FileNotFoundError):
        if time.time() - copy.stat().st_mtime < _ABANDONED_S:
            msg = f"{target.name} is being tagged by another run: try again in a minute"
            raise TagError(msg)
        copy.unlink()
    new = copy.open("xb")  # outside the try: what another run has begun is not ours to remove
    try:
        with new, target.open("rb") as old:
            shutil.copyfileobj(old, new, _BLOCK)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _take_place(copy: Path, target: Path, status: os.stat_result) -> None:
    """Put the copy in the place of the file once it lies on the disk.

    Raises TagError where the file changed since it was looked at.
    """
    shutil.copystat(target, copy)
    os.utime(copy)
    with suppress(PermissionError, AttributeError):  # another owner's file; Windows has no chown
        os.chown(copy, status.st_uid, status.st_gid)
    with copy.open("rb+") as file:
        os.fsync(file.fileno())
    now = target.stat()
    if (now.st_size, now.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
        msg = f"{target.name} changed while it was being tagged, and was left as it is"
        raise TagError(msg)
    copy.replace(target)
    with suppress(OSError):  # where folders cannot be synchronised, the file itself is
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
