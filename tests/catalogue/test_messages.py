"""What replicas tell each other over a real PostgreSQL, also after it was restarted."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.catalogue.backends.messages import LONGEST, Messages
from emotion_dj.catalogue.backends.postgres import PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.needs_postgres


class Replica:
    """One end, with all that it has heard."""

    def __init__(self, address: str) -> None:
        """Listen at a server."""
        self.heard: queue.Queue[tuple[str, str]] = queue.Queue()
        self.messages = Messages(
            PostgreSQL(address), lambda topic, text: self.heard.put((topic, text))
        )

    def hears(self, sender: Messages, topic: str, text: str) -> tuple[str, str]:
        """Return what is heard first while something is sent again and again, which is until both
        have connected.
        """
        for _ in range(300):
            sender.publish(topic, text)
            try:
                return self.heard.get(timeout=0.1)
            except queue.Empty:
                continue
        pytest.fail("nothing was heard")


def test_others_hear_what_one_says_and_it_does_not(new_database: Callable[[], str]) -> None:
    """In order; what is too long for the server stays away and holds nothing up."""
    address = new_database()
    one, other = Replica(address), Replica(address)
    with one.messages, other.messages:
        assert other.hears(one.messages, "begin", "x") == ("begin", "x")
        assert one.hears(other.messages, "back", "ü\n\0") == ("back", "ü\n\0")
        one.messages.publish("long", "".join(map(chr, range(40, 40 + LONGEST))))
        one.messages.publish("end", "all")
        told = iter(lambda: other.heard.get(timeout=30), ("end", "all"))
        assert set(told) <= {("begin", "x")}
        assert all(topic == "back" for topic, _ in list(one.heard.queue))


def test_a_restarted_server_is_found_again(
    own_server: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Sending meanwhile raises nothing and waits for nobody, one line says so, and then it goes on
    by itself.
    """
    with own_server() as server:
        one, other = Replica(server.get_uri()), Replica(server.get_uri())
        with one.messages, other.messages:
            assert other.hears(one.messages, "a", "1") == ("a", "1")
            server.stop()
            one.messages.publish("a", "lost")
            server.ensure_postgres_running()
            for topic, text in iter(lambda: other.hears(one.messages, "a", "2"), ("a", "2")):
                assert (topic, text) in {("a", "1"), ("a", "lost")}
    said = [line for line in caplog.messages if "replicas tell each other nothing" in line]
    assert said
    assert len(said) <= 2 * 2 * 2  # a few sentences for each of two threads of two ends
