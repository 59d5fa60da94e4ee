"""Answers that a service allows to be used again, for as long as it allows it (RFC 9111).

They stay in memory, of this process alone, so that a logout leaves nothing behind on disk.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 4_000_000
"""Bytes of answers that are kept; the oldest go first."""

LONGEST: Final = 3600.0
"""Seconds: no answer is used for longer, whatever a service says."""

_MAX_AGE: Final = re.compile(r"\bmax-age=(\d{1,9})\b")


class Cache:
    """Bodies by address and credentials: what one account may see is never told to another."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: OrderedDict[tuple[str, str], tuple[float, bytes]] = OrderedDict()

    def __reduce__(self) -> tuple[type[Cache], tuple[()]]:
        """Travel to a worker process empty."""
        return Cache, ()

    def get(self, address: str, credentials: str) -> bytes | None:
        """Return a body that is still good, None where there is none."""
        until, body = self._kept.get((address, credentials), (0.0, b""))
        return body if time.monotonic() < until else None

    def keep(self, address: str, credentials: str, told: Mapping[str, str], body: bytes) -> None:
        """Keep a body for as long as the headers that came with it allow, if they do."""
        seconds = allowed(told)
        if seconds <= 0 or len(body) > MOST // 4:
            return
        self._kept[address, credentials] = (time.monotonic() + seconds, body)
        self._kept.move_to_end((address, credentials))
        while sum(len(kept) for _, kept in self._kept.values()) > MOST:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, since something was changed."""
        self._kept.clear()


def allowed(told: Mapping[str, str]) -> float:
    """Return the seconds for which headers (names in lower case) allow a body to be used."""
    control = told.get("cache-control", "").lower()
    if re.search(r"\bno-(store|cache)\b", control) or told.get("vary", "") == "*":
        return 0.0
    if found := _MAX_AGE.search(control):
        seconds = float(found[1]) - _number(told.get("age"))
    else:
        seconds = date(told.get("expires")) - (date(told.get("date")) or time.time())
    return max(0.0, min(seconds, LONGEST))


def date(text: str | None) -> float:
    """Return the POSIX time of a date in a header, 0 where it is none."""
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _number(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0
