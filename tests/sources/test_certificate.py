"""Whatever a server gives for its certificate can be read or not: it is never a fault of payops."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payops.lab.certificate import certificate
from payops.sources.certificate import Certificate, read_certificate

NOW = datetime(2026, 2, 11, tzinfo=UTC)
PEM = certificate("127.0.0.1", NOW, NOW + timedelta(days=1))
DER = ssl.PEM_cert_to_DER_cert(PEM.partition("-----BEGIN EC")[0])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DER) - 1), st.binary(min_size=1, max_size=3))
def test_any_byte_may_be_another(at: int, others: bytes) -> None:
    changed = DER[:at] + others + DER[at + len(others) :]
    try:
        read = read_certificate(changed)
    except ValueError as error:
        said = str(error)
    else:
        said = "" if isinstance(read, Certificate) else "something else"
    assert said in ("", "not an X.509 certificate")


def test_it_may_end_anywhere() -> None:
    """One test: a key is made anew in each process, so that the length is not the same."""
    for at in range(len(DER)):
        with pytest.raises(ValueError, match=r"not an X\.509"):
            read_certificate(DER[:at])
