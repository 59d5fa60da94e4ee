"""Sets as files that other players open: M3U8, XSPF and JSPF.

M3U8 is what VLC and others agree on (extended M3U in UTF-8); XSPF and JSPF follow xspf.org
version 1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from emotion_dj.artifacts import write_atomically
from emotion_dj.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.domain import Pick, Set, Track

TITLE: Final = "Emotion-DJ"
_NAMESPACE: Final = "http://xspf.org/ns/0/"


def save(music: Set, target: Path) -> None:
    """Write a set to a file; the suffix chooses the form. Raises DataError."""
    data = render(music, target.suffix)
    try:
        write_atomically(target, data)
    except OSError as error:
        msg = f"{target} cannot be written: {error.strerror}"
        raise DataError(msg) from error


def render(music: Set, form: str) -> bytes:
    """Return a set in a form that is named by its suffix, dot or not. Raises DataError."""
    write = FORMS.get("." + form.lower().lstrip("."))
    if write is None:
        msg = f"'{form}' is no known form of playlist: choose {', '.join(FORMS)}"
        raise DataError(msg)
    return write(music)


def m3u8(music: Set) -> bytes:
    """Return an extended M3U in UTF-8: seconds and name of each pick, then where it is."""
    lines = ["#EXTM3U", f"#PLAYLIST:{TITLE}: {music.plan.name}"]
    for pick in music.picks:
        lines.append(f"#EXTINF:{round(pick.track.duration or -1)},{_one_line(_name(pick.track))}")
        lines.append(_location(pick.track, as_uri=False))
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def xspf(music: Set) -> bytes:
    """Return an XSPF document."""
    ET.register_namespace("", _NAMESPACE)
    playlist = ET.Element(f"{{{_NAMESPACE}}}playlist", version="1")
    _add(playlist, "title", f"{TITLE}: {music.plan.name}")
    listed = ET.SubElement(playlist, f"{{{_NAMESPACE}}}trackList")
    for pick in music.picks:
        entry = ET.SubElement(listed, f"{{{_NAMESPACE}}}track")
        for name, value in _fields(pick).items():
            _add(entry, name, str(value))
    return bytes(ET.tostring(playlist, encoding="utf-8", xml_declaration=True))


def jspf(music: Set) -> bytes:
    """Return a JSPF document."""
    tracks: list[dict[str, Any]] = []
    for pick in music.picks:
        fields: dict[str, Any] = _fields(pick)
        tracks.append({**fields, "location": [fields["location"]]})
    playlist = {"title": f"{TITLE}: {music.plan.name}", "track": tracks}
    return (json.dumps({"playlist": playlist}, ensure_ascii=False, indent=2) + "\n").encode()


FORMS: Final[Mapping[str, Callable[[Set], bytes]]] = {
    ".m3u8": m3u8,
    ".m3u": m3u8,
    ".xspf": xspf,
    ".jspf": jspf,
}


def _fields(pick: Pick) -> dict[str, str | int]:
    """Return the elements of an entry in the order that XSPF's schema uses."""
    track = pick.track
    fields: dict[str, str | int] = {
        "location": _location(track, as_uri=True),
        "title": _printable(track.title),
        "creator": _printable(", ".join(track.artists)),
        "annotation": pick.reason,
        "album": _printable(track.album),
    }
    if track.duration is not None:
        fields["duration"] = round(1000 * track.duration)
    return {name: value for name, value in fields.items() if value != ""}


def _location(track: Track, *, as_uri: bool) -> str:
    if track.media is None or track.media.kind != "file":
        return track.media.location if track.media else track.uri
    if as_uri or "\n" in track.media.location or "\r" in track.media.location:
        return Path(track.media.location).as_uri()
    return track.media.location


def _name(track: Track) -> str:
    return " - ".join(part for part in (", ".join(track.artists), track.title) if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _printable(text: str) -> str:
    """Drop what XML 1.0 cannot hold."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff"))


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_NAMESPACE}}}{name}").text = text
