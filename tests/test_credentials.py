"""Where secrets are kept: the environment, the keyring, a file that only the user may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emotion_dj.app import credentials
from emotion_dj.errors import LoginRequired


def test_secrets_are_kept_in_a_private_file_where_there_is_no_keyring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the user may read it; the environment wins; forgotten is gone."""
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())
    where = Path(credentials.put("spotify_tokens", "one").split(",")[0])
    assert where.stat().st_mode & 0o777 == 0o600
    assert credentials.get("spotify_tokens") == "one"
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", "two")
    assert credentials.get("spotify_tokens") == "two"
    monkeypatch.delenv("EMOTION_DJ_SPOTIFY_TOKENS")
    credentials.forget("spotify_tokens")
    assert not where.exists()
    with pytest.raises(LoginRequired):
        credentials.get("spotify_tokens")


def test_secrets_are_kept_in_the_keyring_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the keyring keeps is in no file; forgotten, once or twice, it is gone."""
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordDeleteError

    class InMemory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def __init__(self) -> None:
            self.kept: dict[tuple[str, str], str] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            if self.kept.pop((service, username), None) is None:
                raise PasswordDeleteError

    monkeypatch.setattr(keyring.core, "_keyring_backend", InMemory())
    assert credentials.put("spotify_tokens", "one") == "the system's keyring"
    assert credentials.get("spotify_tokens") == "one"
    credentials.forget("spotify_tokens")
    credentials.forget("spotify_tokens")
    with pytest.raises(LoginRequired):
        credentials.get("spotify_tokens")
    assert not list(Path(os.environ["HOME"]).rglob("credentials.json"))
