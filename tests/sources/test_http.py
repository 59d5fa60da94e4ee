"""The one HTTP client: what it keeps, whom it follows, how long it waits, what it lets through."""

from __future__ import annotations

import gzip
import logging
import pickle
import subprocess
import sys
import time
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from emotion_dj.errors import RateLimited, SourceError
from emotion_dj.sources import cache, http
from emotion_dj.sources.http import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[BaseHTTPRequestHandler]]]:
    """Serve these answers one after the other, the last one for ever; list what was asked."""
    asked: list[BaseHTTPRequestHandler] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, headers, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self)
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}", asked
        site.shutdown()


@pytest.mark.parametrize(
    ("headers", "requests"),
    [
        ({"cache-control": "private, max-age=60"}, 1),
        ({"cache-control": "max-age=60", "age": "60"}, 2),
        ({"cache-control": "max-age=60, no-store"}, 2),
        ({"cache-control": "no-cache"}, 2),
        ({"cache-control": "max-age=0"}, 2),
        ({"cache-control": "max-age=60", "vary": "*"}, 2),
        ({"expires": formatdate(time.time() + 9000)}, 1),
        ({"expires": formatdate(time.time() - 9000)}, 2),
        ({"expires": "0"}, 2),
        ({}, 2),
    ],
)
def test_what_may_be_used_again_is_not_asked_for_twice(
    headers: dict[str, str], requests: int
) -> None:
    """As long as the service says, and no longer; after a change everything is asked anew."""
    with answering((200, headers, b'{"a": 1}')) as (address, asked):
        client = Client("x", address)
        assert client.get("p", {"q": 1}) == client.get("p", {"q": 1}) == {"a": 1}
        assert len(asked) == requests
        client.get("p", {"q": 2})
        client.send("POST", "p")
        client.get("p", {"q": 1})
        assert len(asked) == requests + 3


def test_one_account_is_never_told_what_another_saw() -> None:
    """Answers are kept by token too; faults, worker processes and endless libraries keep none."""
    token = ["one"]
    good = (200, {"cache-control": "max-age=60"}, b"[1]")
    with answering(good) as (address, asked):
        client = Client("x", address, token=lambda _: token[0])
        client.get("me", {})
        token[0] = "two"
        client.get("me", {})
        assert [each.headers["authorization"] for each in asked] == ["Bearer one", "Bearer two"]
    with answering((500, {"cache-control": "max-age=60"}, b"[]")) as (address, asked):
        for _ in range(2):
            with pytest.raises(SourceError):
                Client("x", address).get("p", {})
        assert len(asked) == 2 * http.TRIES
    kept = cache.Cache()
    for number in range(100):
        kept.keep(str(number), "", {"cache-control": "max-age=60"}, bytes(100_000))
    assert sum(kept.get(str(number), "") is not None for number in range(100)) == 40
    assert pickle.loads(pickle.dumps(kept)).get("99", "") is None  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://evil.example/a?token=canary", "https://evil.example"),
        ("//user:canary@evil.example/", "http://evil.example"),
        ("http://169.254.169.254/latest/canary", "http://169.254.169.254"),
        ("file:///etc/canary", "file://"),
    ],
)
def test_redirects_are_named_and_not_followed(location: str, said: str) -> None:
    """One request; the message names the host that we were sent to, and no more of the address."""
    with (
        answering((301, {"location": location}, b"<html>moved</html>")) as (address, asked),
        pytest.raises(SourceError, match="set the address anew") as told,
    ):
        Client("the server", address).get("p", {})
    assert len(asked) == 1
    assert said in str(told.value)
    assert "canary" not in str(told.value)


def test_a_wait_until_a_date_is_understood() -> None:
    """Retry-After may be a date: one far away is believed, one in the past is not a wait."""
    tomorrow = formatdate(time.time() + 86_400, usegmt=True)
    past = formatdate(time.time() - 60, usegmt=True)
    later = answering((429, {"retry-after": tomorrow}, b""))
    at_once = answering((503, {"retry-after": past}, b""), (200, {}, b"7"))
    with later as (address, asked), at_once as (other, asked_twice):  # never at one port
        with pytest.raises(RateLimited, match="try again in 24 h"):
            Client("x", address).get("p", {})
        assert Client("x", other).get("p", {}) == 7
    assert (len(asked), len(asked_twice)) == (1, 2)


def test_a_wait_binds_processes_that_ask_at_once() -> None:
    """Four processes are told to come back tomorrow: each asks once, the fifth not at all."""
    code = (
        "import sys\nfrom emotion_dj.sources.http import Client\n"
        "from emotion_dj.errors import RateLimited\n"
        "try:\n    Client('x', sys.argv[1]).get('p', {})\nexcept RateLimited:\n    sys.exit(7)\n"
    )
    with answering((429, {"retry-after": "86400"}, b"")) as (address, asked):
        command = [sys.executable, "-c", code, address]
        running = [subprocess.Popen(command) for _ in range(4)]
        assert [process.wait() for process in running] == [7] * 4
        assert len(asked) <= 4
        before = len(asked)
        assert subprocess.run(command, check=False).returncode == 7
        assert len(asked) == before


def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_off() -> None:
    """Fifty megabytes of nothing in fifty kilobytes: counted as they unpack."""
    bomb = gzip.compress(bytes(50_000_000))
    with (
        answering((200, {"content-encoding": "gzip"}, bomb)) as (address, _),
        pytest.raises(SourceError, match="more than any answer"),
    ):
        Client("x", address).get("p", {})


def test_no_log_at_any_level_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Neither what was sent nor where a redirect leads, however talkative every logger is."""
    caplog.set_level(logging.DEBUG)
    moved = (302, {"location": "https://node.example/song?signature=canary"}, b"")
    with answering(moved) as (address, _):
        client = Client("x", address, token=lambda _: "canary-token")
        with client.stream("p", {"t": "canary-query"}) as answer:
            assert answer.is_redirect
        with pytest.raises(SourceError):
            client.get("p", {"t": "canary-query"})
    assert "HTTP Request: GET" in caplog.text
    assert "canary" not in caplog.text


def test_it_says_who_asks() -> None:
    """A name and a version, so that a service knows whom to talk to."""
    with answering((200, {}, b"1")) as (address, asked):
        Client("x", address).get("p", {})
    assert asked[0].headers["user-agent"].startswith("emotion-dj/")
