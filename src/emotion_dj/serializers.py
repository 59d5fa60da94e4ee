"""The JSON forms of what is seen and played, the same on the command line and over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj import affect, messages
from emotion_dj.domain import Box, Emotion, Face, Reading, Reason
from emotion_dj.eligibility import left_out, sounds_spoken
from emotion_dj.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.domain import Affect, Analysis, DJSet, PhotoAnalysis, Pick, Track
    from emotion_dj.json_types import Json, JsonObject

_DIGITS: Final = 4


def photo_analysis_json(look: PhotoAnalysis) -> JsonObject:
    """Return {"faces": [...], "affect": {...}, "model": id}, faces largest first."""
    pairs = zip(look.faces, look.readings, strict=True)
    return {
        "faces": [face_json(face, reading) for face, reading in pairs],
        "affect": affect_json(look.affect),
        "model": look.readings[0].model,
    }


def parse_faces(faces: Sequence[Mapping[str, Json]]) -> tuple[list[Face], list[Reading]]:
    """Return what the faces of a `photo_analysis_json` came from: a client may send it back.

    Each face has ``box`` (4 numbers) and ``emotions`` (any spelling -> probability); an emotion
    that is left out has probability 0. Raises LabelError, and DataError where nothing is probable.
    """
    seen = [Face(Box(*map(float, face["box"])), 1.0) for face in faces]
    return seen, [_reading(face) for face in faces]


def _reading(face: Mapping[str, Json]) -> Reading:
    given = {affect.parse_emotion(name): float(p) for name, p in face["emotions"].items()}
    total = sum(given.values())
    if not total > 0:
        msg = "the emotions of a face need at least one probability above 0"
        raise DataError(msg)
    probabilities = {emotion: given.get(emotion, 0.0) / total for emotion in Emotion}
    reasons = tuple(Reason(str(reason.get("code"))) for reason in face.get("reasons") or ())
    abstained = bool(face.get("abstained"))
    return Reading(probabilities, model="sent back", abstained=abstained, reasons=reasons)


def face_json(face: Face, reading: Reading) -> JsonObject:
    """Return one face: its box in pixels, its detection score and its seven probabilities.

    ``turned`` is by how many degrees clockwise the photo has to be turned to set it upright;
    ``reasons`` are the codes of what makes the reading less certain.
    """
    return {
        "box": [round(value) for value in face.box],
        "score": round(face.score, _DIGITS),
        "turned": face.turned,
        "emotion": reading.emotion.value,
        "abstained": reading.abstained,
        "emotions": {e.value: round(p, _DIGITS) for e, p in reading.probabilities.items()},
        "reasons": [reason_json(reason) for reason in reading.reasons],
    }


def affect_json(affect: Affect) -> dict[str, float]:
    """Return {"valence", "arousal", "uncertainty"}."""
    return {
        "valence": round(affect.valence, _DIGITS),
        "arousal": round(affect.arousal, _DIGITS),
        "uncertainty": round(affect.uncertainty, _DIGITS),
    }


def entry_json(track: Track, analysis: Analysis) -> JsonObject:
    """Return one track of the catalogue with all that is known of it, flat as a table wants it.

    The column ``valence`` is Spotify's, in [0, 1]; where the track stands on the plane is
    ``plane_valence`` and ``plane_arousal``, each in [-1, 1]. ``left_out`` is a code, of why it is
    not in sets.
    """
    vector = np.asarray(analysis.embedding, np.float32)
    (spoken,) = sounds_spoken([analysis.features.analyser], [vector])
    code = left_out(track.uri, track.duration, track.genres, spoken=spoken)
    measured = {
        name: None if value is None else round(value, _DIGITS)
        for name, value in asdict(analysis.features).items()
        if name != "analyser"
    }
    return {
        "uri": track.uri,
        "title": track.title,
        "left_out": None if code is None else {"code": code},
        "artists": list(track.artists),
        "album": track.album,
        "isrc": track.isrc,
        "mbid": track.mbid,
        "genres": list(track.genres),
        "year": track.year,
        "duration_ms": None if track.duration is None else round(1000 * track.duration),
        "mood": affect.mood(analysis.affect).value,
        "plane_valence": round(analysis.affect.valence, _DIGITS),
        "plane_arousal": round(analysis.affect.arousal, _DIGITS),
        "uncertainty": round(analysis.affect.uncertainty, _DIGITS),
        "analyser": analysis.features.analyser,
        **measured,
    }


def set_json(music: DJSet) -> JsonObject:
    """Return {"plan", "affect", "path", "opening", "picks", "notes"}, picks in playing order.

    ``opening`` and each note are a code with its values, and ``text``, the same in English.
    """
    return {
        "plan": music.plan.name,
        "affect": affect_json(music.affect),
        "path": [affect_json(point) for point in music.path],
        "opening": _said(music.opening),
        "picks": [
            {**pick_json(pick), "reason": messages.sentence(music, pick)} for pick in music.picks
        ],
        "notes": [_said(note) for note in music.notes],
    }


def reason_json(reason: Reason) -> JsonObject:
    """Return {"code", and its values}."""
    return {"code": reason.code, **reason.values}


def _said(reason: Reason) -> JsonObject:
    return {**reason_json(reason), "text": messages.say(reason)}


def track_json(track: Track) -> JsonObject:
    """Return what is known of a track."""
    return {
        "uri": track.uri,
        "title": track.title,
        "artists": list(track.artists),
        "album": track.album,
        "duration": track.duration,
    }


def pick_json(pick: Pick) -> JsonObject:
    """Return one pick: what it is, where it stands on the plane, and the codes of why."""
    return {
        **track_json(pick.track),
        "affect": affect_json(pick.affect),
        "mood": pick.mood.value,
        "tempo": pick.tempo,
        "key": pick.key,
        "mode": pick.mode,
        "loudness": pick.loudness,
        "score": round(pick.score, _DIGITS),
        "reasons": [reason_json(reason) for reason in pick.reasons],
    }
