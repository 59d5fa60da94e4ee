"""How long to wait for a service: what it asks, what is polite, what later processes must know."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Final

from platformdirs import user_cache_path

from emotion_dj.artifacts import write_atomically
from emotion_dj.sources.cache import date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST: Final = 7 * 86_400.0
"""Seconds: nobody is believed who asks for a longer wait than this."""


def asked(headers: Mapping[str, str]) -> float:
    """Return the seconds that an answer asks to wait, 0 where it does not say.

    It says so in seconds, or as a date (RFC 9110, 10.2.3).
    """
    told = headers.get("retry-after", "0")
    try:
        seconds = float(told)
    except ValueError:
        seconds = date(told) - time.time()
    return min(max(0.0, seconds), LONGEST)


def jitter(tries: int) -> float:
    """Full jitter: everything between nothing and a limit that doubles with each try."""
    return random.uniform(0, 0.25 * 2**tries)  # noqa: S311 - not a secret


def spelt(seconds: float) -> str:
    """Say a duration in the unit that a person would use, never rounded down."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds > 2 * size:
            return f"{-int(-seconds // size)} {unit}"
    return f"{-int(-seconds // 1)} s"


def until(host: str) -> float:
    """Return the POSIX time until which some process was told not to ask, 0 where none was."""
    try:
        return float(json.loads(_notes().read_bytes())[host])
    except (OSError, ValueError, LookupError, TypeError):
        return 0.0


def remember(host: str, end: float) -> None:
    """Keep for later processes until when a host is not asked, as far as the disk allows."""
    try:
        kept = {k: v for k, v in json.loads(_notes().read_bytes()).items() if v > time.time()}
    except (OSError, ValueError, AttributeError, TypeError):
        kept = {}
    try:
        write_atomically(_notes(), json.dumps({**kept, host: end}).encode())
    except OSError:
        return


def _notes() -> Path:
    return user_cache_path("emotion-dj") / "cooldowns.json"
