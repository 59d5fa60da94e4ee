"""English for every code of a reason, an opening or a note; the page has files of its own.

A message is a template for the values of its code. Values that are codes themselves (an emotion,
words of a place) are put into English first. {count:song|songs} is the form that goes with a count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from emotion_dj.domain import DJSet, Pick, Reason, SavedPlaylist

EMOTIONS: Final[Mapping[str, str]] = {
    "angry": "angry",
    "disgust": "disgusted",
    "fear": "afraid",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprise": "surprised",
}
"""How a sentence says that a face looks so, or that somebody is."""

MESSAGES: Final[Mapping[str, str]] = {
    "character": "{words}",
    "tempo": "{bpm} bpm",
    "key": "{tonic} {mode}",
    "taste": "much to your taste",
    "flows": "flows from the song before",
    "text": "{text}",
    "you_look": "you look {emotion}",
    "all_look": "you all look {emotion}",
    "room_looks": "the room looks {words}",
    "you_said": "you said you are {emotion}",
    "you_want_mood": "you want {mood}",
    "you_want_place": "you want {words}",
    "to_lift": "to lift you",
    "to_calm": "to calm you down",
    "to_liven": "to liven you up",
    "to_vent": "to let it out",
    "journey": "on your way",
    "film_shows": "your film looks {words}",
    "film_along": "along your film",
    "you_say": "you said {said}",
    "understood_is": "understood as how you are: {said}",
    "understood_wants": "understood as what you want: {said}",
    "like": "like {title}",
    "like_calmer": "like {title}, and calmer",
    "like_livelier": "like {title}, and livelier",
    "chosen_before": "chosen before",
    "faces_disagree": "the faces disagree: the set meets them in the middle, or each in turn",
    "few_tracks": "there {count:was|were} only {count} {count:track|tracks} to choose from",
    "far": "no music here is quite what you want: the nearest is {words}",
    "mouth_hidden": "the mouth is hidden",
    "eyes_hidden": "the eyes are hidden",
    "cut_off": "a part of the face is outside of the picture",
    "low_score": "this may not be a face",
    "not_playable": "{count} of these songs cannot be played right now",
}
"""Code -> English; `text` is a sentence that somebody else has put into words."""


def say(reason: Reason) -> str:
    """Return a reason, an opening or a note in English, without a full stop.

    A code that is not known is said as it is.
    """
    template = MESSAGES.get(reason.code, reason.code)
    return template.format(**{name: _word(name, value) for name, value in reason.values.items()})


def explain(reasons: Iterable[Reason]) -> str:
    """Return several reasons as one phrase: "bright and lively, 123 bpm, A major"."""
    return ", ".join(map(say, reasons))


def sentence(music: DJSet, pick: Pick) -> str:
    """Return why a set holds a pick: what the set answers, and what the pick is like."""
    return f"{say(music.opening)}: {explain(pick.reasons)}"


def saved(playlist: SavedPlaylist) -> str:
    """Return where a playlist is, and how much of the set is not on it."""
    is_address = playlist.place.startswith("https://")
    where = playlist.place if is_address else f"playlist '{playlist.name}' on {playlist.place}"
    if playlist.songs == playlist.total:
        return where
    return f"{where} with {playlist.songs} of {playlist.total} songs: the others are not there"


def _word(name: str, value: Any) -> Any:
    if name == "words":
        return " and ".join(value)
    if name == "said":
        return ", ".join(value)
    if isinstance(value, int):
        return _Count(value)
    return EMOTIONS.get(value, value) if name == "emotion" else value


class _Count(int):
    def __format__(self, forms: str) -> str:
        one, bar, other = forms.partition("|")
        return (one if self == 1 else other) if bar else super().__format__(forms)
