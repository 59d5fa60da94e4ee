"""Passwords: from the environment of this process, else from the system's keyring.

They are never settings, so that no settings file and no printed settings hold one.
"""

from __future__ import annotations

import os
from typing import Final

from emotion_dj.errors import LoginRequired

SERVICE: Final = "emotion-dj"


def get(name: str) -> str:
    """Return the password called ``name``, as in ``subsonic_password``.

    Raises LoginRequired with what to do.
    """
    variable = f"EMOTION_DJ_{name.upper()}"
    found = os.environ.get(variable) or _from_keyring(name)
    if not found:
        what = name.replace("_", " ")
        msg = f"no {what} is known: set {variable}, or run  keyring set {SERVICE} {name}"
        raise LoginRequired(msg)
    return found


def _from_keyring(name: str) -> str | None:
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to load
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password(SERVICE, name)
    except KeyringError:
        return None
    return found
