"""The same recording in two places: by ISRC, else by title, artists and duration.

Equal codes decide. Without them titles are split into their words, their version (live, remix,
acoustic ...: another recording) and what labels add to a name (remastered, feat., explicit ...: the
same one). Where one side is written in another script, both are read aloud in Latin letters.
`benchmarks/matching.py` says how often this is right.
"""
# ruff: noqa: RUF001, RUF002 - letters that look like Latin ones are what this is about

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from emotion_dj.domain import MADE_UP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emotion_dj.domain import Track

NEAR: Final = 8.0
"""Seconds by which copies of one recording may differ: silence at the ends, other masters."""

EXACT: Final = 3.0
"""Seconds where the duration has to vouch for names that differ a little."""

ALIKE: Final = 0.75
"""Likeness of letters from which names in two scripts count as the same, read aloud."""

MISSPELT: Final = 0.93
LONG: Final = 12
"""Likeness from which titles of this many letters count as the same but for a slip of the pen."""

VERSIONS: Final = frozenset(
    "live remix mix acoustic instrumental karaoke cover demo unplugged session sessions orchestral"
    " piano cappella acapella sped slowed nightcore reprise dub rework bootleg vip rerecorded"
    " rerecording recording tribute performed vivo directo concert symphonic reverb taylors mono"
    " концерт концерте вживую ремикс акустика кавер ライブ リミックス"
    " 라이브 리믹스 어쿠스틱".split()
)
"""Words that make it another recording."""

LENGTHS: Final = frozenset("edit radio single extended club short long cut minute".split())
"""Words of editions of one recording: the same where it lasts as long."""

LABELS: Final = frozenset(
    "remaster remastered master digital remastering version album original official video audio"
    " lyric lyrics visualizer explicit bonus track deluxe edition stereo from soundtrack theme ost"
    " motion picture director directors feat featuring ft vault hd hq".split()
)
"""Words that say nothing about the recording."""

_LATIN: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_ROMAN: Final = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}
_PLUS: Final = re.compile(r"[&+]")
_AGAIN: Final = re.compile(r"\bre-(?=\w)")
_BRACKETS: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_GUESTS: Final = re.compile(r"\b(?:feat|ft|featuring)\b\.?\s*(.+)$", re.IGNORECASE)
_AND: Final = re.compile(
    r"\s*(?:;|,|&|\+|/|⚡|\bx\b|\band\b|\bund\b|\bwith\b|\bvs\b\.?|\bfeat\b\.?|\bft\b\.?|\bfeaturing\b)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A title taken apart.

    ``words`` are its own words in one string; ``extra`` those of brackets that no table knows;
    ``version`` and ``lengths`` what makes it another recording or edition; ``guests`` the artists.
    """

    words: str
    extra: str
    version: frozenset[str]
    lengths: frozenset[str]
    guests: frozenset[str]


def same(a: Track, b: Track) -> bool:
    """Tell whether two tracks are the same recording, as far as their descriptions say."""
    if a.isrc and b.isrc and _code(a.isrc) == _code(b.isrc):
        return True
    if a.mbid and a.mbid == b.mbid:
        return True
    one, other = name_of(a.title), name_of(b.title)
    gap = None if a.duration is None or b.duration is None else abs(a.duration - b.duration)
    if gap is not None and gap > NEAR:
        return False
    sure = gap is not None and gap <= EXACT
    if not _same_version(one, other, sure=sure) or not _same_title(one, other, sure=sure):
        return False
    return _share_artist(_people(a) | one.guests, _people(b) | other.guests)


def repeated(tracks: Iterable[Track]) -> list[bool]:
    """Tell of each track whether it is the same recording as one before it, or a copy of its file.

    A copy says all the same of itself, even if that is not enough to tell what it is. What a list
    alone tells of comes after what can be played.
    """
    every = list(tracks)
    index, again = Index(()), [False] * len(every)
    described: set[object] = set()
    for place in sorted(range(len(every)), key=lambda place: every[place].uri.startswith(MADE_UP)):
        track = every[place]
        description = (track.title, track.artists, track.album, track.duration)
        copied = track.duration is not None and description in described
        again[place] = copied or index.find(track) is not None
        described.add(description)
        index.add(track)
    return again


class Index:
    """Finds recordings among many tracks, looking only at those with a similar name."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        """Take in the tracks."""
        self._by_code: dict[str, Track] = {}
        self._by_key: defaultdict[str, list[Track]] = defaultdict(list)
        for track in tracks:
            self.add(track)

    def add(self, track: Track) -> None:
        """Take in one more."""
        for code in _codes(track):
            self._by_code.setdefault(code, track)
        for key in _keys(track):
            self._by_key[key].append(track)

    def find(self, track: Track) -> Track | None:
        """Return the same recording, the one nearest in duration, None where there is none."""
        for code in _codes(track):
            if other := self._by_code.get(code):
                return other
        near = (other for key in _keys(track) for other in self._by_key.get(key, ()))
        copies = [other for other in near if same(track, other)]
        return min(copies, key=lambda other: _gap(track, other), default=None)


def name_of(title: str) -> Name:
    """Take a title apart."""
    guests = frozenset[str]()
    words, extra = title, []
    version, lengths = set[str](), set[str]()
    for part in _parts(title):
        words = words.replace(part, " ", 1)
        inside = part.strip("()[]- ")
        if featured := _GUESTS.search(inside):
            guests |= _names(featured[1])
            continue
        terms = _plain(inside).split()
        if VERSIONS & set(terms) and not {"original", "album"} & set(terms):
            version |= {word for word in terms if word not in LABELS and not word.isdigit()}
        elif LENGTHS & set(terms):
            lengths |= LENGTHS & set(terms)
            version |= {word for word in terms if word.isdigit()}
        elif not LABELS & set(terms):
            extra.append(" ".join(terms))
    tail = _GUESTS.search(words)
    if tail and tail.start():
        guests |= _names(tail[1])
        words = words[: tail.start()]
    own = _plain(words) or _plain(title)
    return Name(own, " ".join(extra), frozenset(version), frozenset(lengths), guests)


def _parts(title: str) -> list[str]:
    """Return what stands in brackets, and behind a dash where the tables know a word of it."""
    parts = [bracket[0] for bracket in _BRACKETS.finditer(title)]
    bare = _BRACKETS.sub(" ", title)
    _, dash, tail = bare.partition(" - ")
    if dash and (VERSIONS | LENGTHS | LABELS) & set(_plain(tail).split()) and tail in title:
        parts.append(f" - {tail}")
    return [part for part in parts if part in title]


def _same_version(one: Name, other: Name, *, sure: bool) -> bool:
    """Two versions agree in every word, or one says less and lasts exactly as long."""
    if not sure and one.lengths != other.lengths:
        return False
    if bool(one.version) != bool(other.version):
        return False
    if one.version == other.version:
        return True
    nested = one.version <= other.version or other.version <= one.version
    return nested and sure


def _same_title(one: Name, other: Name, *, sure: bool) -> bool:
    whole, others = f"{one.words} {one.extra}", f"{other.words} {other.extra}"
    if _squeezed(whole) == _squeezed(others) or sorted(whole.split()) == sorted(others.split()):
        return True
    if _squeezed(one.words) == _squeezed(other.words):
        return sure and not (one.extra and other.extra)
    return sure and (_same_aloud(one.words, other.words) or _misspelt(one.words, other.words))


def _share_artist(some: frozenset[str], others: frozenset[str]) -> bool:
    if some & others:
        return True
    return any(_same_aloud(one, other) for one in some for other in others)


def _same_aloud(one: str, other: str) -> bool:
    """Compare two names of which one is in Latin letters and the other is not."""
    if one.isascii() == other.isascii():
        return False
    first, second = _squeezed(_aloud(one)), _squeezed(_aloud(other))
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= ALIKE


def _misspelt(one: str, other: str) -> bool:
    """Compare two long titles that count the same: parts and movements differ in one letter."""
    if min(len(one), len(other)) < LONG or _counts(one) != _counts(other):
        return False
    first, second = _squeezed(one), _squeezed(other)
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= MISSPELT


def _counts(words: str) -> list[str]:
    return [word for word in words.split() if word in _ROMAN or any(map(str.isdigit, word))]


def _people(track: Track) -> frozenset[str]:
    return frozenset().union(*map(_names, track.artists))


@lru_cache(4096)
def _names(text: str) -> frozenset[str]:
    """Return the whole name and each of the names in it, without articles and punctuation."""
    parts = [text, *_AND.split(text)]
    plain = (_plain(part).removeprefix("the ").removesuffix(" the") for part in parts)
    return frozenset(_squeezed(name) for name in plain if name)


@lru_cache(16384)
def _plain(text: str) -> str:
    """Return lower-case words: no accents, no punctuation, one spelling of "and" and of numbers.

    Marks are dropped from Latin, Greek and Arabic letters and from Cyrillic е; й stays й and が
    stays が, since they are letters of their own.
    """
    folded = unicodedata.normalize("NFKD", _AGAIN.sub("re", _PLUS.sub(" and ", text.casefold())))
    letters: list[str] = []
    for letter in folded:
        if unicodedata.combining(letter):
            own = "\u3099" <= letter <= "\u309a" or (letters and letters[-1] == "и")
            if own:
                letters.append(letter)
        elif letter not in "'’.`´":
            letters.append(letter if letter.isalnum() else " ")
    plain = unicodedata.normalize("NFC", "".join(letters)).translate(_LATIN)
    words = ["and" if word == "n" else word for word in plain.split()]
    return " ".join(_numbered(words))


def _numbered(words: list[str]) -> list[str]:
    """Write parts as figures: pt ii is part 2."""
    named = ["part" if word in {"pt", "pts", "parts"} else word for word in words]
    return [
        _ROMAN.get(word, word) if place and named[place - 1] == "part" else word
        for place, word in enumerate(named)
    ]


@lru_cache(4096)
def _aloud(text: str) -> str:
    """Return how a name sounds, in Latin letters, as far as its letters' own names tell."""
    from anyascii import anyascii

    return text if text.isascii() else anyascii(text).lower()


def _squeezed(text: str) -> str:
    return text.replace(" ", "")


def _codes(track: Track) -> list[str]:
    """Return the codes of a recording: its ISRC and MusicBrainz's id."""
    return [_code(code) for code in (track.isrc, track.mbid) if code]


def _code(code: str) -> str:
    return code.replace("-", "").upper()


def _keys(track: Track) -> set[str]:
    """Return how the title begins, read aloud, with its brackets and without."""
    titles = (name_of(track.title).words, _plain(track.title))
    return {_squeezed(_aloud(title))[:2] for title in titles}


def _gap(one: Track, other: Track) -> float:
    if one.duration is None or other.duration is None:
        return NEAR
    return abs(one.duration - other.duration)
