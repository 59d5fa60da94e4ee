"""https with a certificate of the service's own, as a device sees it that trusts its authority."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import httpx
import patient
import pytest

from emotion_dj.web import certificates
from emotion_dj.web.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    Run = Callable[..., AbstractContextManager[Any]]

pytestmark = pytest.mark.slow

NAMES = {"localhost", "nas.local"}
ADDRESSES = {ip_address("127.0.0.1"), ip_address("192.168.1.7")}


def test_a_phone_that_trusts_the_authority_is_served(run_service: Run) -> None:
    """The authority is fetched, its fingerprint was printed, and with it the line is trusted."""
    with run_service("--library", "demo", "--tls", "--name", "nas.local") as service:
        assert service.address.startswith("https://")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            patient.get(f"{service.address}/api/v1/health")
        place = f"{service.address}{certificates.PLACE}"
        given = patient.get(place, verify=False)
        assert given.headers["content-type"] == "application/x-x509-ca-cert"
        trusting = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(given.content))
        with patient.Client(base_url=service.address, verify=trusting) as client:
            assert client.get("/api/v1/health").json()["status"] == "ok"
            cookie = client.get("/pair", params={"code": service.code}).headers["set-cookie"]
            assert "secure" in cookie.lower()
        import hashlib

        digest = hashlib.sha256(given.content).hexdigest().upper()
        assert ":".join(digest[i : i + 2] for i in range(0, 64, 2)) in service.log.read_text()


def test_the_key_is_nobody_elses(run_service: Run, tmp_path: Path) -> None:
    """Keys can be read by their owner alone."""
    with run_service("--library", "demo", "--tls", XDG_DATA_HOME=str(tmp_path)):
        keys = list(tmp_path.rglob("tls/*.key"))
    assert len(keys) == 2
    assert not [key for key in keys if key.stat().st_mode & 0o077]


def test_a_certificate_is_kept_and_renewed(tmp_path: Path) -> None:
    """The same names give the same one; new names another, of the same authority where it may."""
    files = [tmp_path / name for name in ("server.pem", "ca.pem")]

    def issued(names: set[str], addresses: set[Any]) -> tuple[bytes, bytes]:
        certificates._issue(tmp_path, names, addresses)
        server, authority = (file.read_bytes() for file in files)
        return server, authority

    first = issued(NAMES, ADDRESSES)
    assert issued(NAMES, ADDRESSES) == first
    moved = issued(NAMES, {*ADDRESSES, ip_address("10.9.8.7")})
    assert (moved[0] != first[0], moved[1]) == (True, first[1])
    named = issued({*NAMES, "music.example"}, ADDRESSES)
    assert named[1] != first[1]
    files[0].write_bytes(b"cut off")
    assert issued({*NAMES, "music.example"}, ADDRESSES)[1] == named[1]


def test_an_expired_one_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that ends within a month is made anew, and so is an authority."""
    monkeypatch.setattr(certificates, "DAYS", 20)
    certificates._issue(tmp_path, NAMES, ADDRESSES)
    short = (tmp_path / "server.pem").read_bytes()
    monkeypatch.undo()
    certificates._issue(tmp_path, NAMES, ADDRESSES)
    current = certificates._read(tmp_path / "server.pem")
    assert (tmp_path / "server.pem").read_bytes() != short
    assert current is not None
    assert current.not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)


def test_public_addresses_are_not_vouched_for_unless_they_are_named() -> None:
    """A machine's address on the internet is in no certificate that nobody asked it for."""
    names, addresses = certificates._wanted(Network.of("203.0.113.9"))
    assert ip_address("203.0.113.9") in addresses
    assert "localhost" in names
    _, addresses = certificates._wanted(Network.of("0.0.0.0"))  # noqa: S104 - as said
    assert all(map(certificates._is_private, addresses))
