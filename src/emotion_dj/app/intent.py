"""What a listener wishes for, in any of the ways in which it can be said, as a DJ takes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from emotion_dj import affect as affects
from emotion_dj.affect import words
from emotion_dj.domain import Affect, Plan, Reason
from emotion_dj.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import DJSet, PhotoAnalysis, Track

NO_FILM: Final = "the plan clip follows a film: name one, as in  emotion-dj play me.mp4 --plan clip"

_MATCH: Final = Plan("match")
_LIKE: Final = {"match": "like", "calm": "like_calmer", "liven": "like_livelier"}
"""What a set that begins from a song says that it answers, by its plan; others say their own."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Where a set starts and by which plan it goes on, and what is to be said of that.

    ``opening`` is None where the DJ's own is right; ``notes`` come before those of the DJ.
    """

    start: PhotoAnalysis | Affect
    plan: Plan
    opening: Reason | None = None
    notes: tuple[Reason, ...] = ()

    def told(self, music: DJSet) -> DJSet:
        """Return a set that says what it answers."""
        return replace(
            music, opening=self.opening or music.opening, notes=(*self.notes, *music.notes)
        )


def demand_one(*ways: object) -> None:
    """See that a listener says in one way where they are. Raises SettingsError."""
    if sum(way is not None for way in ways) != 1:
        msg = (
            "say where the listener is in one way: a photo, mood=, emotion=, affect=, say= or like="
        )
        raise SettingsError(msg)


def in_words(text: str, plan: Plan) -> Intent:
    """Return what a text means: from how the listener is to what they want, where it says both.

    Raises NotUnderstood or Contradiction.
    """
    understood = words.understand(text)
    start, goal = understood.state, understood.wish
    if start is not None and goal is not None and plan == _MATCH:
        plan = Plan("journey", (None, goal))
    place = start or goal
    assert place is not None  # noqa: S101 - what was understood is of one role at least
    said = [term.said for term in understood.terms]
    return Intent(place, plan, Reason("you_say", {"said": said}), tuple(_heard(understood)))


def _heard(understood: words.Understanding) -> list[Reason]:
    """Return what was understood as how the listener is, and as what they want."""
    roles = {"is": "understood_is", "wants": "understood_wants"}
    said = {role: [t.said for t in understood.terms if t.role == role] for role in roles}
    return [Reason(code, {"said": said[role]}) for role, code in roles.items() if said[role]]


def like(track: Track, place: Affect, plan: Plan) -> Intent:
    """Return the wish for more songs like one that stands at a place, in the plan's direction."""
    code = _LIKE.get(plan.name)
    return Intent(place, plan, Reason(code, {"title": track.title}) if code else None)


def of_film(places: Sequence[Affect], plan: Plan) -> Intent:
    """Return the wish for music to a film, of which these are the places in even steps: for all of
    it or, by the plan ``clip``, along it.
    """
    whole = _middle(places)
    if plan.name != affects.CLIP:
        shows = Reason("film_shows", {"words": list(affects.describe(whole))})
        return Intent(whole, plan, shows if plan == _MATCH else None)
    count = max(2, min(len(places), affects.MOST_STOPS))
    cuts = [round(i * len(places) / count) for i in range(count + 1)]
    parts = [places[a:b] or places[-1:] for a, b in pairwise(cuts)]
    return Intent(whole, Plan(plan.name, tuple(map(_middle, parts))), Reason("film_along"))


def _middle(places: Sequence[Affect]) -> Affect:
    return affects.mean(places, [affects.CERTAIN - place.uncertainty for place in places])


def by_name(
    *, mood: str | None, emotion: str | None, affect: Affect | tuple[float, float] | None
) -> Affect:
    """Return the place that the one of three which is given stands for. Raises LabelError."""
    if mood is not None:
        return affects.of_mood(affects.parse_mood(mood))
    if emotion is not None:
        return affects.of_emotion(affects.parse_emotion(emotion))
    assert affect is not None  # noqa: S101 - one of the three is given
    return affect if isinstance(affect, Affect) else Affect(*affect)
