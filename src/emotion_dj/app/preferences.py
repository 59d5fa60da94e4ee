"""What listeners make of candidates, computed again only where their log or the music changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from emotion_dj import taste
from emotion_dj.domain import ME, Candidates, Listener, Preferences

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from emotion_dj.stores import FeedbackStore

    State = tuple[int, date]
    Models = WeakKeyDictionary[Candidates, dict[Listener, tuple[State, taste.TasteModel]]]
    Values = WeakKeyDictionary[Candidates, dict[Listener, tuple[taste.TasteModel, Preferences]]]


class PreferenceCache:
    """Keeps each listener's model and preferences for as long as the candidates are kept."""

    def __init__(
        self, open_store: Callable[[], FeedbackStore], clock: Callable[[], datetime]
    ) -> None:
        """Take what opens the store of all listeners' logs, and what tells the time: what was
        played is forgotten day by day.
        """
        self._open_store, self._clock = open_store, clock
        self._models: Models = WeakKeyDictionary()
        self._values: Values = WeakKeyDictionary()

    def of(self, part: Candidates, everything: Candidates, listener: Listener = ME) -> Preferences:
        """Return what a listener makes of part of everything, from all of which is learnt.

        Raises CatalogueError.
        """
        model = self._model(everything, listener)
        values = self._values.setdefault(part, {})
        if listener not in values or values[listener][0] is not model:
            values[listener] = model, model.of(part)
        return values[listener][1]

    def _model(self, everything: Candidates, listener: Listener) -> taste.TasteModel:
        store, now = self._open_store(), self._clock()
        state = store.feedback_revision(listener), now.date()
        models = self._models.setdefault(everything, {})
        if listener not in models or models[listener][0] != state:
            models[listener] = state, taste.of_listener(store, everything, listener, now=now)
        return models[listener][1]
