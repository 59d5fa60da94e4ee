"""Behind real proxies, as people paste them: nginx and Caddy, where they are installed."""

from __future__ import annotations

import shutil
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import patient
import pytest

from emotion_dj.errors import SettingsError
from emotion_dj.web.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import httpx

    Run = Callable[..., AbstractContextManager[Any]]

pytestmark = pytest.mark.slow

API = "/api/v1"
NAME = "music.example"
CADDY = shutil.which("caddy")

HOST = "proxy_set_header Host $host;"
FORWARDED = (
    "proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $host;"
)


@contextmanager
def caddy(folder: Path, service: str, port: int, proxied: Run) -> Iterator[str]:
    """Run Caddy before a service with the one line of its manual."""
    if CADDY is None:
        pytest.skip("caddy is not installed")
    file = folder / "Caddyfile"
    site = f"http://{NAME}:{port}, http://127.0.0.1:{port}"
    file.write_text(
        "{\n admin off\n auto_https off\n}\n"
        f"{site} {{\n reverse_proxy {urlsplit(service).netloc}\n}}\n"
    )
    run = [CADDY, "run", "--config", str(file), "--adapter", "caddyfile"]
    with proxied(run, port) as address:
        yield address


@contextmanager
def let_in(address: str, code: str, *, path: str = "") -> Iterator[httpx.Client]:
    """Give a browser on the page of a name, as a proxy shows it."""
    host = f"{NAME}:{urlsplit(address).port}"
    with patient.Client(base_url=f"{address}{path}", headers={"host": host}) as client:
        answer = client.get("/pair", params={"code": code})
        assert answer.status_code == 303, answer.text
        client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
        client.headers["origin"] = f"http://{host}"
        yield client


def works(client: httpx.Client, prefix: str = "") -> dict[str, Any]:
    """Make a set as the page does, and hear of its first song; return that."""
    answer = client.post(f"{API}/sets", json={"mood": "calm", "n": 2})
    assert answer.status_code == 200, answer.text
    pick: dict[str, Any] = answer.json()["picks"][0]
    assert pick["stream"].startswith(f"{prefix}{API}/tracks/")
    assert client.get("/").status_code == 200
    return pick


@pytest.mark.parametrize("headers", ["", HOST, f"{HOST} {FORWARDED}"])
def test_nginx_as_it_is_pasted(run_service: Run, nginx: Run, tmp_path: Path, headers: str) -> None:
    """With the name given it works: Host lost, Host without its port, and all headers."""
    with (
        run_service("--library", "demo", "--name", NAME, "--proxy", "127.0.0.1") as service,
        nginx(tmp_path, service.address, headers) as address,
        let_in(address, service.code) as client,
    ):
        works(client)


def test_plain_nginx_before_a_service_that_knows_of_none(
    run_service: Run, nginx: Run, tmp_path: Path
) -> None:
    """Started for this machine alone, a service says in one sentence what to set."""
    with run_service("--library", "demo") as service:
        body = {"json": {"mood": "calm"}, "headers": {"origin": f"http://{NAME}"}}
        with nginx(tmp_path, service.address, "") as address:
            refused = patient.post(f"{address}{API}/sets", **body)
        assert (refused.status_code, "--name" in refused.text) == (403, True)
        with nginx(tmp_path, service.address, FORWARDED) as address:
            refused = patient.get(f"{address}{API}/library")
        assert (refused.status_code, "--proxy" in refused.json()["detail"]) == (403, True)
        with nginx(tmp_path, service.address, "proxy_set_header Host music.example;") as address:
            refused = patient.get(f"{address}{API}/library")
        assert (refused.status_code, "--name" in refused.json()["detail"]) == (421, True)


@pytest.mark.parametrize("strip", ["/", ""], ids=["stripped", "kept"])
def test_nginx_on_a_sub_path(run_service: Run, nginx: Run, tmp_path: Path, strip: str) -> None:
    """Below /music all addresses are below it, whether or not the proxy takes it away."""
    name = ("--name", f"{NAME}/music", "--proxy", "127.0.0.1")
    with (
        run_service("--library", "demo", *name) as service,
        nginx(tmp_path, service.address, HOST, path="/music/", strip=strip) as address,
        let_in(address, service.code, path="/music") as client,
    ):
        pick = works(client, "/music")
        sound = patient.get(f"{address}{pick['stream']}", headers=client.headers)
        assert sound.status_code == 200
        assert client.get("/style.css").status_code == 200


def test_caddy_as_it_is_pasted(
    run_service: Run, tmp_path: Path, free_port: Callable[[], int], proxied: Run
) -> None:
    """Its one line passes on name, protocol and address: it works, and addresses are believed."""
    with (
        run_service("--library", "demo", "--name", NAME, "--proxy", "127.0.0.1") as service,
        caddy(tmp_path, service.address, free_port(), proxied) as address,
        let_in(address, service.code) as client,
    ):
        works(client)


def test_a_proxy_that_was_not_named_is_not_believed(run_service: Run) -> None:
    """Whoever sends forwarded headers himself is still who he is: he waits for his wrong codes."""
    with run_service("--library", "demo", "--name", NAME) as service:
        codes = []
        for n in range(7):
            lie = {"x-forwarded-for": f"192.0.2.{n}", "x-forwarded-host": "evil.example"}
            answer = patient.get(f"{service.address}/pair?code=wrong", headers=lie)
            codes.append(answer.status_code)
    assert codes == [401] * 5 + [429] * 2


def scope(client: str, **headers: str) -> dict[str, Any]:
    """Return a request as uvicorn gives it."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "scheme": "http",
        "client": (client, 1),
        "server": ("127.0.0.1", 8765),
        "headers": pairs,
    }


TRAEFIK = {
    "host": "127.0.0.1:8765",
    "x_forwarded_for": "192.0.2.7",
    "x_forwarded_host": "home.example",
    "x_forwarded_port": "8443",
    "x_forwarded_proto": "https",
    "x_forwarded_prefix": "/music",
}


def test_headers_of_traefik() -> None:
    """As its manual states them: address, name with port, protocol and sub-path are believed."""
    network = Network.of("127.0.0.1", ["home.example"], ["127.0.0.0/8"])
    request, visit = network.arrive(scope("127.0.0.1", **TRAEFIK))
    assert (visit.client, visit.prefix, request["scheme"]) == ("192.0.2.7", "/music", "https")
    assert (b"host", b"home.example:8443") in request["headers"]
    far, visit = network.arrive(scope("192.0.2.9", **TRAEFIK))
    assert (visit.client, visit.prefix, far["scheme"]) == ("192.0.2.9", "", "http")


def test_the_header_of_rfc_7239_and_chains() -> None:
    """The last proxy's word counts, and of a chain the last address that is no proxy of ours."""
    network = Network.of("0.0.0.0", [], ["10.0.0.0/8"])  # noqa: S104 - as a listener says it
    said = "for=1.2.3.4, for=192.0.2.7;proto=https;host=home.example"
    request, visit = network.arrive(scope("10.0.0.1", host="x", forwarded=said))
    assert (visit.client, request["scheme"]) == ("192.0.2.7", "https")
    chain = "6.6.6.6, 192.0.2.7, 10.1.1.1"
    _, visit = network.arrive(scope("::ffff:10.0.0.1", host="x", x_forwarded_for=chain))
    assert visit.client == "192.0.2.7"


@pytest.mark.parametrize(
    ("names", "proxies"), [(["a/x", "b/y"], []), (["a/../b"], []), ([], ["nginx"]), ([], [""])]
)
def test_settings_that_are_not_valid_are_said(names: list[str], proxies: list[str]) -> None:
    """Two sub-paths, one that leads out, and proxies that are no addresses."""
    with pytest.raises(SettingsError):
        Network.of("127.0.0.1", names, proxies)


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6(run_service: Run, host: str) -> None:
    """The service listens there, names its address as browsers want it, and on :: speaks IPv4."""
    if not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    with run_service("--library", "demo", "--host", host) as service:
        port = urlsplit(service.address).port
        assert patient.get(f"http://[::1]:{port}{API}/health").status_code == 200
        if host == "::":
            assert patient.get(f"http://127.0.0.1:{port}{API}/health").status_code == 200
