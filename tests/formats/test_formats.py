"""What each output promises, beyond what the golden files show."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import PurePosixPath

import pytest
from rich.cells import cell_len

from formats.reports import EMPTY, HOSTILE, INCIDENT, NOW, REPORTS, report, result
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money
from payops.domain.report import Report
from payops.domain.secret import Secret
from payops.domain.status import Status
from payops.domain.threshold import Threshold
from payops.errors import UsageError
from payops.formats import FORMATS, render


def shown(given: Report, output: str, *, width: int = 80, ascii_only: bool = False) -> str:
    return render(given, output, colour=False, width=width, now=NOW, ascii_only=ascii_only)


def as_json(given: Report) -> dict[str, object]:
    document: dict[str, object] = json.loads(shown(given, "json"))
    return document


# --- finding an output ---


def test_outputs_are_found_by_name_and_loaded_when_asked_for() -> None:
    assert set(FORMATS) == {
        "table", "plain", "markdown", "json", "nagios", "csv", "junit", "prometheus"
    }  # fmt: skip
    with pytest.raises(KeyError):
        FORMATS["safe"]


@pytest.mark.parametrize(
    ("output", "forbidden"), [("json", "rich tabulate"), ("nagios", "rich tabulate"),
                              ("plain", "rich"), ("markdown", "rich"), ("table", "tabulate"),
                              ("junit", "rich tabulate"), ("prometheus", "rich tabulate")]
)  # fmt: skip
def test_an_output_loads_only_what_it_draws_with(output: str, forbidden: str) -> None:
    code = (
        "import sys; from datetime import UTC, datetime; from payops.domain.report import Report\n"
        "from payops.formats import FORMATS, render\n"
        "assert len(FORMATS) and not {'rich', 'tabulate'} & set(sys.modules)\n"
        "now = datetime.now(UTC)\n"
        f"render(Report('health', now, 'x', ()), {output!r}, colour=True, width=80, now=now)\n"
        f"assert not set({forbidden!r}.split()) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("jsn", "did you mean json?"), ("TABEL", "did you mean table?"), ("zzz", "one of csv, ")],
)
def test_an_unknown_output_names_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        shown(EMPTY, name)
    assert hint in caught.value.hint


def test_ascii_is_chosen_for_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    for output in FORMATS:
        text = render(INCIDENT, output, colour=False, width=80, now=NOW)
        assert text == shown(INCIDENT, output, ascii_only=output == "table")


# --- table ---


@pytest.mark.parametrize("width", [1, 40, 60, 71, 72, 80, 120, 200])
@pytest.mark.parametrize("name", REPORTS)
def test_no_line_of_a_table_but_a_command_is_wider_than_the_page(name: str, width: int) -> None:
    lines = shown(REPORTS[name], "table", width=width).splitlines()
    wide = [line for line in lines if cell_len(line) > max(width, 40)]
    assert all(line.strip().startswith(("payops ", "stripe ")) for line in wide)
    assert not [line for line in lines if line != line.rstrip()]


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_command_is_alone_on_its_line_and_whole(width: int, ascii_only: bool) -> None:
    lines = shown(INCIDENT, "table", width=width, ascii_only=ascii_only).splitlines()
    alone = {line.strip() for line in lines}
    for check in INCIDENT.checks:
        for action in check.actions:
            assert not action.command or action.command in alone


def test_a_table_shows_the_worst_first_and_advice_after_what_counts() -> None:
    text = shown(INCIDENT, "table")
    names = ["circuit.state", "payments.stuck", "webhooks.delivery_lag", "webhooks.endpoint_url",
             "stripe.reachable", "payments.success_rate", "redis.replication"]  # fmt: skip
    places = [text.index(name) for name in names]
    assert places == sorted(places)
    assert text.endswith("CRIT: begin with circuit.state\n  payops circuit reset stripe\n")
    assert "… 2 more" in text


def test_advice_alone_leaves_a_report_ok() -> None:
    advice = replace(INCIDENT.checks[4], advisory=True)
    given = report(result(Status.OK, "a.b", "fine"), advice)
    assert "OK: nothing to do, but see the advice" in shown(given, "table")
    assert shown(given, "nagios").startswith("PAYOPS HEALTH OK - 2 checks, 1 advisory\nCRITICAL ")


def test_stale_evidence_is_shown_with_its_age() -> None:
    seen = Evidence("lag", "postgres", NOW - timedelta(days=1, minutes=5))
    text = shown(report(result(Status.WARN, "a.b", "old", evidence=(seen,))), "plain")
    assert "seen: postgres 2026-02-10T09:25:00Z (1 d ago): lag" in text


# --- json ---


def test_json_has_the_contracts_keys_in_order() -> None:
    document = as_json(INCIDENT)
    assert list(document) == [
        "schema_version", "command", "status", "generated_at", "environment", "checks", "impact",
        "stripe_calls", "duration_ms",
    ]  # fmt: skip
    assert list(document["checks"][0]) == [  # type: ignore[index]
        "id", "title", "status", "summary", "source", "as_of", "since", "measured", "limits",
        "evidence", "actions", "money_at_risk", "duration_ms", "advisory", "rows",
    ]  # fmt: skip
    breaker = document["checks"][2]  # type: ignore[index]
    assert breaker["money_at_risk"][0] == {"currency": "usd", "minor": 123450, "count": 11}
    assert breaker["actions"][2] == {"text": "Tell #payments-oncall", "command": ""}
    assert breaker["limits"]["warn"] == breaker["limits"]["failures"]["warn"] == 5
    assert breaker["limits"]["open_s"]["warn"] is None


def test_a_limit_named_like_a_short_cut_wins() -> None:
    limits = {"age": Threshold(1, 2, "s", ""), "warn": Threshold(3, 4, "s", "")}
    check = as_json(report(result(Status.OK, "a.b", "", limits=limits)))["checks"][0]  # type: ignore[index]
    assert check["limits"]["warn"]["crit"] == 4
    assert check["limits"]["crit"] == 2


class _Class(StrEnum):
    MISSING = "missing_in_ledger"


def test_json_extra_may_be_rich_and_never_replaces_the_contract() -> None:
    extra = {
        "status": "OK",
        "stripe_calls": -1,
        "money": [Money("usd", 5)],
        "at": datetime(2026, 2, 11, 10, 0, 0, 250000, tzinfo=UTC),
        "age": timedelta(minutes=2),
        "class": _Class.MISSING,
        "by_class": {_Class.MISSING: Decimal("1E+3")},
        "nothing": float("nan"),
        "path": PurePosixPath("/tmp/plan"),
        "names": {"b", "a"},
        "raw": b"\xff\x00",
        "key": Secret("sk_live_nobody_shall_see_this"),
        "in_text": "whsec_abcdefghijklmnop",
    }
    document = as_json(report(extra=extra))
    assert (document["status"], document["stripe_calls"]) == ("UNKNOWN", 4)
    assert document["money"] == [{"currency": "usd", "minor": 5}]
    assert document["at"] == "2026-02-11T10:00:00.250000Z"
    assert document["age"] == 120
    assert document["class"] == "missing_in_ledger"
    assert document["by_class"] == {"missing_in_ledger": "1000"}
    assert document["nothing"] is None
    assert document["path"] == "/tmp/plan"
    assert document["names"] == ["a", "b"]
    assert document["raw"] == "\ufffd\x00"
    assert document["key"] == "[redacted]"
    assert document["in_text"] == "whsec_…mnop"


def test_json_of_an_ascii_terminal_is_the_same_document() -> None:
    assert json.loads(shown(HOSTILE, "json", ascii_only=True)) == as_json(HOSTILE)


# --- nagios ---


def perfdata(value: object, threshold: Threshold | None = None) -> str:
    check = result(
        Status.OK,
        "a.b",
        "",
        measured={"x": value},
        limits={"x": threshold} if threshold else {},
    )
    return shown(report(check), "nagios").strip().partition(" | ")[2]


@pytest.mark.parametrize(
    ("value", "threshold", "expected"),
    [
        (7, Threshold(5, 10, "count", ""), "'a.b.x'=7;5;10"),
        (94.5, Threshold(95, 90, "%", "", worse="lower"), "'a.b.x'=94.5%;95:;90:"),
        (3, Threshold(None, 10, "ms", ""), "'a.b.x'=3ms;;10"),
        (3, Threshold(1, None, "bytes", ""), "'a.b.x'=3B;1"),
        (3, Threshold(None, None, "s", ""), "'a.b.x'=3s"),
        (3, Threshold(1, 2, "events", ""), "'a.b.x'=3;1;2"),
        (1e-7, None, "'a.b.x'=0"),
        (-1e-7, None, "'a.b.x'=0"),
        (1e22, None, "'a.b.x'=10000000000000000000000"),
        (True, None, ""),
        ("7", None, ""),
        (None, None, ""),
        (float("inf"), None, ""),
    ],
)
def test_perfdata(value: object, threshold: Threshold | None, expected: str) -> None:
    assert perfdata(value, threshold) == expected


def test_a_pager_sees_every_status_word() -> None:
    words = {"OK": "OK", "WARN": "WARNING", "CRIT": "CRITICAL", "UNKNOWN": "UNKNOWN"}
    for status, word in words.items():
        given = report(result(Status(status), "a.b", "x"), result(Status.SKIP, "c.d", "y"))
        first = shown(given, "nagios").splitlines()[0]
        assert first.startswith(f"PAYOPS HEALTH {word} - ")
        assert "1 skipped" in first


def test_a_long_first_line_is_cut_by_bytes_and_keeps_all_perfdata() -> None:
    checks = [
        result(Status.CRIT, f"family.check_{n}", "漢字" * 50, measured={"x": n}) for n in range(60)
    ]
    text = shown(report(*checks), "nagios")
    assert len(text.splitlines()[0].encode()) <= 1024
    assert all(f"'family.check_{n}.x'={n}" in text for n in range(60))


# --- markdown ---


def test_a_fence_is_longer_than_the_backticks_in_it() -> None:
    check = result(Status.CRIT, "a.b", "", actions=(Action("", "echo ````"),))
    assert "`````sh\necho ````\n`````\n" in shown(report(check), "markdown")
