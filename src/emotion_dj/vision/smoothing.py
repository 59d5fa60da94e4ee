"""Live readings: who is who from frame to frame, and what their faces show over a second.

Pure functions of what was known, what is seen and the time in seconds, which is passed in. The page
computes the same (static/js/live-smoothing.js) by the same numbers; one table of cases holds both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from emotion_dj.domain import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import Affect, Box, Emotion, Face


class Rules(NamedTuple):
    """The numbers of smoothing; times in seconds.

    ``half_life`` is how long a sure frame takes to lose half of its weight. Another emotion has to
    be more probable by ``margin`` before it is named. A face is that of the frame before if the
    boxes share ``overlap`` of their union. Whoever is not seen for ``absent`` has gone; a reading
    without a sure frame for ``stale`` abstains. A room is elsewhere once it has been farther than
    ``far`` on the plane for ``lasting``; at first it is somewhere after ``first``.
    """

    half_life: float = 1.0
    margin: float = 0.1
    overlap: float = 0.2
    absent: float = 1.0
    stale: float = 3.0
    far: float = 0.35
    first: float = 0.5
    lasting: float = 8.0


RULES: Final = Rules()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is followed: their face as it was last seen, and the smoothed reading of it.

    ``emotion`` is the one to name, which changes less often than the most probable one. ``seen`` is
    when the face was seen last, ``sure`` when a frame of it was sure, None before the first one.
    """

    id: int
    face: Face
    reading: Reading
    emotion: Emotion
    seen: float
    sure: float | None


@dataclass(frozen=True, slots=True)
class Room:
    """Everyone who is followed, in the order in which they came; ``count`` have come so far."""

    people: tuple[Person, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """Where the room has been for good, None at first; ``since`` when it has been elsewhere."""

    affect: Affect | None = None
    since: float | None = None


def follow(
    room: Room,
    faces: Sequence[Face],
    readings: Sequence[Reading],
    now: float,
    rules: Rules = RULES,
) -> Room:
    """Return the room after a frame, in which these faces were read so."""
    theirs = _matched(room.people, faces, rules)
    stayed = [
        _seen(person, faces[theirs[i]], readings[theirs[i]], now, rules)
        if i in theirs
        else _grown_stale(person, now, rules)
        for i, person in enumerate(room.people)
    ]
    new = [i for i in range(len(faces)) if i not in theirs.values()]
    came = [_newcomer(room.count + n, faces[i], readings[i], now) for n, i in enumerate(new)]
    here = [person for person in stayed if now - person.seen <= rules.absent]
    return Room((*here, *came), room.count + len(came))


def settle(
    before: Settled, affect: Affect, now: float, rules: Rules = RULES
) -> tuple[Settled, bool]:
    """Return where the room has settled after it was at a point, and whether that is new."""
    at = before.affect
    near = at is not None and _apart(at, affect) < rules.far
    if near:
        return Settled(at), False
    since = now if before.since is None else before.since
    if now - since < (rules.first if at is None else rules.lasting):
        return Settled(at, since), False
    return Settled(affect), True


def _apart(a: Affect, b: Affect) -> float:
    return float(((a.valence - b.valence) ** 2 + (a.arousal - b.arousal) ** 2) ** 0.5)


def _matched(people: Sequence[Person], faces: Sequence[Face], rules: Rules) -> dict[int, int]:
    """Return whose face is which: the pairs that share most come first."""
    pairs = [
        (-_shared(person.face.box, face.box), i, j)
        for i, person in enumerate(people)
        for j, face in enumerate(faces)
    ]
    matched: dict[int, int] = {}
    for shared, i, j in sorted(pairs):
        if -shared >= rules.overlap and i not in matched and j not in matched.values():
            matched[i] = j
    return matched


def _shared(a: Box, b: Box) -> float:
    """Return how much of their union two boxes have in common, 0 to 1."""
    width = max(0.0, min(a.x + a.w, b.x + b.w) - max(a.x, b.x))
    height = max(0.0, min(a.y + a.h, b.y + b.h) - max(a.y, b.y))
    common = width * height
    return common / max(1e-9, a.w * a.h + b.w * b.h - common)


def _newcomer(number: int, face: Face, reading: Reading, now: float) -> Person:
    sure = None if reading.abstained else now
    return Person(number, face, reading, reading.emotion, now, sure)


def _seen(person: Person, face: Face, reading: Reading, now: float, rules: Rules) -> Person:
    """Take a frame in: an unsure one counts only as long as there was no sure one."""
    if reading.abstained and person.sure is not None:
        return replace(_grown_stale(person, now, rules), face=face, seen=now)
    if person.sure is None and not reading.abstained:
        return _newcomer(person.id, face, reading, now)
    before = person.seen if person.sure is None else person.sure
    mixed = _mixed(person.reading, reading, 0.5 ** ((now - before) / rules.half_life))
    emotion = _named(person.emotion, mixed, rules)
    sure = None if reading.abstained else now
    return Person(person.id, face, mixed, emotion, now, sure)


def _mixed(old: Reading, new: Reading, kept: float) -> Reading:
    shares = {
        emotion: kept * old.probabilities[emotion] + (1 - kept) * p
        for emotion, p in new.probabilities.items()
    }
    return Reading(shares, new.model, new.abstained)


def _named(before: Emotion, reading: Reading, rules: Rules) -> Emotion:
    lead = reading.probabilities[reading.emotion] - reading.probabilities[before]
    return reading.emotion if lead > rules.margin else before


def _grown_stale(person: Person, now: float, rules: Rules) -> Person:
    if person.sure is None or now - person.sure <= rules.stale:
        return person
    return replace(person, reading=replace(person.reading, abstained=True))
