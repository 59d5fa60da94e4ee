"""Audio and covers at an address that a service handed us: used, and gone."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import urlsplit

from emotion_dj.errors import LoginRequired, NotAvailable, SourceError
from emotion_dj.sources.http import MAX_PICTURE, Client
from emotion_dj.sources.url_allowlist import is_allowed, not_allowed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import httpx

PATIENCE: Final = 120.0
"""Seconds that one clip or song may take to arrive."""


@contextmanager
def stream(
    name: str, address: str, headers: Mapping[str, str] | None = None
) -> Iterator[httpx.Response]:
    """Open an address as it stands, signature and all.

    Raises NotAvailable where its signature is refused, or another SourceError that fits.
    """
    parts = urlsplit(address)
    client = Client(name, f"{parts.scheme}://{parts.netloc}")
    path = address.partition(parts.netloc)[2].lstrip("/")
    try:
        with client.stream(path, {}, headers) as answer:
            if answer.is_redirect:
                raise not_allowed(name, answer.headers["location"])
            yield answer
    except LoginRequired as error:
        msg = f"{name} does not hand this audio out, or no longer at this address"
        raise NotAvailable(msg) from error


@contextmanager
def fetched(name: str, address: str, limit: int) -> Iterator[BinaryIO]:
    """Give the bytes at an address, at most ``limit``, in a nameless file that is gone afterwards.

    Raises a SourceError that fits.
    """
    with tempfile.TemporaryFile() as file:
        end = time.monotonic() + PATIENCE
        with stream(name, address) as answer:
            for chunk in answer.iter_bytes():
                file.write(chunk)
                if file.tell() > limit or time.monotonic() > end:
                    msg = f"{name} sends audio without end or too slowly: it was given up"
                    raise SourceError(msg)
        file.seek(0)
        yield file


def picture(name: str, address: str | None, hosts: Collection[str], service: str) -> bytes | None:
    """Return the cover at an address, None where there is none that may be asked (see `trusted`).

    Raises a SourceError that fits.
    """
    if not address or not is_allowed(address, hosts, service):
        return None
    with fetched(name, address, MAX_PICTURE) as file:
        return file.read()
