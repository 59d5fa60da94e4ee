"""What the replicas of one service tell each other, where they share a database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emotion_dj.app.settings import Settings

    Publish = Callable[[str, str], None]


@contextmanager
def connected(settings: Settings, heard: Publish) -> Iterator[Publish]:
    """Give what sends a text under a topic to all other replicas, for the block; it never waits.

    What they send is ``heard``, in another thread. Over a catalogue that is a file there are none.
    """
    from emotion_dj.catalogue.backends import is_shared

    if not is_shared(settings.database):
        yield lambda _topic, _text: None
        return
    from emotion_dj.catalogue.backends.messages import Messages
    from emotion_dj.catalogue.backends.postgres import PostgreSQL

    with Messages(PostgreSQL(settings.database), heard) as messages:
        yield messages.publish
