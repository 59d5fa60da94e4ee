"""Logging in to Spotify: Authorization Code with PKCE on a loopback address, and the tokens.

There is no client secret. The listener's browser brings the code back to a server of ours that
listens on 127.0.0.1 for this one answer; RFC 7636 and RFC 8252 say why.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from emotion_dj.errors import LoginRequired, SourceError
from emotion_dj.sources.http import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emotion_dj.json_types import JsonObject

SCOPES: Final = (
    *("user-read-private", "playlist-read-private", "user-library-read"),
    *("playlist-modify-private", "user-modify-playback-state", "user-read-playback-state"),
)
"""To know whose playlists these are, read them, read saved tracks, write a set, start it, and know
the devices on which it can be started."""

PORT: Final = 8898
WAIT_S: Final = 300.0
EARLY_S: Final = 60.0
"""An access token is renewed so long before its end, so that none ends on its way."""

AGAIN: Final = "Spotify asks you to log in: run  emotion-dj login spotify"
DONE: Final = "<!doctype html><title>Emotion-DJ</title><p>Go back to emotion-dj and close this."
REFUSED: Final = "<!doctype html><title>Emotion-DJ</title><p>This login was refused."


class Session:
    """The listener's tokens: a callable that returns a bearer token, renewed where it is due.

    ``load`` returns what ``save`` was given last, by whichever process, or raises LoginRequired.
    """

    def __init__(
        self,
        accounts: str,
        client_id: str,
        load: Callable[[], str],
        save: Callable[[str], str],
    ) -> None:
        """Keep where tokens come from; nothing is read yet."""
        self._client = Client("Spotify's login", accounts, explain=_explain)
        self._client_id, self._load, self._save = client_id, load, save
        self._tokens: JsonObject = {}
        self._lock = threading.Lock()

    def __call__(self, not_allowed: str) -> str:
        """Return an access token other than the one that was refused. Raises LoginRequired."""
        with self._lock:
            if not self._fits(not_allowed):
                self._tokens = _parsed(self._load())  # another process may have renewed it
            if not self._fits(not_allowed):
                self._renew(not_allowed)
            return str(self._tokens["access"])

    def begin(self, open_browser: Callable[[str], object], *, port: int = PORT) -> str:
        """Log the listener in through a browser; ``open_browser`` is given the address to open.

        Returns in words where the tokens are kept. Raises LoginRequired where the listener refuses
        or does not come back in WAIT_S.
        """
        verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        with _loopback(port, state) as (redirect, answers):
            query = {
                "response_type": "code",
                "client_id": self._client_id,
                "scope": " ".join(SCOPES),
                "code_challenge_method": "S256",
                "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "redirect_uri": redirect,
                "state": state,
            }
            open_browser(f"{self._client.address}/authorize?{urlencode(query)}")
            code = _code(answers)
        return self._take(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect,
                "code_verifier": verifier,
            }
        )

    def _fits(self, not_allowed: str) -> bool:
        access = self._tokens.get("access")
        return bool(access) and access != not_allowed and time.time() < self._tokens["expires"]

    def _renew(self, not_allowed: str) -> None:
        try:
            self._take({"grant_type": "refresh_token", "refresh_token": self._tokens["refresh"]})
        except LoginRequired:
            self._tokens = _parsed(self._load())  # another process was first: its token counts
            if not self._fits(not_allowed):
                raise

    def _take(self, grant: dict[str, str]) -> str:
        """Exchange a grant for tokens; a refresh token that is not renewed stays.

        Returns where they are kept. Raises LoginRequired or another SourceError.
        """
        form = {**grant, "client_id": self._client_id}
        answer = self._client.send("POST", "api/token", form=form)
        try:
            self._tokens = {
                "access": str(answer["access_token"]),
                "refresh": str(answer.get("refresh_token") or self._tokens["refresh"]),
                "expires": time.time() + float(answer.get("expires_in", 3600)) - EARLY_S,
            }
        except (LookupError, TypeError, ValueError, AttributeError):
            msg = "Spotify's login answered without a token: try again later"
            raise SourceError(msg) from None
        return self._save(json.dumps(self._tokens))


def _explain(code: int, reason: str) -> SourceError | None:
    """Say what a refused grant means: the login has ended, or the application is not known."""
    if reason == "invalid_client":
        return LoginRequired("Spotify does not know the id in EMOTION_DJ_SPOTIFY_CLIENT_ID")
    return LoginRequired(AGAIN) if 400 <= code < 429 else None  # noqa: PLR2004 - HTTP's errors


def _parsed(text: str) -> JsonObject:
    try:
        kept = json.loads(text)
        return {
            "access": str(kept["access"]),
            "refresh": str(kept["refresh"]),
            "expires": float(kept["expires"]),
        }
    except (ValueError, LookupError, TypeError):
        raise LoginRequired(AGAIN) from None


def _code(answers: queue.Queue[dict[str, str]]) -> str:
    """Wait for the browser to come back; return the code that it brings."""
    try:
        answer = answers.get(timeout=WAIT_S)
    except queue.Empty:
        msg = "nobody came back from the login page: run  emotion-dj login spotify  again"
        raise LoginRequired(msg) from None
    if "code" not in answer:
        msg = "the login was refused: allow it on Spotify's page to go on"
        raise LoginRequired(msg)
    return answer["code"]


@contextmanager
def _loopback(port: int, state: str) -> Iterator[tuple[str, queue.Queue[dict[str, str]]]]:
    """Listen on 127.0.0.1 for the one redirect that carries our state.

    Give the address to come back to, and where the answer appears. Raises SourceError where the
    port is taken. Whatever else asks is refused and changes nothing.
    """
    answers: queue.Queue[dict[str, str]] = queue.Queue(maxsize=1)

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # browsers open connections that they never use

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            told = query.pop("state", "").encode()
            ours = parts.path == "/callback" and hmac.compare_digest(told, state.encode())
            self._say(200 if ours else 400, DONE if ours and "code" in query else REFUSED)
            if ours and not answers.full():
                answers.put(query)

        def _say(self, code: int, page: str) -> None:
            self.send_response(code)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(page.encode())))
            self.send_header("referrer-policy", "no-referrer")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing: the address that was asked holds the code."""

    try:
        site = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        msg = f"port {port} is taken, on which the login comes back: choose another with --port"
        raise SourceError(msg) from error
    with site:
        threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{site.server_port}/callback", answers
        finally:
            site.shutdown()
