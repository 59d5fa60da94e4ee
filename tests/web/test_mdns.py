"""What others in the network are told: the service is listed, and its name leads to it."""

from __future__ import annotations

import pytest
from zeroconf import Zeroconf

from emotion_dj.web import mdns

KIND = "_https._tcp.local."


def test_a_phone_finds_it_by_name() -> None:
    """Asked by mDNS it tells its address, its port and its name; once it ends it is gone."""
    with Zeroconf(interfaces=["127.0.0.1"]) as phone:
        with mdns.announced("https", "nas", ["127.0.0.1", "::1"], 8765):
            found = phone.get_service_info(KIND, f"Emotion-DJ on nas.{KIND}", timeout=60_000)
        assert found is not None
        told = (found.server, found.port, found.parsed_addresses())
        assert told == ("nas.local.", 8765, ["127.0.0.1"])


@pytest.mark.parametrize(
    ("name", "addresses"), [("nas", []), ("nas", ["::1"]), ("", ["127.0.0.1"])]
)
def test_without_a_network_nothing_is_said(name: str, addresses: list[str]) -> None:
    """The service runs all the same."""
    with mdns.announced("https", name, addresses, 8765):
        pass
