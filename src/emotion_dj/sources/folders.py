"""Walking the listener's folders: every audio file, and whatever was passed over and why.

Nothing that is found on the way stops the walk: a folder that cannot be entered, a path that is too
long, a link that leads in a circle. Waste bins and the stores of other programs are not music, and
a file called `.emotiondjignore` names more that is not, by the rules of .gitignore.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from fnmatch import translate
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote_from_bytes

from emotion_dj.domain import Media, Omission, Track
from emotion_dj.errors import LibraryError
from emotion_dj.sources import chapters, cue_sheets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pathspec import GitIgnoreSpec

    from emotion_dj.sources.cue_sheets import Sheet

SUFFIXES: Final = frozenset(
    ".3g2 .3gp .aac .ac3 .aif .aifc .aiff .ape .au .avi .caf .dff .dsf .eac3 .flac .m4a .m4b"
    " .m4r .mka .mov .mp2 .mp3 .mp4 .mpc .oga .ogg .opus .snd .spx .tta .wav .weba .webm .wma"
    " .wv".split()
)

IGNORE_FILE: Final = ".emotiondjignore"

STORES: Final = (
    *(".Trash*", "$RECYCLE.BIN", "RECYCLER", "#recycle", "@Recycle", "lost+found"),
    *(".stversions", ".stfolder", ".AppleDouble", "__MACOSX", "@eaDir", ".@__thumb", ".snapshot*"),
    *("#snapshot", ".zfs", ".git", "System Volume Information", ".Spotlight-V100", ".fseventsd"),
    *(".TemporaryItems", ".DocumentRevisions-V100", ".dropbox.cache", ".sync"),
)
"""Folders of systems and of other programs: what lies there was thrown away, or is a copy."""

_STORE: Final = re.compile("|".join(map(translate, STORES)), re.IGNORECASE)
_HOME_TRASH: Final = os.path.join(".local", "share", "Trash")  # noqa: PTH118 - the end of a path
_HIDDEN: Final = re.compile(r"\.[^\W\d]")
"""A file that is hidden by its name; "...And Justice for All" and ".38 Special" are not."""


class _Rules(NamedTuple):
    """The rules of one ignore file, for what lies below its folder."""

    folder: str
    spec: GitIgnoreSpec


@dataclass(slots=True)
class _Walk:
    """One walk below a root; ``seen`` are the folders that were entered, by device and inode."""

    root: str
    seen: set[tuple[int, int]] = field(default_factory=set)
    links: list[tuple[str, tuple[_Rules, ...]]] = field(default_factory=list)

    def __iter__(self) -> Iterator[Track | Omission]:
        """Yield what is there by name; linked folders last, so that a folder keeps its own uri."""
        yield from self._below(self.root, ())
        while self.links:
            yield from self._below(*self.links.pop(0))

    def _below(self, top: str, rules: tuple[_Rules, ...]) -> Iterator[Track | Omission]:
        waiting = [(top, rules)]
        while waiting:
            folder, above = waiting.pop()
            try:
                entries = self._entries(folder)
                rules = _with_file(above, folder, entries)
            except OSError as error:
                self._demand_root()
                yield _unreadable(folder, error)
                continue
            yield from _files(folder, entries, rules)
            folders = _Folders(folder, rules)
            yield from folders.sort(entries)
            self.links += [(path, rules) for path in folders.links]
            waiting += [(path, rules) for path in reversed(folders.paths)]

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """Return what a folder holds, by name; nothing where it was entered before."""
        status = os.stat(folder)  # noqa: PTH116 - for each folder of a large library
        if (status.st_dev, status.st_ino) in self.seen:
            return []
        self.seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            return sorted(entries, key=attrgetter("name"))

    def _demand_root(self) -> None:
        """Stop where all of it is gone, as when a disk is pulled out. Raises LibraryError."""
        if not os.path.exists(self.root):  # noqa: PTH110 - a text
            msg = f"{self.root} went away while it was looked through: scan again"
            raise LibraryError(msg)


@dataclass(slots=True)
class _Folders:
    """The folders inside a folder: to be entered now, or later since they are links."""

    folder: str
    rules: tuple[_Rules, ...]
    paths: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def sort(self, entries: Sequence[os.DirEntry[str]]) -> Iterator[Omission]:
        """Keep the folders; yield those that are passed over."""
        for entry in filter(_is_folder, entries):
            if _is_store(entry):
                yield Omission(_folder_uri(entry.path), "store", f"{entry.path} is no music folder")
            elif _is_ignored(self.rules, entry.path + "/"):
                yield _ignored(_folder_uri(entry.path), entry)
            else:
                (self.links if entry.is_symlink() else self.paths).append(entry.path)


@dataclass(slots=True)
class SingleFiles:
    """Files that are named one by one; what lies beside them is looked up once for a folder."""

    _sheets: dict[Path, dict[str, Sheet]] = field(default_factory=dict)

    def tracks(self, path: Path) -> Iterator[Track]:
        """Yield the tracks of a file, as its folder would have them, or those of a CUE sheet."""
        path = path.resolve()
        folder = path.parent
        if is_sheet(path.name):
            divided = cue_sheets.files(path, list(filter(is_audio, _names(folder))))
        else:
            if folder not in self._sheets:
                self._sheets[folder] = _sheets(str(folder), _names(folder))
            divided = {path.name: self._sheets[folder].get(path.name)}
        for name, sheet in divided.items():
            (uri,), where = _uris(str(folder), [name]), os.path.join(folder, "")  # noqa: PTH118
            track = _track(uri, where, name)
            yield from cue_sheets.parts(track, sheet or _chapters(folder / name))


def walk(root: Path) -> Iterator[Track | Omission]:
    """Yield every audio file below a folder, or the one that is named, in a stable order, and every
    place that was passed over. A file that a CUE sheet divides is that sheet's tracks.

    Raises LibraryError where the root goes away meanwhile.
    """
    root = root.resolve()
    yield from SingleFiles().tracks(root) if root.is_file() else _Walk(str(root))


def is_audio(name: str) -> bool:
    """Tell whether a file is audio by its name."""
    stem, dot, suffix = name.rpartition(".")
    return bool(stem) and (dot + suffix).lower() in SUFFIXES


def is_sheet(name: str) -> bool:
    """Tell whether a file is a CUE sheet by its name."""
    return name.lower().endswith(cue_sheets.SUFFIX)


def _files(
    folder: str, entries: Sequence[os.DirEntry[str]], rules: tuple[_Rules, ...]
) -> Iterator[Track | Omission]:
    """Yield the audio files of one folder. All of it is counted in microseconds a file."""
    names = [entry.name for entry in entries]
    sheets, where = _sheets(folder, names), os.path.join(folder, "")  # noqa: PTH118
    for entry, uri in zip(entries, _uris(folder, names), strict=True):
        name = entry.name
        if not is_audio(name) or _is_folder(entry):
            continue
        if _HIDDEN.match(name):
            yield Omission(uri, "hidden", f"{name} is hidden by its name")
        elif not _is_file(entry) and os.path.exists(entry.path):  # noqa: PTH110 - a dead link fails
            yield Omission(uri, "not_a_file", f"{name} is a pipe, a socket or a device")
        elif rules and _is_ignored(rules, entry.path):
            yield _ignored(uri, entry)
        else:
            track, sheet = _track(uri, where, name), sheets.get(name) or _chapters(entry)
            yield from cue_sheets.parts(track, sheet) if sheet else (track,)


def _uris(folder: str, names: Sequence[str]) -> list[str]:
    """Return the uris of what is in a folder, all at once: no name has a slash in it.

    Spaces come last, since what has nothing else to quote costs next to nothing.
    """
    begin = f"{Path(folder).as_uri().rstrip('/')}/"
    quoted = quote_from_bytes(os.fsencode("/".join(names)), safe="/ ").replace(" ", "%20")
    return [begin + name for name in quoted.split("/")[: len(names)]]


def _chapters(file: os.DirEntry[str] | Path) -> Sheet | None:
    try:
        return chapters.within(os.fspath(file), file.stat())
    except OSError:
        return None  # a link that leads nowhere


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names alone
    except OSError:
        return []  # a folder may be entered and not listed


def _sheets(folder: str, names: Sequence[str]) -> dict[str, Sheet]:
    texts = list(filter(is_sheet, names))
    return cue_sheets.among(folder, texts, list(filter(is_audio, names))) if texts else {}


def _track(uri: str, where: str, name: str) -> Track:
    """Return a file as a track; ``where`` is its folder, with a slash."""
    stem = name.rpartition(".")[0] or name
    title = stem if stem.isascii() else os.fsencode(stem).decode("utf-8", "replace")
    return Track(uri, title, media=Media("file", where + name))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads in a circle, or to a mount that is dead


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _is_store(entry: os.DirEntry[str]) -> bool:
    return bool(_STORE.fullmatch(entry.name)) or entry.path.endswith(_HOME_TRASH)


def _with_file(
    rules: tuple[_Rules, ...], folder: str, entries: Sequence[os.DirEntry[str]]
) -> tuple[_Rules, ...]:
    """Return the rules with those of a folder's own ignore file. Raises OSError."""
    if not any(entry.name == IGNORE_FILE and _is_file(entry) for entry in entries):
        return rules
    from pathspec import GitIgnoreSpec

    text = Path(folder, IGNORE_FILE).read_text(encoding="utf-8", errors="surrogateescape")
    return (*rules, _Rules(folder, GitIgnoreSpec.from_lines(text.splitlines())))


def _is_ignored(rules: tuple[_Rules, ...], path: str) -> bool:
    """Tell what the innermost file says that has a rule for a path; a folder's ends with a slash.

    What lies in an ignored folder is never asked about.
    """
    for folder, spec in reversed(rules):
        verdict = spec.check_file(path[len(folder) :].lstrip("/")).include
        if verdict is not None:
            return verdict
    return False


def _ignored(uri: str, entry: os.DirEntry[str]) -> Omission:
    return Omission(uri, "ignored", f"{entry.name} is named in a file {IGNORE_FILE}")


def _unreadable(folder: str, error: OSError) -> Omission:
    why = f"{folder} cannot be entered ({error.strerror}): what was known of it is kept"
    return Omission(_folder_uri(folder), "unreadable", why)


def _folder_uri(folder: str) -> str:
    return f"{Path(folder).as_uri()}/"
