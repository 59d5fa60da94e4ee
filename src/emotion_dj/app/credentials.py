"""Passwords and tokens: from the environment, else the system's keyring, else a private file.

They are never settings, so that no settings file and no printed settings hold one.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from platformdirs import user_data_path

from emotion_dj.errors import LoginRequired, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

SERVICE: Final = "emotion-dj"


def get(name: str) -> str:
    """Return the password called ``name``, as in ``subsonic_password``.

    Raises LoginRequired with what to do.
    """
    secret = _lookup(name)
    if not secret:
        what = name.replace("_", " ")
        msg = f"no {what} is known: set {_variable(name)}, or run  keyring set {SERVICE} {name}"
        raise LoginRequired(msg)
    return secret


def has(name: str) -> bool:
    """Tell whether a password is known."""
    return bool(_lookup(name))


def _lookup(name: str) -> str | None:
    return os.environ.get(_variable(name)) or _from_keyring(name) or _from_file().get(name)


def _variable(name: str) -> str:
    return f"EMOTION_DJ_{name.upper()}"


def put(name: str, secret: str) -> str:
    """Keep a secret for later processes; return in words where it is.

    Raises SettingsError where there is neither a keyring nor a folder that can be written.
    """
    keyring, kinds = _keyring()
    if keyring is not None:
        try:
            keyring.set_password(SERVICE, name, secret)
        except kinds:
            pass
        else:
            _write({key: value for key, value in _from_file().items() if key != name})
            return "the system's keyring"
    _write({**_from_file(), name: secret})
    return f"{_file()}, which only you can read, since this system has no keyring"


def forget(name: str) -> None:
    """Remove a secret from the keyring and from the file. Raises SettingsError."""
    keyring, kinds = _keyring()
    if keyring is not None:
        with suppress(kinds):  # it was not there, or there is no keyring
            keyring.delete_password(SERVICE, name)
    _write({key: value for key, value in _from_file().items() if key != name})


def _from_keyring(name: str) -> str | None:
    keyring, kinds = _keyring()
    if keyring is None:
        return None
    try:
        secret: str | None = keyring.get_password(SERVICE, name)
    except kinds:
        return None
    return secret


def _keyring() -> tuple[Any, type[Exception]]:
    """Return the keyring library, or None, and what it raises."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None, Exception
    return keyring, KeyringError


def _file() -> Path:
    return user_data_path("emotion-dj") / "credentials.json"


def _from_file() -> dict[str, str]:
    try:
        return dict(json.loads(_file().read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def _write(secrets: dict[str, str]) -> None:
    """Replace the file, never readable by others for a moment; no secrets, no file."""
    target = _file()
    try:
        if not secrets:
            target.unlink(missing_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name}.{os.getpid()}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(secrets, file)
        new.replace(target)
    except OSError as error:
        msg = f"credentials cannot be kept in {target}: {error.strerror}"
        raise SettingsError(msg) from error
