"""Nothing that a terminal obeys or a reader cannot see survives; letters do."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.text import harmless, shortened

any_text = st.text(st.characters(exclude_categories=()))


def _dangerous(code: int) -> bool:
    character = chr(code)
    non_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    # U+200D (Cf), which joins emoji, is shown too: joined cannot be told from hidden
    return non_character or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def test_every_dangerous_character_of_unicode_is_made_visible() -> None:
    for code in range(sys.maxunicode + 1):
        if _dangerous(code):
            assert harmless(chr(code)).isascii(), hex(code)
            assert harmless(chr(code)).isprintable(), hex(code)


def test_letters_digits_and_symbols_of_every_script_stay() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] in "NPS" or unicodedata.category(chr(code)) == "Lu":
            assert harmless(chr(code)) == chr(code), hex(code)


@pytest.mark.parametrize(
    "text", ["é", "e\u0301", "漢字", "💳", "❤\ufe0f", "שלום", "मूल्य", "€ · → …"]
)
def test_people_can_write_in_their_own_words(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\u202e", "\\u202e"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u3164b\u115f", "a\\u3164b\\u115f"),
        ("👩\u200d🚒", "👩\\u200d🚒"),
        ("\ud800", "\\ud800"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(any_text)
def test_any_text(text: str) -> None:
    once = harmless(text)
    assert harmless(once) == once
    assert len(once.splitlines()) <= 1
    assert not any(_dangerous(ord(character)) for character in once)
    once.encode()  # no lone surrogate is left to break an output


@given(st.text(), st.integers(-3, 20))
def test_shortened_is_never_longer_than_asked(text: str, width: int) -> None:
    short = shortened(text, width)
    assert len(short) <= max(width, 0)
    assert short == text or short.endswith("…") or width < 1
