"""A certificate that names its own issuer, with a key, made here: the lab needs no openssl.

X.509 v3 (RFC 5280) signed by ECDSA (FIPS 186-5) over P-256. For servers on loopback alone: the
arithmetic takes no care of its timing.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime
from ipaddress import ip_address

# P-256 (SEC 2, 2.4.2): y² = x³ - 3x + b modulo _FIELD; _BASE has the order _ORDER.
_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None

_INTEGER, _BITS, _OCTETS, _OID, _TEXT = 0x02, 0x03, 0x04, 0x06, 0x0C
_TIME, _SEQUENCE, _SET = 0x18, 0x30, 0x31
_ECDSA_SHA256 = bytes.fromhex("2a8648ce3d040302")
_EC_KEY, _P256 = bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d030107")
_COMMON_NAME, _ALTERNATIVE_NAMES = bytes.fromhex("550403"), bytes.fromhex("551d11")


def certificate(address: str, not_before: datetime, not_after: datetime) -> str:
    """Certificate and key, PEM, of an IP address that is named `payops lab`."""
    secret = secrets.randbelow(_ORDER - 1) + 1
    point = b"\x04" + b"".join(one.to_bytes(32) for one in _times(secret, _BASE) or ())
    algorithm = _der(_SEQUENCE, _der(_OID, _ECDSA_SHA256))
    common_name = _der(_SEQUENCE, _der(_OID, _COMMON_NAME), _der(_TEXT, b"payops lab"))
    name = _der(_SEQUENCE, _der(_SET, common_name))
    names = _der(_SEQUENCE, _der(0x87, ip_address(address).packed))
    extension = _der(_SEQUENCE, _der(_OID, _ALTERNATIVE_NAMES), _der(_OCTETS, names))
    body = _der(
        _SEQUENCE,
        _der(0xA0, _number(2)),  # v3
        _number(secrets.randbits(120) + 1),
        algorithm,
        name,
        _der(_SEQUENCE, _time(not_before), _time(not_after)),
        name,
        _der(
            _SEQUENCE,
            _der(_SEQUENCE, _der(_OID, _EC_KEY), _der(_OID, _P256)),
            _der(_BITS, b"\0" + point),
        ),
        _der(0xA3, _der(_SEQUENCE, extension)),
    )
    signed = _der(_SEQUENCE, body, algorithm, _der(_BITS, b"\0" + _signature(secret, body)))
    key = _der(  # RFC 5915
        _SEQUENCE,
        _number(1),
        _der(_OCTETS, secret.to_bytes(32)),
        _der(0xA0, _der(_OID, _P256)),
        _der(0xA1, _der(_BITS, b"\0" + point)),
    )
    return _pem("CERTIFICATE", signed) + _pem("EC PRIVATE KEY", key)


def _signature(secret: int, body: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(body).digest())
    while True:
        nonce = secrets.randbelow(_ORDER - 1) + 1
        r = (_times(nonce, _BASE) or _BASE)[0] % _ORDER
        s = pow(nonce, -1, _ORDER) * (digest + r * secret) % _ORDER
        if r and s:
            return _der(_SEQUENCE, _number(r), _number(s))


def _times(number: int, point: _Point) -> _Point:
    found: _Point = None
    while number:
        if number & 1:
            found = _sum(found, point)
        point = _sum(point, point)
        number >>= 1
    return found


def _sum(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % _FIELD == 0:
            return None
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, _FIELD)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _FIELD)
    x = (slope**2 - one[0] - other[0]) % _FIELD
    return x, (slope * (one[0] - x) - one[1]) % _FIELD


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _number(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _time(moment: datetime) -> bytes:
    return _der(_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def _pem(what: str, der: bytes) -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {what}-----\n{text}-----END {what}-----\n"
