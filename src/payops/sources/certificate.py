"""An X.509 certificate's dates and names (RFC 5280).

`ssl` gives a certificate that did not verify as DER only, and the one place that decodes it is
private and wants a file; the few fields that matter are read here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_COMMON_NAME = bytes.fromhex("550403")
_ORGANISATION = bytes.fromhex("55040a")
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_INTEGER, _OCTETS, _OID, _UTC_TIME = 0x02, 0x04, 0x06, 0x17
_EXPLICIT_VERSION, _EXPLICIT_EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_BMP_STRING = 0x1E


@dataclass(frozen=True)
class Certificate:
    """`issuer` and `subject` by common name, else organisation; dates aware UTC."""

    issuer: str
    subject: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]


@dataclass(frozen=True)
class TlsFacts:
    """A server's certificate, valid or not.

    `version` as OpenSSL names it (`TLSv1.3`). `not_before` and `not_after` are aware UTC. `issuer`
    and `subject` are the common name, or the organisation. `names` are the DNS names and addresses
    that it is for. `verified` says whether chain, dates and name hold, `reason` why not.
    """

    version: str
    not_before: datetime
    not_after: datetime
    issuer: str
    subject: str
    names: tuple[str, ...]
    verified: bool
    reason: str
    as_of: datetime


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate; raises ValueError when it is none."""
    try:
        ((_, certificate),) = list(_items(der))
        (_, body), *_ = _items(certificate)
        fields = [field for field in _items(body) if field[0] != _EXPLICIT_VERSION]
        # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions
        (_, issuer), (_, validity), (_, subject) = fields[2:5]
        not_before, not_after = (_time(tag, text) for tag, text in _items(validity))
        extensions = [content for tag, content in fields[5:] if tag == _EXPLICIT_EXTENSIONS]
        # All of it here: whoever answers wrote every byte, those of a name too.
        return Certificate(
            issuer=_name(issuer),
            subject=_name(subject),
            not_before=not_before,
            not_after=not_after,
            names=tuple(name for content in extensions for name in _alternative_names(content)),
        )
    except (IndexError, ValueError) as error:
        raise ValueError("not an X.509 certificate") from error


def _items(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after another."""
    at = 0
    while at < len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(der[at : at + octets], "big")
            at += octets
        if at + length > len(der):
            raise ValueError("cut off")
        yield tag, der[at : at + length]
        at += length


def _name(der: bytes) -> str:
    found: dict[bytes, str] = {}
    for _, one_of_set in _items(der):
        for _, pair in _items(one_of_set):
            (_, oid), (tag, text) = _items(pair)
            encoding = "utf-16-be" if tag == _BMP_STRING else "utf-8"
            found.setdefault(oid, text.decode(encoding, "replace"))
    return found.get(_COMMON_NAME) or found.get(_ORGANISATION) or ""


def _time(tag: int, text: bytes) -> datetime:
    """UTCTime has two digits of the year: 50 and above are 19xx (RFC 5280, 4.1.2.5.1)."""
    digits = text.decode("ascii").removesuffix("Z")
    if tag == _UTC_TIME:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _alternative_names(extensions: bytes) -> Iterator[str]:
    for _, sequence in _items(extensions):
        for _, extension in _items(sequence):
            parts = list(_items(extension))
            if parts[0] != (_OID, _ALTERNATIVE_NAMES):
                continue
            (octets,) = [content for tag, content in parts if tag == _OCTETS]
            (_, names), *_ = _items(octets)
            for tag, name in _items(names):
                if tag == _DNS_NAME:
                    yield name.decode("ascii", "replace")
                elif tag == _IP_ADDRESS:
                    yield str(ipaddress.ip_address(name))
