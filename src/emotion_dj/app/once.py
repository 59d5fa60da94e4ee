"""A property that is made once, whoever asks first."""

from __future__ import annotations

from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    once = cached_property  # the same to whoever reads the value
else:

    class once(cached_property):  # noqa: N801 - a decorator, as cached_property is
        """A cached property that threads may ask for at once.

        `functools.cached_property` itself has no lock any more from Python 3.12 on, so that two
        threads would open the catalogue twice, or load the networks twice.
        """

        def __init__(self, make: Callable[[Any], Any]) -> None:
            super().__init__(make)
            self._lock = RLock()

        def __get__(self, instance: object, owner: type | None = None) -> object:
            """Return the value of an instance, made the first time."""
            with self._lock:
                return super().__get__(instance, owner)
