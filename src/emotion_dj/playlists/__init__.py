"""Sets as files that other players open: M3U8, XSPF and JSPF; as a rule for Navidrome: NSP.

M3U8 is what VLC and others agree on (extended M3U in UTF-8); XSPF and JSPF follow xspf.org
version 1.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_from_bytes
from xml.etree import ElementTree as ET

from emotion_dj.artifacts import write_atomically
from emotion_dj.errors import DataError
from emotion_dj.playlists.smart import nsp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from emotion_dj.domain import DJSet, Pick, Reason, Section, Track
    from emotion_dj.json_types import JsonObject

    Explain = Callable[[Sequence[Reason]], str]
    Write = Callable[[DJSet, Path | None, Explain], bytes]

TITLE: Final = "Emotion-DJ"
_NAMESPACE: Final = "http://xspf.org/ns/0/"
_URI: Final = ":/?#[]@!$&'()*+,;=%-._~"
"""What an address may hold beside letters and digits (RFC 3986)."""
_RECORDING: Final = "https://musicbrainz.org/recording/"
_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
_ODD: Final = re.compile(f"{_CONTROL.pattern}|[?#%]")
"""What a line of M3U cannot hold, or what VLC takes for a part of an address."""


def save(
    music: DJSet, target: Path, *, relative: bool = False, explain: Explain = lambda _: ""
) -> None:
    """Write a set to a file; the suffix chooses the form. Raises DataError.

    ``relative`` names files as seen from the playlist's folder, so that both can be moved together.
    ``explain`` puts the reasons of a pick into words, for forms that have a place for them.
    """
    seen_from = target.absolute().parent if relative else None
    data = render(music, target.suffix, seen_from=seen_from, explain=explain)
    try:
        write_atomically(target, data)
    except OSError as error:
        msg = f"{target} cannot be written: {error.strerror}"
        raise DataError(msg) from error


def render(
    music: DJSet, form: str, *, seen_from: Path | None = None, explain: Explain = lambda _: ""
) -> bytes:
    """Return a set in a form that is named by its suffix, dot or not. Raises DataError."""
    return check(form)(music, seen_from, explain)


def check(form: str) -> Write:
    """Return what writes a form that is named by its suffix, dot or not. Raises DataError."""
    write = FORMS.get("." + form.lower().lstrip("."))
    if write is None:
        msg = f"'{form}' is not a known form of playlist: choose {', '.join(FORMS)}"
        raise DataError(msg)
    return write


def m3u8(music: DJSet, seen_from: Path | None = None, _explain: Explain | None = None) -> bytes:
    """Return an extended M3U in UTF-8: seconds and name of each pick, then where it is."""
    lines = ["#EXTM3U", f"#PLAYLIST:{TITLE}: {music.plan.name}"]
    for pick in music.picks:
        lines.append(f"#EXTINF:{round(pick.track.duration or -1)},{_one_line(_name(pick.track))}")
        lines += _limits(pick.track.section)
        lines.append(_location(pick.track, seen_from, as_uri=False))
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def xspf(music: DJSet, seen_from: Path | None = None, explain: Explain = lambda _: "") -> bytes:
    """Return an XSPF document."""
    ET.register_namespace("", _NAMESPACE)
    playlist = ET.Element(f"{{{_NAMESPACE}}}playlist", version="1")
    _add(playlist, "title", f"{TITLE}: {music.plan.name}")
    listed = ET.SubElement(playlist, f"{{{_NAMESPACE}}}trackList")
    for pick in music.picks:
        entry = ET.SubElement(listed, f"{{{_NAMESPACE}}}track")
        for name, value in _fields(pick, seen_from, explain).items():
            _add(entry, name, str(value))
    return bytes(ET.tostring(playlist, encoding="utf-8", xml_declaration=True))


def jspf(music: DJSet, seen_from: Path | None = None, explain: Explain = lambda _: "") -> bytes:
    """Return a JSPF document."""
    tracks: list[JsonObject] = []
    for pick in music.picks:
        fields: JsonObject = _fields(pick, seen_from, explain)
        lists: JsonObject = {n: [fields[n]] for n in ("location", "identifier") if n in fields}
        tracks.append({**fields, **lists})
    playlist = {"title": f"{TITLE}: {music.plan.name}", "track": tracks}
    return (json.dumps({"playlist": playlist}, ensure_ascii=False, indent=2) + "\n").encode()


FORMS: Final[Mapping[str, Write]] = {
    ".m3u8": m3u8,
    ".m3u": m3u8,
    ".xspf": xspf,
    ".jspf": jspf,
    ".nsp": nsp,
}


def _limits(section: Section | None) -> list[str]:
    """Return what tells VLC, and players that follow it, which part of a file is meant."""
    if section is None:
        return []
    end = [] if section.end is None else [f"#EXTVLCOPT:stop-time={section.end:.3f}"]
    return [f"#EXTVLCOPT:start-time={section.begin:.3f}", *end]


def _fields(pick: Pick, seen_from: Path | None, explain: Explain) -> dict[str, str | int]:
    """Return the elements of an entry in the order that XSPF's schema uses."""
    track = pick.track
    fields: dict[str, str | int] = {
        "location": _location(track, seen_from, as_uri=True),
        "identifier": f"{_RECORDING}{track.mbid}" if track.mbid else "",
        "title": _printable(track.title),
        "creator": _printable(", ".join(track.artists)),
        "annotation": _printable(explain(pick.reasons)),
        "album": _printable(track.album),
    }
    if track.duration is not None:
        fields["duration"] = round(1000 * track.duration)
    return {name: value for name, value in fields.items() if value != ""}


def _location(track: Track, seen_from: Path | None, *, as_uri: bool) -> str:
    """Return where a track is: a path or an address.

    A path that players of M3U do not agree on becomes an address, and that of the whole path: mpv
    takes a relative one as it is written, VLC as an address.
    """
    if track.media is None or track.media.kind != "file":
        return quote(track.media.location if track.media else track.uri, safe=_URI)
    path = track.media.location
    if not as_uri and _ODD.search(path):
        return Path(path).as_uri()
    if seen_from is None:
        return Path(path).as_uri() if as_uri else path
    path = os.path.relpath(path, seen_from)
    if not as_uri:  # the beginning keeps a "#" from being a comment, and blanks from being cut
        return path if path.startswith(f"..{os.sep}") else f".{os.sep}{path}"
    # A colon in its first part would make the beginning of the name a scheme.
    return f"./{quote_from_bytes(os.fsencode(Path(path).as_posix()))}"


def _name(track: Track) -> str:
    return " - ".join(part for part in (", ".join(track.artists), track.title) if part)


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _printable(text: str) -> str:
    """Drop what XML 1.0 cannot hold, and what would steer a terminal."""
    held = (c for c in text if c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")
    return "".join(c for c in held if c in "\t\n" or not _CONTROL.match(c))


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_NAMESPACE}}}{name}").text = text
