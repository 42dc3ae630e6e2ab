"""E-mail addresses are hidden however they are written, and nothing else is."""

from __future__ import annotations

import json

import pytest

from payops.domain.people import nameless


@pytest.mark.parametrize(
    "address",
    [
        "ann.lee@example.com",
        "ANN+shop@SUB.EXAMPLE.CO.UK",
        "zoë.müller@exämple.com",
        "анна@пример.рф",
        "a@xn--e1afmkfd.xn--p1ai",
        "ann%40example.com",
        '"ann lee"@example.com',
        '\\"ann lee\\"@example.com',
        "o'neil!x&y@example.com",
    ],
)
def test_an_address_is_hidden(address: str) -> None:
    assert nameless(f"of {address}, 4 times") == "of [e-mail], 4 times"


@pytest.mark.parametrize(
    "text",
    [
        "ann (root)@bastion",
        "redis://:[redacted]@127.0.0.1:6379/0",
        "postgresql://app@10.0.0.1/shop",
        "3%40x and 5 @ 6",
        "@channel",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert nameless(text) == text


def test_json_stays_json() -> None:
    texts = {"says!": "@here.example.com", "to": ["a,", "@b.example.com", '"c d"@e.example']}
    assert json.loads(nameless(json.dumps(texts))) == {
        **texts,
        "to": [*texts["to"][:2], "[e-mail]"],
    }


@pytest.mark.parametrize("text", ["a", "a@", '"', '"a', "a.b@c.", "%40"])
def test_long_texts_take_no_time(text: str) -> None:
    assert len(nameless(text * 20_000)) > 0
