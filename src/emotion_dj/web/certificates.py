"""A certificate of this service's own, so that a phone in the same network gives it its camera.

An authority is made once, ten years long, and signs a certificate for the names and addresses of
today. Who trusts the authority does so for private addresses and the names of this service alone:
its name constraints say so.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from platformdirs import user_data_path

from emotion_dj.errors import MissingExtra, SettingsError
from emotion_dj.web import server

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, GeneralName

    from emotion_dj.web.network import Network

    Address = IPv4Address | IPv6Address

PLACE: Final = "/emotion-dj-ca.crt"
"""Where the service gives its authority to devices that shall trust it."""

AUTHORITY_DAYS: Final = 3650
DAYS: Final = 397
"""As long as browsers take a certificate for."""

DUE: Final = timedelta(days=30)
SLOW_CLOCK: Final = timedelta(days=1)

PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """The certificate that is in use, and the files that it comes from."""

    folder: Path
    network: Network
    context: ssl.SSLContext

    @property
    def authority(self) -> bytes:
        """Return the authority as devices take it (DER)."""
        return ssl.PEM_cert_to_DER_cert((self.folder / "ca.pem").read_text())

    def advice(self) -> str:
        """Say how a device trusts the certificate."""
        import hashlib

        digest = hashlib.sha256(self.authority).hexdigest().upper()
        pairs = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
        return (
            f"browsers warn of its certificate until they trust it: open {PLACE} there, compare "
            f"its SHA-256 fingerprint and install it (step by step: docs/security.md)\n  {pairs}"
        )

    async def renew(self) -> None:
        """Make a new certificate where that is due; new connections are given it."""
        _issue(self.folder, *_wanted(self.network))
        self.context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")


def own(network: Network) -> OwnCertificate:
    """Return the service's own certificate, made where there is none that fits.

    Raises MissingExtra, and SettingsError where it cannot be kept.
    """
    if find_spec("cryptography") is None:
        raise MissingExtra("lan", "a certificate of its own")
    folder = user_data_path("emotion-dj") / "tls"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        _issue(folder, *_wanted(network))
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
    except OSError as error:
        msg = f"the certificate cannot be kept in {folder}: {error.strerror or error}"
        raise SettingsError(msg) from error
    return OwnCertificate(folder, network, context)


def _wanted(network: Network) -> tuple[set[str], set[Address]]:
    """Return the names and addresses by which devices call the service now."""
    names: set[str] = set()
    addresses: set[Address] = set()
    for name in {*network.names, *server.own_addresses()} - server.ALL - {"*"}:
        try:
            addresses.add(ip_address(name.partition("%")[0]))
        except ValueError:
            names.add(name)
    given = {address for address in addresses if str(address) in network.names}
    return names, given | {address for address in addresses if _is_private(address)}


def _is_private(address: Address) -> bool:
    return any(address in network for network in PRIVATE)


def _issue(folder: Path, names: set[str], addresses: set[Address]) -> None:
    """Make what is missing, old or of other names: the authority, then the certificate."""
    authority, key = _authority(folder, names, addresses)
    current = _read(folder / "server.pem")
    fits = current is not None and _holds(current) and current.issuer == authority.subject
    if fits and current is not None and _alternatives(current) >= {*names, *map(str, addresses)}:
        return
    own_key = _new_key()
    leaf = _signed(own_key, key, authority, _general(names, addresses))
    _write(folder / "server.key", _pem(own_key))
    _write(folder / "server.pem", _pem(leaf) + _pem(authority))


def _authority(
    folder: Path, names: set[str], addresses: set[Address]
) -> tuple[Certificate, EllipticCurvePrivateKey]:
    """Return the authority and its key; a new one where a name is not within its constraints."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    authority = _read(folder / "ca.pem")
    if authority is not None and _holds(authority) and _covers(authority, names, addresses):
        key: Any = load_pem_private_key((folder / "ca.key").read_bytes(), None)
        return authority, key
    key = _new_key()
    authority = _new_authority(key, names, addresses)
    _write(folder / "ca.key", _pem(key))
    _write(folder / "ca.pem", _pem(authority))
    return authority, key


def _new_authority(
    key: EllipticCurvePrivateKey, names: set[str], addresses: set[Address]
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    name = _subject(f"Emotion-DJ authority {os.urandom(3).hex()}")
    outside = (ip_network(address) for address in addresses if not _is_private(address))
    ranges = [x509.IPAddress(network) for network in (*PRIVATE, *outside)]
    permitted = [*(x509.DNSName(one) for one in sorted(names)), *ranges]
    return (
        _dated(AUTHORITY_DAYS)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _signed(
    key: EllipticCurvePrivateKey,
    authority_key: EllipticCurvePrivateKey,
    authority: Certificate,
    alternatives: list[GeneralName],
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    server_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        _dated(DAYS)
        .subject_name(_subject("Emotion-DJ"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(server_use, critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _dated(days: int) -> CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().serial_number(x509.random_serial_number())
    dated = builder.not_valid_before(now - SLOW_CLOCK)
    return dated.not_valid_after(now - SLOW_CLOCK + timedelta(days=days))


def _usage(*, certificates: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> Any:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general(names: Iterable[str], addresses: Iterable[Address]) -> list[GeneralName]:
    from cryptography import x509

    places = sorted(addresses, key=lambda address: (address.version, int(address)))
    return [*map(x509.DNSName, sorted(names)), *map(x509.IPAddress, places)]


def _alternatives(certificate: Certificate) -> set[str]:
    from cryptography import x509

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def _covers(authority: Certificate, names: set[str], addresses: set[Address]) -> bool:
    """Tell whether names and addresses are within an authority's constraints."""
    from cryptography import x509

    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = [name.value for name in constraints.permitted_subtrees or ()]
    ranges = [value for value in permitted if not isinstance(value, str)]
    inside = all(any(address in network for network in ranges) for address in addresses)
    return inside and names <= set(permitted)


def _holds(certificate: Certificate) -> bool:
    """Tell whether a certificate holds now and for a while."""
    now = datetime.now(UTC)
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - DUE


def _read(path: Path) -> Certificate | None:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):  # the latter for what was cut off
        return None


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem(what: EllipticCurvePrivateKey | Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.x509 import Certificate

    if isinstance(what, Certificate):
        return what.public_bytes(form.Encoding.PEM)
    kind = form.PrivateFormat.PKCS8
    return what.private_bytes(form.Encoding.PEM, kind, form.NoEncryption())


def _write(path: Path, data: bytes) -> None:
    """Replace a file, never readable by others for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    new.replace(path)
