"""What notebooks show: a reading as its annotated picture with bars, a set as a table that plays.

Jupyter and its kin ask an object for `_repr_html_`. What they get is complete in itself: pictures
and sound lie inside it, nothing is fetched, no script runs. Colours are those of the page around
it, so it is readable in the light and in the dark. Every text that comes from outside is escaped.
"""

from __future__ import annotations

import weakref
from base64 import b64encode
from dataclasses import dataclass, field, fields
from html import escape
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

from emotion_dj import affect, messages
from emotion_dj.domain import DJSet, PhotoAnalysis
from emotion_dj.errors import EmotionDJError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emotion_dj.domain import Pick, Reading, Track

FACES: Final = 6
"""Faces whose probabilities are drawn; a crowd has more."""

PLAYERS: Final = 20
"""Songs with something to play, about 150 kB each."""

SIDE: Final = 480
"""Pixels of the longer side of the picture."""

NOTICE: Final = "An estimate of the expression, not of the feeling."
_CELL: Final = "padding:.15em .6em;text-align:left;border:0;background:none"
_PLAYER: Final = "height:2em;width:16em"
_FAINT: Final = "opacity:.7;font-size:.9em"


@dataclass(frozen=True, slots=True)
class ShownAnalysis(PhotoAnalysis):
    """A photo analysis that a notebook can show.

    ``photo`` is the path of the photo, or refers to the caller's own array or picture without
    keeping it: no pixel lives longer for being read. Where it is gone, the bars alone are shown.
    """

    photo: Any = field(default=None, compare=False, repr=False)
    bgr: bool = field(default=False, compare=False, repr=False)

    @classmethod
    def of(cls, analysis: PhotoAnalysis, photo: Any, *, bgr: bool = False) -> ShownAnalysis:
        """Return an analysis of a photo as one that can be shown."""
        return cls(analysis.faces, analysis.readings, analysis.affect, _reference(photo), bgr)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as what was seen, without the photo."""
        return PhotoAnalysis, (self.faces, self.readings, self.affect)

    def _repr_html_(self) -> str:
        people = "".join(
            _bars(number, reading) for number, reading in enumerate(self.readings[:FACES], start=1)
        )
        more = len(self.readings) - FACES
        rest = f'<p style="{_FAINT}">and {more} more</p>' if more > 0 else ""
        at = self.affect
        place = f"{' and '.join(affect.describe(at))} (valence {at.valence:+.2f}, "
        place += f"arousal {at.arousal:+.2f}, uncertainty {at.uncertainty:.2f})"
        return (
            f'<div style="display:flex;flex-wrap:wrap;gap:1em">{self._picture()}<div>{people}'
            f'{rest}<p>{escape(place)}</p><p style="{_FAINT}">{NOTICE}</p></div></div>'
        )

    def _picture(self) -> str:
        """Return the annotated picture, or nothing where the photo is not to be had any more."""
        from emotion_dj.vision import annotate

        photo = self.photo() if isinstance(self.photo, weakref.ref) else self.photo
        if photo is None:
            return ""
        try:
            picture = annotate.jpeg(photo, self, side=SIDE, bgr=self.bgr)
        except EmotionDJError:
            return ""
        names = ", ".join(_name(reading) for reading in self.readings)
        source = f"data:image/jpeg;base64,{b64encode(picture).decode()}"
        return f'<img alt="{escape(names)}" src="{source}" style="max-width:100%;height:auto">'


@dataclass(frozen=True, slots=True)
class ShownSet(DJSet):
    """A DJ set that a notebook can show, and play where its songs are files of this machine."""

    @classmethod
    def of(cls, music: DJSet) -> ShownSet:
        """Return a set as one that can be shown."""
        return cls(**{each.name: getattr(music, each.name) for each in fields(DJSet)})

    def _repr_html_(self) -> str:
        opening = messages.say(self.opening).capitalize()
        heads = "".join(f'<th style="{_CELL}">{word}</th>' for word in _HEADS)
        rows = "".join(_row(place, pick) for place, pick in enumerate(self.picks, start=1))
        return (
            f"<p><strong>{escape(opening)}</strong>: {escape(self.plan.name)}, "
            f"{len(self.picks)} songs</p>{_notes(messages.say(note) for note in self.notes)}"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )


_HEADS: Final = ("", "song", "mood", "because it is", "listen")


def _reference(photo: Any) -> Any:
    """Return what leads to a photo and keeps no pixel of it."""
    if isinstance(photo, str | PathLike):
        return photo
    try:
        return weakref.ref(photo)
    except TypeError:  # bytes
        return None


def _name(reading: Reading) -> str:
    return "unsure" if reading.abstained else f"looks {messages.EMOTIONS[reading.emotion]}"


def _bars(number: int, reading: Reading) -> str:
    """Return one face: what it looks like, and a bar for each emotion, the likeliest first."""
    ranked = sorted(reading.probabilities.items(), key=lambda item: -item[1])
    rows = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:normal">'
        f'{messages.EMOTIONS[emotion]}</th><td style="{_CELL}"><div style="width:8em">'
        f'<div style="width:{100 * share:.1f}%;height:.7em;background:currentColor;opacity:.6">'
        f'</div></div></td><td style="{_CELL};text-align:right">{share:.1%}</td></tr>'
        for emotion, share in ranked
    )
    unsure = ", ".join(messages.say(reason) for reason in reading.reasons)
    because = f' <span style="{_FAINT}">({escape(unsure)})</span>' if unsure else ""
    caption = f"<strong>Face {number}</strong> {_name(reading)}{because}"
    return f'<table><caption style="text-align:left">{caption}</caption>{rows}</table>'


def _notes(notes: Iterable[str]) -> str:
    return "".join(f'<p style="{_FAINT}">{escape(note)}</p>' for note in notes)


def _row(place: int, pick: Pick) -> str:
    named = " — ".join(part for part in (pick.track.title, ", ".join(pick.track.artists)) if part)
    sound = _player(pick.track) if place <= PLAYERS else ""
    why = messages.explain(pick.reasons)
    cells = (str(place), escape(named), pick.mood.value, escape(why), sound)
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _player(track: Track) -> str:
    """Return a player of some seconds of a song that is a file here; nothing for any other."""
    from emotion_dj.music import excerpt

    if track.path is None:
        return ""
    try:
        sound = b64encode(excerpt.mp3(track.section or track.path)).decode()
    except EmotionDJError:
        return ""
    label = escape(f"Listen to {track.title}")
    source = f"data:audio/mpeg;base64,{sound}"
    start = f'<audio controls style="{_PLAYER}" aria-label="{label}" src="{source}">'
    return f"{start}</audio>"
