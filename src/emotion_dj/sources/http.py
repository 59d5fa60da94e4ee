"""One HTTP client under all sources: patient where it helps, never more than is polite.

Only GET is repeated, at most TRIES times, after what the server asks or a growing random pause; a
server that asks for longer than PATIENCE is believed and not asked again. No message holds an
address's query, where some services want their tokens.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from emotion_dj.errors import LoginRequired, NotAvailable, RateLimited, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRIES: Final = 3
PATIENCE: Final = 8.0
"""Seconds: a longer Retry-After fails at once, with the time when a new try makes sense."""

MAX_JSON: Final = 16_000_000
MAX_AUDIO: Final = 300_000_000
AGENT: Final = "emotion-dj/0.1"
PASSING: Final = frozenset({429, 500, 502, 503, 504})


class Client:
    """Asks one service; ``name`` is how messages call it."""

    def __init__(self, name: str, address: str) -> None:
        """Keep the address; nothing is opened yet."""
        self.name, self._address = name, address.rstrip("/")

    def get(self, path: str, query: Mapping[str, Any]) -> Any:
        """Return the JSON answer of a GET. Raises a SourceError that fits."""
        with self.stream(path, query) as answer:
            body = b"".join(_at_most(answer, MAX_JSON, self.name))
        try:
            return httpx.Response(200, content=body).json()
        except ValueError as error:
            msg = f"{self.name} answered something that is no JSON"
            raise SourceError(msg) from error

    def download(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield the bytes of a GET, up to MAX_AUDIO. Raises a SourceError that fits."""
        with self.stream(path, query) as answer:
            yield from _at_most(answer, MAX_AUDIO, self.name)

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """Open a GET whose body is read by the caller. Raises a SourceError that fits."""
        with httpx.Client(timeout=httpx.Timeout(20, connect=5), headers={"user-agent": AGENT}) as c:
            request = c.build_request(
                "GET", f"{self._address}/{path}", params=dict(query) or None, headers=headers
            )
            answer = self._send(c, request)
            try:
                yield answer
            except httpx.HTTPError as error:
                raise self._gone() from error
            finally:
                answer.close()

    def _send(self, client: httpx.Client, request: httpx.Request) -> httpx.Response:
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = client.send(request, stream=True)
            except httpx.HTTPError as error:
                if not left:
                    raise self._gone() from error
                pause = _pause(TRIES - left)
            else:
                if answer.status_code not in PASSING:
                    return self._checked(answer)
                answer.close()
                pause = _asked(answer) or _pause(TRIES - left)
                if not left or pause > PATIENCE:
                    raise self._refused(answer, pause)
            time.sleep(pause)
        raise self._gone()

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        code = answer.status_code
        if code in {401, 403}:
            msg = f"{self.name} does not accept the credentials: set them anew"
            raise LoginRequired(msg)
        if code >= 400:  # noqa: PLR2004 - HTTP's errors
            msg = f"{self.name} does not have what was asked for (HTTP {code})"
            raise NotAvailable(msg)
        return answer

    def _refused(self, answer: httpx.Response, pause: float) -> SourceError:
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            msg = f"{self.name} was asked too often: try again in {round(pause)} s"
            return RateLimited(msg, retry_at=time.time() + pause)
        return SourceError(f"{self.name} is not well (HTTP {answer.status_code}): try later")

    def _gone(self) -> SourceError:
        where = urlsplit(self._address).netloc.rpartition("@")[2]
        return SourceError(f"{self.name} cannot be reached at {where}: is it running?")


def _at_most(answer: httpx.Response, limit: int, name: str) -> Iterator[bytes]:
    for chunk in answer.iter_bytes():
        limit -= len(chunk)
        if limit < 0:
            msg = f"{name} sent more than any answer should hold: it was cut off"
            raise SourceError(msg)
        yield chunk


def _asked(answer: httpx.Response) -> float:
    """Return the seconds that the server asks to wait, 0 where it does not say."""
    try:
        return max(0.0, float(answer.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0


def _pause(tries: int) -> float:
    """Full jitter: everything between nothing and a limit that doubles with each try."""
    return random.uniform(0, 0.25 * 2**tries)  # noqa: S311 - not a secret
