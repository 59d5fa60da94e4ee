"""Who is let into the Spotify to test against: its login by PKCE, and the tokens it gives."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from emotion_dj.json_types import JsonObject

CLIENT_ID: Final = "emotion-dj-test"
CANARY: Final = "canary"
"""Every token and code begins with it."""


class Accounts:
    """Logins and tokens, as hard as the real ones.

    ``allows`` is what the listener answers at the login page, ``logins`` the addresses at which it
    was opened, ``token_lasts`` how many requests an access token survives.
    """

    def __init__(self) -> None:
        self.allows = True
        self.token_lasts = 1_000_000
        self.logins: list[str] = []
        self._access: dict[str, tuple[int, frozenset[str]]] = {}
        self._refresh: dict[str, frozenset[str]] = {}
        self._codes: dict[str, dict[str, str]] = {}

    def grant(self, *scopes: str) -> JsonObject:
        """Return new tokens as the login would, with those scopes."""
        access, refresh = (
            f"{CANARY}-{kind}-{secrets.token_hex(8)}" for kind in ("access", "refresh")
        )
        granted = frozenset(scopes)
        self._access[access], self._refresh[refresh] = (self.token_lasts, granted), granted
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": " ".join(scopes),
        }

    def revoke(self) -> None:
        """End every access token and every login."""
        self._access.clear()
        self._refresh.clear()

    def used(self, token: str) -> frozenset[str] | None:
        """Count a request with a token; return its scopes, None where it is none or over."""
        left, scopes = self._access.get(token, (0, frozenset()))
        if not left:
            return None
        self._access[token] = (left - 1, scopes)
        return scopes

    async def authorize(self, request: Request) -> Response:
        """Answer as the login page does once the listener has pressed a button."""
        from starlette.responses import PlainTextResponse, RedirectResponse

        query = dict(request.query_params)
        self.logins.append(str(request.url))
        redirect = urlsplit(query.get("redirect_uri", ""))
        known = (
            query.get("client_id") == CLIENT_ID
            and query.get("response_type") == "code"
            and query.get("code_challenge_method") == "S256"
            and (redirect.scheme, redirect.hostname) == ("http", "127.0.0.1")
        )
        if not known:
            return PlainTextResponse("INVALID_CLIENT: Invalid redirect URI", 400)
        code = f"{CANARY}-code-{secrets.token_hex(8)}"
        self._codes[code] = query
        told = {"code": code} if self.allows else {"error": "access_denied"}
        told["state"] = query["state"]
        return RedirectResponse(f"{redirect.geturl()}?{urlencode(told)}", 302)

    async def token(self, request: Request) -> Response:
        """Give tokens for a code or a refresh token."""
        from starlette.responses import JSONResponse

        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        scopes = self._exchanged(form)
        if scopes is None:
            return JSONResponse({"error": "invalid_grant", "error_description": "no"}, 400)
        return JSONResponse(self.grant(*scopes))

    def _exchanged(self, form: dict[str, str]) -> frozenset[str] | None:
        """Return the scopes that a code or a refresh token stands for; each works once."""
        if form.get("client_id") != CLIENT_ID:
            return None
        if form.get("grant_type") == "refresh_token":
            return self._refresh.pop(form.get("refresh_token", ""), None)
        asked = self._codes.pop(form.get("code", ""), {})
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not asked or asked["code_challenge"] != challenge:
            return None
        if asked["redirect_uri"] != form.get("redirect_uri"):
            return None
        return frozenset(asked["scope"].split())
