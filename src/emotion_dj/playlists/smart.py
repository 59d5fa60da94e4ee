"""A set's wish as a smart playlist of Navidrome: a rule over tags, not a list of songs.

Navidrome reads the file from its music folder and picks anew by what `analyse --tags` wrote: MOOD
and BPM. Fields and operators: navidrome.org/docs/usage/features/smart-playlists.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from emotion_dj import affect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from emotion_dj.domain import DJSet, Reason
    from emotion_dj.json_types import JsonObject

_COMMENT: Final = "By the tags MOOD and BPM that emotion-dj analyse --tags writes"
_DAY: Final = "1d"
"""So long Navidrome keeps the songs that it chose at random; by itself it would be seconds."""


def nsp(
    music: DJSet,
    _seen_from: Path | None = None,
    _explain: Callable[[Sequence[Reason]], str] | None = None,
) -> bytes:
    """Return a rule for as many songs of the moods, and at the tempos, that a set goes through."""
    moods = list(dict.fromkeys(affect.mood(point) for point in music.path or (music.affect,)))
    wanted: list[JsonObject] = [{"is": {"mood": mood.value.capitalize()}} for mood in moods]
    rule = {
        "name": f"Emotion-DJ: {', '.join(moods)}",
        "comment": _COMMENT,
        "all": [*(wanted if len(wanted) == 1 else [{"any": wanted}]), *_tempos(music)],
        "sort": "random",
        "limit": len(music.picks),
        "refreshDelay": _DAY,
    }
    return (json.dumps(rule, ensure_ascii=False, indent=2) + "\n").encode()


def _tempos(music: DJSet) -> list[JsonObject]:
    """Return the condition on beats a minute; none where a tempo is not known."""
    tempos = [round(pick.tempo) for pick in music.picks if pick.tempo]
    is_known = tempos and len(tempos) == len(music.picks)
    return [{"inTheRange": {"bpm": [min(tempos), max(tempos)]}}] if is_known else []
