"""One HTTP client under all sources: patient where it helps, never more than is polite.

Only GET is repeated, at most TRIES times, after what the server asks or a growing random pause; a
server that asks for longer than PATIENCE is believed and not asked again before that time, by no
later process either. What a service allows to be used again is not asked for twice. A bearer token
that is refused is renewed once. No message and no log holds a token or an address's query, where
some services want theirs.
"""

from __future__ import annotations

import json
import logging
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx

from emotion_dj import __version__
from emotion_dj.errors import LoginRequired, NotAvailable, RateLimited, SourceError
from emotion_dj.sources import waiting
from emotion_dj.sources.cache import Cache

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Iterator, Mapping

    from emotion_dj.json_types import Json

    Token = Callable[[str], str]
    Explain = Callable[[int, str], SourceError | None]

_Taken = TypeVar("_Taken")

TRIES: Final = 3
PATIENCE: Final = 8.0
"""Seconds: a longer Retry-After fails at once, with the time when a new try makes sense."""

TIMEOUT = httpx.Timeout(20, connect=5)
DEADLINE: Final = 60.0
"""Seconds within which the whole of an answer must have come, however slowly it drips."""

MAX_JSON: Final = 16_000_000
MAX_AUDIO: Final = 300_000_000
MAX_PICTURE: Final = 8_000_000
MAX_FAULT: Final = 64_000
AGENT: Final = f"emotion-dj/{__version__}"
PASSING: Final = frozenset({429, 500, 502, 503, 504})
QUOTA: Final = "QUOTA_EXCEEDED"
"""The reason by which Spotify says that no waiting helps."""


class Client:
    """Asks one service.

    ``name`` is how messages call it. ``token`` returns a token other than the one given to it: the
    one that was just refused, or ""; ``scheme`` is how it is sent. ``explain`` may know better than
    this client what a status code means with the reason that came with it. ``hosts`` are those to
    which the service may point besides its own.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        token: Token | None = None,
        scheme: str = "Bearer {}",
        explain: Explain | None = None,
        hosts: Collection[str] = (),
    ) -> None:
        """Keep the address; nothing is opened yet."""
        self.name, self.address = name, address.rstrip("/")
        self._host = urlsplit(self.address).netloc.rpartition("@")[2]
        self._token, self._scheme, self._explain = token, scheme, explain
        self._hosts = {self._host, *hosts}
        self._cache = Cache()

    def get(self, path: str, query: Mapping[str, Json], *, once: bool = False) -> Json:
        """Return the JSON answer of a GET, or one from before that is still good.

        ``once`` is for services where a GET changes something: it is not repeated. Raises a
        SourceError that fits.
        """
        if once:
            self._cache.clear()
        return self._ask("GET", path, 1 if once else TRIES, params=dict(query) or None)

    def send(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        path: str,
        *,
        document: Json = None,
        form: Mapping[str, str] | None = None,
    ) -> Json:
        """Return the JSON answer, None where it is empty, of a request that is never repeated,
        since it may have been obeyed. Raises a SourceError that fits.
        """
        self._cache.clear()
        return self._ask(method, path, 1, json=document, data=form)

    def query_of(self, link: str) -> dict[str, str]:
        """Return the query of an address that the service handed us, to be asked of the service.

        Raises SourceError where the address leads elsewhere.
        """
        try:
            parts = urlsplit(link)
        except ValueError:
            parts = urlsplit("")
        if parts.netloc not in self._hosts:
            msg = f"{self.name} pointed to another host, which is not followed: try later"
            raise SourceError(msg)
        return dict(parse_qsl(parts.query))

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, Json], headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """Open a GET whose body is read by the caller. Raises a SourceError that fits."""
        with _opened() as c:
            request = c.build_request(
                "GET", self._at(path), params=dict(query) or None, headers=headers
            )
            answer = self._exchange(c, request, TRIES, lambda opened: opened)
            try:
                yield answer
            except httpx.HTTPError as error:
                raise self._gone() from error
            finally:
                answer.close()

    def _ask(self, method: str, path: str, tries: int, **parts: Json) -> Json:
        with _opened() as c:
            request = c.build_request(method, self._at(path), **parts)
            body = self._before(request, tries)
            if body is None:
                body = self._exchange(c, request, tries, self._whole)
        try:
            return json.loads(body) if body else None
        except (ValueError, RecursionError) as error:
            msg = f"{self.name} answered something that is no JSON: try later, or check its address"
            raise SourceError(msg) from error

    def _before(self, request: httpx.Request, tries: int) -> bytes | None:
        """Return an answer of before that is still good for what may be asked again."""
        self._signed(request, "")
        who = request.headers.get("authorization", "")
        return self._cache.get(str(request.url), who) if tries > 1 else None

    def _at(self, path: str) -> str:
        return f"{self.address}/{path}"

    def _exchange(
        self,
        client: httpx.Client,
        request: httpx.Request,
        tries: int,
        take: Callable[[httpx.Response], _Taken],
    ) -> _Taken:
        """Return what ``take`` makes of the first answer that is not a fault."""
        if (until := waiting.until(self._host)) > time.time():
            raise self._later(until - time.time())
        token = self._signed(request, "")
        for left in range(tries - 1, -1, -1):
            try:
                answer = client.send(request, stream=True)
                if answer.status_code == httpx.codes.UNAUTHORIZED and token:
                    answer.close()
                    token = self._signed(request, token)
                    answer = client.send(request, stream=True)
                if answer.status_code < 400:  # noqa: PLR2004 - HTTP's errors
                    return take(answer)
                pause = self._pause(answer, tries - left, last=not left)
            except httpx.HTTPError as error:
                if not left:
                    raise self._gone() from error
                pause = waiting.jitter(tries - left)
            time.sleep(pause)
        raise self._gone()

    def _signed(self, request: httpx.Request, not_allowed: str) -> str:
        token = self._token(not_allowed) if self._token else ""
        if token:
            request.headers["authorization"] = self._scheme.format(token)
        return token

    def _whole(self, answer: httpx.Response) -> bytes:
        if answer.has_redirect_location:
            raise self._moved(answer)
        try:
            body = b"".join(at_most(answer, MAX_JSON, self.name, within=DEADLINE))
        finally:
            answer.close()
        if answer.request.method == "GET":
            who = answer.request.headers.get("authorization", "")
            self._cache.keep(str(answer.request.url), who, answer.headers, body)
        return body

    def _pause(self, answer: httpx.Response, tries: int, *, last: bool) -> float:
        """Return how long to wait before the next try. Raises where there should be none."""
        code, reason = answer.status_code, _reason(answer)
        if better := self._explain and self._explain(code, reason):
            raise better
        if code not in PASSING or reason == QUOTA:
            raise self._refused(code, reason)
        pause = waiting.asked(answer.headers) or waiting.jitter(tries)
        if pause > PATIENCE:
            waiting.remember(self._host, time.time() + pause)
        if last or pause > PATIENCE:
            if code == httpx.codes.TOO_MANY_REQUESTS:
                raise self._later(pause)
            msg = f"{self.name} is not well (HTTP {code}): try later"
            raise SourceError(msg)
        return pause

    def _refused(self, code: int, reason: str) -> SourceError:
        if reason == QUOTA:
            return SourceError(
                f"the quota that {self.name} gives this application is used up, which is no "
                "matter of seconds: see its developer page"
            )
        if code in {401, 403}:
            return LoginRequired(f"{self.name} does not accept the credentials: set them anew")
        return NotAvailable(f"{self.name} does not have what was asked for (HTTP {code})")

    def _later(self, pause: float) -> RateLimited:
        msg = f"{self.name} was asked too often: try again in {waiting.spelt(pause)}"
        return RateLimited(msg, retry_at=time.time() + pause)

    def _moved(self, answer: httpx.Response) -> SourceError:
        answer.close()
        there = answer.url.join(answer.headers["location"])
        host = f"{there.scheme}://{there.netloc.decode().rpartition('@')[2]}"
        return SourceError(
            f"{self.name} at {self._host} sends us on to {host}, which is not followed: "
            "if that is right, set the address anew"
        )

    def _gone(self) -> SourceError:
        return SourceError(
            f"{self.name} cannot be reached at {self._host}: is it running, and are you online?"
        )


def _opened() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT, headers={"user-agent": AGENT}, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates that are trusted: reading them takes longer than most requests."""
    return httpx.create_ssl_context()


def at_most(
    answer: httpx.Response, limit: int, name: str, *, within: float = float("inf")
) -> Iterator[bytes]:
    """Yield the bytes of an answer. Raises SourceError where they are too many or too slow."""
    end = time.monotonic() + within
    for chunk in answer.iter_bytes():
        limit -= len(chunk)
        if limit < 0:
            msg = f"{name} sent more than any answer should hold: it was cut off"
            raise SourceError(msg)
        if time.monotonic() > end:
            msg = f"{name} answers too slowly: try later"
            raise SourceError(msg)
        yield chunk


def _reason(answer: httpx.Response) -> str:
    """Return the reason that a fault names, as ``QUOTA_EXCEEDED`` or ``invalid_grant``, or ""."""
    try:
        body = b"".join(at_most(answer, MAX_FAULT, "", within=DEADLINE))
        error = json.loads(body)["error"]
        return str(error.get("reason") or "") if isinstance(error, dict) else str(error)
    except (httpx.HTTPError, SourceError, ValueError, LookupError, TypeError, RecursionError):
        return ""
    finally:
        answer.close()


def _without_query(record: logging.LogRecord) -> bool:
    """Cut the query off each address that httpx logs: some services want their tokens there."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args
        )
    return True


def _without_headers(record: logging.LogRecord) -> bool:
    """Pass over what httpcore tells of an answer's headers: signed addresses, cookies."""
    return "receive_response_headers.complete" not in record.getMessage()


logging.getLogger("httpx").addFilter(_without_query)
for _name in ("http11", "http2"):
    logging.getLogger(f"httpcore.{_name}").addFilter(_without_headers)
