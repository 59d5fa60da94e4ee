"""Lets in who was paired, before a body is read; guests where they may listen and show a face.

Open to everybody are the files of the page, which hold nothing of the listener's, and the health.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field, replace
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.responses import HTMLResponse, RedirectResponse

from emotion_dj.domain import Listener
from emotion_dj.errors import CatalogueError, PairingRefused
from emotion_dj.pairing import Role
from emotion_dj.web import pairing_page
from emotion_dj.web.middleware import ROOT, refuse
from emotion_dj.web.visit import CURRENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from emotion_dj.pairing import PairedDevice, Pairing

PAIR: Final = "/pair"
SHELL: Final = frozenset({"/", "/index.html"})
OPEN: Final = re.compile(rf"{ROOT}/health|/(?!api/|api$|embed/|index\.html$).+")
"""What everybody is sent: the health, and all files of the page but the page itself."""

STREAM: Final = re.compile(rf"{ROOT}/tracks/([0-9]{{1,16}})/stream")

GUESTS: Final = (
    re.compile(
        rf"GET (/|/index\.html|/embed/.*|{ROOT}/(about|library|library/scan|sources|ready))"
    ),
    re.compile(rf"(GET|HEAD) {ROOT}/tracks(/.*)?|GET {ROOT}/readings/live/.*"),
    re.compile(rf"POST {ROOT}/(readings|sets|playlists/.*)"),
)
"""What guests may ask for. All else is refused, whatever is added to the service."""

LISTENERS: Final = (
    *GUESTS,
    re.compile(rf"POST {ROOT}/(feedback|corrections)|(GET|DELETE) {ROOT}/listener"),
)
"""What listeners who are not the owner may ask for: they have a taste of their own, too."""

READING: Final = f"POST {ROOT}/readings"
COSTLY: Final = re.compile(rf"POST {ROOT}/(readings|sets|playlists/.*)")
"""What a quota counts; readings that come as numbers cost nothing and are not counted."""

KEPT_SECONDS: Final = 400 * 86_400
"""How long browsers keep the cookie: they take no more."""

LONGEST: Final = 200
"""Characters of a code that are looked at."""

LOOKUPS: Final = 4
"""Devices that are looked up at once: where they lie in a database it may be slow to answer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Wraps an ASGI application; all that passes has a device, which `visit.CURRENT` tells."""

    app: ASGIApp
    pairing: Pairing
    quota: int = 0
    """How much that is COSTLY each listener but the owner may ask for in a minute; 0: all."""

    lookups: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(LOOKUPS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it with 401, 403 or the page that pairs."""
        if scope["type"] != "http" or _is_open(scope):
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        try:
            device, answer = await to_thread.run_sync(
                self._look_up, scope, headers, limiter=self.lookups
            )
            wait = await self._wait(scope, headers, device)
        except CatalogueError as error:
            _log.warning("%s", error)
            msg = "Who is let in cannot be looked up now: try again in a moment."
            await refuse(send, 503, "catalogue-error", msg)
            return
        if answer is not None:
            await answer(scope, receive, send)
        elif device is None:
            await self._unpaired(scope, headers, receive, send)
        elif not _may(device, scope):
            await refuse(send, 403, "guest", "This is the owner's to do: ask them.")
        elif wait:
            msg = f"You have had {self.quota} sets and photos in this minute: wait {wait} seconds."
            await refuse(send, 429, "quota", msg, [(b"retry-after", str(wait).encode())])
        else:
            listener = Listener(device.listener)
            CURRENT.set(
                replace(CURRENT.get(), role=device.role, device=device.id, listener=listener)
            )
            await self.app(scope, receive, send)

    def _look_up(
        self, scope: Scope, headers: Mapping[bytes, str]
    ) -> tuple[PairedDevice | None, Response | None]:
        """Return the device that asks, and the answer where it asks to be paired."""
        device = self.pairing.device(self._token(headers)) or self._listener(scope)
        return device, self._pair(scope, headers, device) if _pairs(scope) else None

    async def _wait(
        self, scope: Scope, headers: Mapping[bytes, str], device: PairedDevice | None
    ) -> int:
        """Return for how many seconds a device has to wait, by the quota."""
        if (
            device is None
            or not self.quota
            or device.role is Role.OWNER
            or not _costs(scope, headers)
        ):
            return 0
        return await to_thread.run_sync(
            self.pairing.spend, device, self.quota, limiter=self.lookups
        )

    def _token(self, headers: Mapping[bytes, str]) -> str:
        kind, _, token = headers.get(b"authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return token.strip()
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get(b"cookie", ""))
        except CookieError:
            return ""
        morsel = cookies.get(self.pairing.cookie)
        return self.pairing.token(morsel.value) if morsel else ""

    def _listener(self, scope: Scope) -> PairedDevice | None:
        """Return the device for which a saved playlist's address of a track was made."""
        sound = STREAM.fullmatch(scope["path"])
        key = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]
        return self.pairing.listener(key, int(sound[1])) if sound and key else None

    def _pair(
        self, scope: Scope, headers: Mapping[bytes, str], device: PairedDevice | None
    ) -> Response:
        """Pair a device by the code of its link; one that is paired already goes to the page."""
        if device is not None:
            return RedirectResponse("./", 303)
        code = parse_qs(scope["query_string"].decode("latin-1")).get("code", [""])[0]
        if not code or headers.get(b"sec-purpose", "").startswith("prefetch"):
            return _page(headers, "how", 401)
        name = pairing_page.device_name(headers.get(b"user-agent", ""))
        address = scope["client"][0] if scope["client"] else ""
        try:
            _, token = self.pairing.pair(code[:LONGEST], name=name, address=address)
        except PairingRefused as error:
            return _refused(headers, error)
        return self._let_in(scope, token)

    def _let_in(self, scope: Scope, token: str) -> Response:
        """Set the cookie, without a path: it is that of the page, also below a sub-path."""
        response = RedirectResponse("./", 303)
        response.set_cookie(
            self.pairing.cookie,
            self.pairing.signed(token),
            max_age=KEPT_SECONDS,
            path=None,
            secure=scope["scheme"] == "https",
            httponly=True,
            samesite="lax",
        )
        response.headers["cache-control"] = "no-store"
        return response

    async def _unpaired(
        self, scope: Scope, headers: Mapping[bytes, str], receive: Receive, send: Send
    ) -> None:
        if scope["path"] in SHELL:
            await _page(headers, "how", 401)(scope, receive, send)
            return
        msg = (
            "This device is not paired: open the link that the service printed at its start, or "
            "send the token of a device as  Authorization: Bearer TOKEN."
        )
        await refuse(send, 401, "unpaired", msg, [(b"www-authenticate", b"Bearer")])


def _pairs(scope: Scope) -> bool:
    return (scope["method"], scope["path"]) == ("GET", PAIR)


def _is_open(scope: Scope) -> bool:
    """Tell whether everybody is answered, so that nobody is looked up."""
    return (
        scope["method"] in {"GET", "HEAD"}
        and OPEN.fullmatch(scope["path"]) is not None
        and not _pairs(scope)
    )


def _costs(scope: Scope, headers: Mapping[bytes, str]) -> bool:
    wanted = f"{scope['method']} {scope['path']}"
    numbers = wanted == READING and headers.get(b"content-type", "").startswith("application/json")
    return COSTLY.fullmatch(wanted) is not None and not numbers


def _may(device: PairedDevice, scope: Scope) -> bool:
    wanted = f"{scope['method']} {scope['path']}"
    forms = LISTENERS if device.role is Role.LISTENER else GUESTS
    return device.role is Role.OWNER or any(form.fullmatch(wanted) for form in forms)


def _refused(headers: Mapping[bytes, str], error: PairingRefused) -> Response:
    if error.retry_after:
        response = _page(headers, "wait", 429)
        response.headers["retry-after"] = str(error.retry_after)
        return response
    return _page(headers, "wrong", 401)


def _page(headers: Mapping[bytes, str], what: str, status: int) -> HTMLResponse:
    """Return the page that says how a device is let in, in a language that the browser asks for."""
    page = pairing_page.page(what, headers.get(b"accept-language", ""))
    told = {"content-security-policy": pairing_page.POLICY, "cache-control": "no-store"}
    if status == 401:  # noqa: PLR2004
        told["www-authenticate"] = "Bearer"
    return HTMLResponse(page, status, headers=told)
