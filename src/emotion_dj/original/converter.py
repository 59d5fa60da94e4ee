"""The two functions that Emotion-DJ began with, for a playlist on Spotify.

They ask once for each page of the playlist and once for each hundred tracks that are not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emotion_dj import affect
from emotion_dj.app import EmotionDJ

if TYPE_CHECKING:
    from emotion_dj.domain import Mood, Track
    from emotion_dj.json_types import JsonObject


def playlist_track_classifier(playlist: str, *, dj: EmotionDJ | None = None) -> list[JsonObject]:
    """Return the tracks of a playlist (an id, uri or address), in its order, with their moods.

    Each has id, name, artist, album, preview_url and mood, which is None where nothing tells how
    the track sounds. Raises SettingsError or a SourceError.
    """
    dj = dj or EmotionDJ()
    spotify = dj.services.spotify
    tracks = list(spotify.playlist(playlist))
    moods = dj.library.moods(tracks, spotify)
    return [_row(track, moods.get(track.uri)) for track in tracks]


def converter(emotion: str, playlist: str, *, dj: EmotionDJ | None = None) -> list[JsonObject]:
    """Return those tracks of a playlist whose mood is the one nearest to an emotion.

    Any usual spelling of the emotion will do. Raises LabelError, SettingsError or a SourceError.
    """
    wanted = affect.mood(affect.of_emotion(affect.parse_emotion(emotion)))
    return [row for row in playlist_track_classifier(playlist, dj=dj) if row["mood"] == wanted]


def _row(track: Track, mood: Mood | None) -> JsonObject:
    return {
        "id": track.uri.rpartition(":")[2],
        "name": track.title,
        "artist": ", ".join(track.artists),
        "album": track.album,
        "preview_url": track.media.location if track.media else None,
        "mood": None if mood is None else mood.value,
    }
