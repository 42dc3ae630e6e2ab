"""Text from outside is data in every output: it moves no cursor, opens no row, links nothing."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from formats.reports import API_KEY, HOSTILE, HOSTILE_TEXTS, LONG, NOW, SECRET_TEXTS, report, result
from payops.domain.evidence import Action, Evidence
from payops.domain.impact import Impact
from payops.domain.money import MoneyAtRisk
from payops.domain.report import Report
from payops.domain.secret import Secret
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.formats import FORMATS, render

ALL = tuple(FORMATS)
TEXT = [name for name in ALL if name != "json"]
ANSI = re.compile(r"\x1b\[[0-9;]*m")
any_text = st.text(st.characters(exclude_categories=()), max_size=60)


def shown(given: Report, output: str, *, colour: bool = False, ascii_only: bool = False) -> str:
    return render(given, output, colour=colour, width=80, now=NOW, ascii_only=ascii_only)


def around(text: str) -> Report:
    """A report with `text` wherever a text from outside can be."""
    return report(
        result(
            Status.CRIT,
            "one.check",
            text,
            source=text,
            measured={text: 1, "note": text},
            evidence=(Evidence(text, text, NOW, {text: text}),),
            actions=(Action(text, f"payops trace {text}"),),
        ),
        environment=text,
        extra={"timeline": [{"what": text}]},
        tables=(Table("rows", text, (Column("a", text), Column("b", "B")), ((text, text),), text),),
    )


def assert_no_control(text: str) -> None:
    for character in text.replace("\n", ""):
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}, text


@pytest.mark.parametrize("output", ALL)
def test_no_control_character_gets_out(output: str) -> None:
    assert_no_control(shown(HOSTILE, output))


def test_the_only_escapes_are_our_own_colours() -> None:
    coloured = shown(HOSTILE, "table", colour=True)
    assert ANSI.search(coloured)
    assert_no_control(ANSI.sub("", coloured))
    assert ANSI.sub("", coloured) == shown(HOSTILE, "table")


@pytest.mark.parametrize("output", TEXT)
def test_colour_is_for_the_table_alone(output: str) -> None:
    assert ("\x1b" in shown(HOSTILE, output, colour=True)) == (output == "table")


@pytest.mark.parametrize("output", ALL)
@settings(max_examples=60, deadline=None)
@given(text=any_text)
def test_any_text_is_harmless(output: str, text: str) -> None:
    assert_no_control(shown(around(text), output))
    assert shown(around(text), output, ascii_only=True).isascii()


@pytest.mark.parametrize("output", ALL)
def test_no_secret_gets_out(output: str) -> None:
    text = shown(HOSTILE, output)
    assert not [secret for secret in SECRET_TEXTS if secret in text]
    assert "sk_live_…4242" in text.replace("\\", "")  # which one it was can still be told


@pytest.mark.parametrize("output", ALL)
@pytest.mark.parametrize(
    "secret",
    [
        "correct horse battery staple wide",
        "p|a`s*s_w[o]rd<x>",
        "line one of it\nline two of it\x1b",
    ],
)
def test_a_secret_is_gone_before_layout_can_hide_it(output: str, secret: str) -> None:
    Secret(secret)
    for filler in range(25, 50):  # so that a line break falls into it somewhere
        text = shown(around("x " * filler + secret), output)
        words = re.sub(r"[\s\\]+", "", ANSI.sub("", text))
        assert re.sub(r"[\s\\]+", "", secret) not in words
    assert "redacted" in text


def test_a_number_as_a_password_leaves_json_whole() -> None:
    Secret("991234")
    found = result(Status.CRIT, "a.b", "pw 991234", measured={"n": 991234})
    document = json.loads(shown(report(found), "json"))
    assert document["checks"][0]["summary"] == "pw [redacted]"
    assert document["checks"][0]["measured"]["n"] == 991234


def test_a_password_cannot_rename_the_contracts_keys() -> None:
    for word in ("status", "checks", "CRIT"):
        Secret(word)
    document = json.loads(shown(report(result(Status.CRIT, "a.b", "the status")), "json"))
    assert document["checks"][0]["status"] == document["status"] == "CRIT"
    assert document["checks"][0]["summary"] == "the [redacted]"


def test_json_round_trips_what_was_seen() -> None:
    document = json.loads(shown(HOSTILE, "json"))
    summaries = [check["summary"] for check in document["checks"]]
    harmless = [t for t in HOSTILE_TEXTS if API_KEY.reveal() not in t and "\ud800" not in t]
    assert len(harmless) == len(HOSTILE_TEXTS) - 2
    assert set(harmless) < set(summaries)
    assert LONG in summaries
    assert "日本語 é 💳 \\ud800 \ufdd0" in summaries
    assert all(check["measured"].get("nan") is None for check in document["checks"])


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_json_round_trips_any_text(text: str) -> None:
    document = json.loads(shown(around(text), "json"))
    assert document["environment"] == document["checks"][0]["summary"] == text


def test_json_is_one_document_of_ordinary_letters() -> None:
    text = shown(HOSTILE, "json")
    assert text.endswith("}\n")
    assert "日本語 é 💳" in text
    assert "\\u202e]degrahc ton[" in text
    assert not re.search(r"\b(NaN|Infinity)\b", text)


@pytest.mark.parametrize("output", ["table", "plain"])
def test_no_text_opens_a_row_of_its_own(output: str) -> None:
    starts = re.findall(r"(?m)^ ?(?:CRIT|WARN|UNKNOWN|OK|SKIP)\b", shown(HOSTILE, output))
    verdict = output == "table"
    assert len(starts) == len(HOSTILE.checks) + 1 + verdict


def test_markdown_renders_no_markup_from_outside() -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).render(shown(HOSTILE, "markdown"))
    assert not re.search(r"<(?:a|img|script|em|s|del|!--|ul>\s*<li>\s*<ul|ol|hr)\b", html)
    assert html.count("<h1>") == 1
    assert html.count("<h2>") == len(HOSTILE.checks) - 1 + len(HOSTILE.tables)
    assert html.count("<tr>") == len(HOSTILE.checks) + 1 + len(HOSTILE.tables[0].rows) + 1
    assert html.count("<strong>") == 1
    assert "&lt;script&gt;" in html
    assert all(len(re.findall("<td", row)) in {0, 2, 3} for row in html.split("<tr>"))


@settings(max_examples=150, deadline=None)
@given(text=st.text("ab1 .-+#*_`[]()<>|~!&;:=$@\\\n/", max_size=30))
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).render(shown(around(text), "markdown"))
    assert not re.search(r"<(?:a|img|em|s|ol|hr|b)\b", html)
    assert html.count("<strong>") == 1
    assert html.count("<tr>") == 4
    assert html.count("<ul>") == 1
    assert len(re.findall("<h[1-6]>", html)) == 3


def test_markdown_mentions_nobody() -> None:
    outside_code = re.sub(r"(?s)(`{3,})sh\n.*?\n\1\n", "", shown(HOSTILE, "markdown"))
    assert "@&#8203;oncall" in outside_code
    assert not re.search(r"@\w|#\d(?!203;)|GH-\d", outside_code)


def test_nagios_has_one_bar_on_the_first_line() -> None:
    lines = shown(HOSTILE, "nagios").splitlines()
    assert lines[0].count("|") == 1
    assert len(lines[0].encode()) <= 1024
    assert "\n".join(lines).count("|") == 2  # the second opens the rest of the perfdata
    findings = [line for line in lines[1:] if line.startswith(("CRITICAL", "WARNING", "UNKNOWN"))]
    assert len(findings) == len(HOSTILE.checks) - 1


def test_nagios_perfdata_is_well_formed() -> None:
    lines = shown(HOSTILE, "nagios").splitlines()
    start = next(number for number, line in enumerate(lines[1:], 1) if line.endswith("|"))
    datum = r"'(?:[^'=|]|'')+'=-?[0-9.]+(?:s|ms|%|B)?(?:;-?[0-9.]*:?){0,2}"
    assert re.fullmatch(rf"{datum}( {datum})*", lines[0].split(" | ")[1])
    assert all(re.fullmatch(datum, line) for line in lines[start + 1 :])


def test_a_5000_character_summary_is_wrapped_and_never_cut() -> None:
    assert shown(HOSTILE, "table").count("x") >= len(LONG)


def test_a_currency_names_no_number_of_its_own_in_a_diagnosis() -> None:
    """A ledger's currency is any text."""
    told = Impact(payments=1, money=(MoneyAtRisk("u'|=9 'd", 5, 1),))
    line = shown(replace(report(extra={"impact": told}), command="diagnose"), "nagios")
    assert line.count("|") == 1
    assert "'minor_u''__9 ''d'=5 " in line.partition("|")[2]
