"""Says in the network where the page is (mDNS, RFC 6762 and 6763).

NAME.local leads to it, and lists of what is nearby show it.
"""

from __future__ import annotations

import logging
import socket
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from zeroconf import ServiceInfo, Zeroconf

_log = logging.getLogger(__name__)


@contextmanager
def announced(scheme: str, name: str, addresses: Sequence[str], port: int) -> Iterator[None]:
    """Announce a service at NAME.local until the block ends.

    Nothing happens without the extra `lan`, or where no network with IPv4 is up: the addresses lead
    to the service all the same. The others are asked in the background whether the name is free,
    which takes two seconds.
    """
    own = [address for address in addresses if ":" not in address]
    if not own or not name or find_spec("zeroconf") is None:
        yield
        return
    from zeroconf import Zeroconf

    try:
        line = Zeroconf(interfaces=own)
    except OSError as error:
        _log.warning("not announced in the network: %s", error)
        yield
        return
    Thread(target=_register, args=(line, _service(scheme, name, own, port)), daemon=True).start()
    try:
        yield
    finally:
        line.close()


def _service(scheme: str, name: str, addresses: Sequence[str], port: int) -> ServiceInfo:
    from zeroconf import ServiceInfo

    kind = f"_{scheme}._tcp.local."
    return ServiceInfo(
        kind,
        f"Emotion-DJ on {name}.{kind}",
        addresses=[socket.inet_aton(address) for address in addresses],
        port=port,
        server=f"{name}.local.",
        properties={"path": "/"},
    )


def _register(line: Zeroconf, service: ServiceInfo) -> None:
    from zeroconf import Error

    with suppress(Error):  # it was closed meanwhile
        line.register_service(service, allow_name_change=True)
