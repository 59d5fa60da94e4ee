"""Sources of other authors: what is installed under the entry-point group `emotion_dj.sources`.

Such an entry is a callable without arguments that returns a source, a sink, a player, or what is
several of them; docs/plugins.md tells how.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.errors import EmotionDJError, SourceError
from emotion_dj.interfaces import Player, Sink, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP: Final = "emotion_dj.sources"
VERBS: Final = ("name", "tracks", "describe")


def entry_points_by_name() -> Mapping[str, EntryPoint]:
    """Return the plug-ins that are installed, by name, without loading one."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def make(entry: EntryPoint) -> Any:
    """Load a plug-in and return what it made. Raises its own error of ours, or SourceError."""
    try:
        made = entry.load()()
    except EmotionDJError:
        raise
    except Exception as error:
        msg = f"the plug-in {display_name(entry)} does not load ({error}): update or remove it"
        raise SourceError(msg) from error
    if not isinstance(made, Source | Sink | Player):
        missing = ", ".join(verb for verb in VERBS if not hasattr(made, verb))
        msg = f"the plug-in {display_name(entry)} has no {missing}: it is no source of music"
        raise SourceError(msg)
    return made


def display_name(entry: EntryPoint) -> str:
    """Return the name of a plug-in with the distribution that it comes from."""
    return f"{entry.name} ({entry.dist.name} {entry.dist.version})" if entry.dist else entry.name
