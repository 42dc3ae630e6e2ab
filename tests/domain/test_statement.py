"""What may be shown of a statement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.statement import shown
from payops.domain.text import harmless

SECRET = "tok_hidden_4711"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1", "SELECT ?"),
        ("UPDATE t2 SET a1 = 5.25 WHERE id = $1", "UPDATE t2 SET a1 = ? WHERE id = $1"),
        ("SELECT 'it''s' , \"odd 7 name\"", 'SELECT ? , "odd 7 name"'),
        ("SELECT E'it\\'s' || 'x'", "SELECT ? || ?"),
        ("SELECT $$a $1 b$$, $tag$ c $tag$, $2", "SELECT ?, ?, $2"),
        ("-- who\nSELECT /* why */ a\n\tFROM t", "SELECT a FROM t"),
        ("SELECT a FROM t WHERE b = 'cut o", "SELECT a FROM t WHERE b = ?"),
        ("SELECT /* cut o", "SELECT"),
        ("SELECT /* a /* b */ c */ d /* e */ FROM t", "SELECT d FROM t"),
        ("SELECT a / b * c /**/ FROM t", "SELECT a / b * c FROM t"),
        ("SELECT /* a /* b", "SELECT"),
        ("", ""),
    ],
)
def test_literals_and_comments_go(statement: str, expected: str) -> None:
    assert shown(statement) == expected


@pytest.mark.parametrize(
    "form",
    [
        "'{}'",
        "E'\\'{}'",
        "$$ {} $$",
        "$q$ {} $q$",
        "$é1$ {} $é1$",
        "/* {} */",
        "/* a /* b */ {} */",
        "/*/ {} */",
        "-- {}\n",
        "'cut {}",
        "/* cut {}",
    ],
)
@pytest.mark.parametrize("cut", [0, 3])
def test_what_is_in_them_is_never_shown(form: str, cut: int) -> None:
    whole = f"SELECT a FROM t WHERE b = {form.format(SECRET)}"
    assert SECRET not in shown(whole[: len(whole) - cut], 400)


@given(st.text(), st.integers(1, 200))
def test_it_is_one_harmless_line_of_its_width(statement: str, width: int) -> None:
    line = shown(statement, width)
    assert len(line) <= width
    assert line == harmless(line)


@given(st.text(alphabet=st.characters(exclude_characters="'\\"), min_size=1))
def test_any_literal_is_hidden(literal: str) -> None:
    assert shown(f"SELECT a WHERE b = '{literal}' AND c") == "SELECT a WHERE b = ? AND c"
