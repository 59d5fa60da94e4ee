"""What cannot be heard but whose tags name moods: placed in the middle of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from emotion_dj.affect import MOOD_AFFECT, parse_mood
from emotion_dj.domain import TAGS, Affect, Analysis, AudioFeatures
from emotion_dj.errors import LabelError
from emotion_dj.interfaces import Listenable, Source, Tagged

if TYPE_CHECKING:
    from collections.abc import Collection

    from emotion_dj.catalogue import Catalogue
    from emotion_dj.domain import Mood, Tags

DOUBT: Final = 0.5
"""How far off a song may be from the middle of the moods that somebody gave it."""


class TaggedLibrary(Source, Listenable, Tagged, Protocol):
    """A source whose audio can be heard, and that knows what tags say of its tracks."""


def by_tags(catalogue: Catalogue, source: TaggedLibrary, failed: Collection[str]) -> None:
    """Place those songs of a source that could not be heard by the moods that their tags name."""
    tracks = catalogue.tracks(list(catalogue.numbers(failed).values()))
    rows = [
        (track, source.stamp(track), source.fingerprint(track), placed)
        for track in tracks
        if (told := source.tagged(track)) and (placed := _placed(told))
    ]
    if rows:
        catalogue.store_all(rows, analyser=TAGS)


def _placed(told: Tags) -> Analysis | None:
    """Return the middle of the moods that are named; None where none of the words is one."""
    places = [MOOD_AFFECT[mood] for word in told.moods if (mood := _mood(word))]
    if not places:
        return None
    valence, arousal = (sum(axis) / len(axis) for axis in zip(*places, strict=True))
    return Analysis(AudioFeatures(TAGS, tempo=told.tempo), Affect(valence, arousal, DOUBT))


def _mood(word: str) -> Mood | None:
    try:
        return parse_mood(word)
    except LabelError:
        return None
