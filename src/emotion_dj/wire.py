"""The JSON forms of what is seen and played, the same on the command line and over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from emotion_dj.domain import Affect, Face, Look, Pick, Reading, Set

_DIGITS: Final = 4


def look_json(look: Look) -> dict[str, Any]:
    """Return {"faces": [...], "affect": {...}, "model": id}, faces largest first."""
    pairs = zip(look.faces, look.readings, strict=True)
    return {
        "faces": [face_json(face, reading) for face, reading in pairs],
        "affect": affect_json(look.affect),
        "model": look.readings[0].model,
    }


def face_json(face: Face, reading: Reading) -> dict[str, Any]:
    """Return one face: its box in pixels, its detection score and its seven probabilities."""
    return {
        "box": [round(value) for value in face.box],
        "score": round(face.score, _DIGITS),
        "emotion": reading.emotion.value,
        "abstained": reading.abstained,
        "emotions": {e.value: round(p, _DIGITS) for e, p in reading.probabilities.items()},
    }


def affect_json(affect: Affect) -> dict[str, float]:
    """Return {"valence", "arousal", "spread"}."""
    return {
        "valence": round(affect.valence, _DIGITS),
        "arousal": round(affect.arousal, _DIGITS),
        "spread": round(affect.spread, _DIGITS),
    }


def set_json(music: Set) -> dict[str, Any]:
    """Return {"plan", "affect", "path", "picks", "notes"}, picks in playing order."""
    return {
        "plan": music.plan.name,
        "affect": affect_json(music.affect),
        "path": [affect_json(point) for point in music.path],
        "picks": [pick_json(pick) for pick in music.picks],
        "notes": list(music.notes),
    }


def pick_json(pick: Pick) -> dict[str, Any]:
    """Return one pick: what it is, where it stands on the plane, and why it was chosen."""
    return {
        "uri": pick.track.uri,
        "title": pick.track.title,
        "artists": list(pick.track.artists),
        "album": pick.track.album,
        "duration": pick.track.duration,
        "affect": affect_json(pick.affect),
        "mood": pick.mood.value,
        "tempo": pick.tempo,
        "key": pick.key,
        "mode": pick.mode,
        "score": round(pick.score, _DIGITS),
        "reason": pick.reason,
    }
