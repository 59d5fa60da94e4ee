"""What a listener says in their own words, put on the plane: "tired, but I want something warm".

A lexicon, not a model: `lexicon.txt` has the words of four languages and their places. Around them
degrees ("very"), negation ("not") and what tells a state ("I am") from a wish ("I want") are heard.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from emotion_dj.affect.points import MOOD_UNCERTAINTY
from emotion_dj.domain import Affect
from emotion_dj.errors import Contradiction, NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Role = Literal["is", "wants"]

STRONGER: Final = 1.4
WEAKER: Final = 0.55
OPPOSITE: Final = -0.5
"""A "not" says something of the other side, and less than the word itself would there."""

_REACH: Final = 4
"""Words that may stand between a negation and what it denies."""

_APART: Final = -0.7
"""Cosine of two places below which nobody can want both."""

_WORD: Final = re.compile(r"[\w']+|[,.;:!?\u2026]")
_APOSTROPHE: Final = "\u2019"
_ENDS: Final = ",.;:!?\u2026"
_SAID_BACK: Final = 80
_LANGUAGES: Final = "English, German, French or Spanish"


class Concept(NamedTuple):
    """One meaning: its name, its place, and whether it can only be a wish."""

    name: str
    valence: float
    arousal: float
    only_wish: bool


@dataclass(frozen=True, slots=True)
class Term:
    """What was understood: the words as they were written, what they mean, and in which role."""

    said: str
    concept: str
    role: Role
    valence: float
    arousal: float
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Understanding:
    """Where a listener is and where they want to be, as far as they said."""

    terms: tuple[Term, ...]
    state: Affect | None
    wish: Affect | None


def understand(text: str) -> Understanding:
    """Return what a listener's words say, in any of the four languages.

    Words that are neither about a state nor a wish count as a wish, or as the state where a wish
    follows. Raises NotUnderstood where there is no word for a mood, Contradiction where two of one
    role pull apart.
    """
    terms = _settled(list(_clauses(text)))
    if not terms:
        said = text.strip()[:_SAID_BACK]
        msg = f"no mood is in '{said}': use words of {_LANGUAGES} such as tired or warm"
        raise NotUnderstood(msg)
    for a, b in combinations(terms, 2):
        if a.role == b.role and _cosine(a, b) < _APART:
            raise Contradiction([a.said, b.said])
    return Understanding(tuple(terms), _mean(terms, "is"), _mean(terms, "wants"))


class _Clause(NamedTuple):
    role: Role | None
    terms: list[Term]


def _settled(clauses: Sequence[_Clause]) -> list[Term]:
    """Return all terms in their roles: what has none takes that of the clause before it."""
    wished = any(clause.role == "wants" for clause in clauses)
    role: Role = "is" if wished else "wants"
    terms: list[Term] = []
    for clause in clauses:
        role = clause.role or role
        terms += [
            term if term.role == "wants" else replace(term, role=role) for term in clause.terms
        ]
    return terms


def _clauses(text: str) -> Iterator[_Clause]:
    """Yield the parts of a text between commas and conjunctions that hold a term or tell a role."""
    lexicon = _lexicon()
    part: list[str] = []
    for word in [*_WORD.findall(text.replace(_APOSTROPHE, "'")), "."]:
        if word in _ENDS or folded(word) in lexicon.cues["border"]:
            yield _Clause(_role(part), list(_terms(part)))
            part = []
        else:
            part.append(word)


def _role(words: Sequence[str]) -> Role | None:
    said, cues = {folded(word) for word in words}, _lexicon().cues
    if said & cues["wish"]:
        return "wants"
    return "is" if said & cues["state"] else None


def _terms(words: Sequence[str]) -> Iterator[Term]:
    """Yield the terms of a clause, the longest first where several begin with the same word."""
    place, before = 0, 0
    while place < len(words):
        concept, length = _longest(words, place)
        if concept is None:
            place += 1
            continue
        end = place + length
        yield _term(concept, words, before, place, end)
        place = before = end


def _term(concept: Concept, words: Sequence[str], before: int, start: int, end: int) -> Term:
    """Return the term at words[start:end]; those since the term ``before`` may colour it."""
    cues = _lexicon().cues
    ahead = [folded(word) for word in words[before:start]]
    behind = folded(words[-1]) if end < len(words) <= end + _REACH else ""
    around = cues["not"] | cues["very"] | cues["little"]
    first = next((n for n, word in enumerate(ahead, start=before) if word in around), start)
    valence, arousal = concept.valence, concept.arousal
    if denied := bool(cues["not"] & {*ahead[-_REACH:], behind}):
        valence, arousal = _denied(valence, arousal)
    elif cues["very"] & set(ahead[-2:]):
        valence, arousal = _within(STRONGER * valence), _within(STRONGER * arousal)
    elif cues["little"] & set(ahead[-2:]):
        valence, arousal = WEAKER * valence, WEAKER * arousal
    role: Role = "wants" if concept.only_wish else "is"
    return Term(" ".join(words[first:end]), concept.name, role, valence, arousal, denied)


def _denied(valence: float, arousal: float) -> tuple[float, float]:
    """Turn the axis that a word is about; "not calm" says nothing of bright or dark."""
    if abs(valence) >= abs(arousal):
        return OPPOSITE * valence, 0.0
    return 0.0, OPPOSITE * arousal


def _longest(words: Sequence[str], start: int) -> tuple[Concept | None, int]:
    """Return what the words from here on mean, and how many of them."""
    lexicon = _lexicon()
    for length in range(min(_MOST_WORDS, len(words) - start), 0, -1):
        phrase = " ".join(folded(word) for word in words[start : start + length])
        if phrase in lexicon.whole:
            return lexicon.whole[phrase], length
        for beginning, concept in lexicon.prefixes:
            if phrase.startswith(beginning) and phrase.count(" ") == beginning.count(" "):
                return concept, length
    return None, 0


_MOST_WORDS: Final = 4


class _Lexicon(NamedTuple):
    cues: Mapping[str, frozenset[str]]
    whole: Mapping[str, Concept]
    prefixes: Sequence[tuple[str, Concept]]


@cache
def _lexicon() -> _Lexicon:
    """Return the words of all languages, folded; prefixes the longest first."""
    whole: dict[str, Concept] = {}
    prefixes: dict[str, Concept] = {}
    for word, concept in entries():
        kind, key = (prefixes, word[:-1]) if word.endswith("*") else (whole, word)
        kind.setdefault(folded(key), concept)
    longest_first = sorted(prefixes.items(), key=lambda entry: -len(entry[0]))
    cues = {
        head.removeprefix("=").strip(): frozenset(map(folded, listed))
        for head, listed in _blocks()
        if head.startswith("=")
    }
    return _Lexicon(cues, whole, longest_first)


def entries() -> Iterator[tuple[str, Concept]]:
    """Yield every word of the lexicon, as it is written there, with what it means."""
    for head, listed in _blocks():
        if not head.startswith("="):
            name, valence, arousal, *flag = head.split()
            concept = Concept(name, float(valence), float(arousal), only_wish=bool(flag))
            yield from ((word, concept) for word in listed)


def _blocks() -> Iterator[tuple[str, list[str]]]:
    """Yield the head of each block of the file, and the words below it in all languages."""
    text = files("emotion_dj.affect").joinpath("lexicon.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            listed = ",".join(line.strip()[len("en ") :] for line in lines[1:])
            yield lines[0], [word.strip() for word in listed.split(",") if word.strip()]


def folded(word: str) -> str:
    """Return a word without case, accents, apostrophes and hyphens."""
    marked = unicodedata.normalize("NFKD", word.casefold().replace("-", " "))
    return "".join(c for c in marked if not unicodedata.combining(c) and c != "'")


def _cosine(a: Term, b: Term) -> float:
    lengths = (a.valence**2 + a.arousal**2) * (b.valence**2 + b.arousal**2)
    return (a.valence * b.valence + a.arousal * b.arousal) / (lengths**0.5 or 1.0)


def _mean(terms: Sequence[Term], role: Role) -> Affect | None:
    own = [term for term in terms if term.role == role]
    if not own:
        return None
    valence = sum(term.valence for term in own) / len(own)
    arousal = sum(term.arousal for term in own) / len(own)
    return Affect(valence, arousal, MOOD_UNCERTAINTY)


def _within(value: float) -> float:
    return max(-1.0, min(1.0, value))
