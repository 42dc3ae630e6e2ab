"""What monitors read, read by their own parsers: nagiosplugin, junitparser, prometheus_client."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import nagiosplugin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from prometheus_client.parser import text_string_to_metric_families

from formats.reports import HOSTILE, INCIDENT, NOW, REPORTS, report, result
from payops.domain.money import MoneyAtRisk
from payops.domain.report import Report
from payops.domain.secret import Secret
from payops.domain.status import Status
from payops.domain.threshold import Threshold
from payops.formats import render

DATUM = re.compile(
    r"'(?P<label>(?:[^'\n]|'')+)'=(?P<value>-?[0-9.]+)(?P<unit>s|ms|%|B)?"
    r"(?:;(?P<warn>[^;\s]*))?(?:;(?P<crit>[^;\s]*))?(?= |$)",
    re.MULTILINE,
)
any_text = st.text(st.characters(exclude_categories=()), max_size=40)


def shown(given: Report, output: str, *, ascii_only: bool = False) -> str:
    return render(given, output, colour=False, width=80, now=NOW, ascii_only=ascii_only)


# ── nagios ───────────────────────────────────────────────────────────────────────────────────────


def perfdata(text: str) -> str:
    """What stands behind the bars: of the first line, and of the long output to its end."""
    first, _, rest = text.partition("\n")
    return f"{first.partition('|')[2].strip()}\n{rest.partition('|')[2].strip()}".strip()


@pytest.mark.parametrize("name", REPORTS)
def test_nagiosplugin_writes_the_same_perfdata(name: str) -> None:
    text = perfdata(shown(REPORTS[name], "nagios"))
    assert DATUM.sub("", text).split() == [], "something is no perfdata"
    for found in DATUM.finditer(text):
        label = found["label"].replace("''", "'")
        value = float(found["value"])
        ours = nagiosplugin.Performance(
            label.replace("'", ""),  # nagiosplugin refuses quotes in labels, the guidelines do not
            int(value) if value.is_integer() else value,
            found["unit"] or "",
            nagiosplugin.Range(found["warn"] or ""),
            nagiosplugin.Range(found["crit"] or ""),
        )
        theirs = str(ours)
        assert theirs.partition("=")[2] == found[0].rpartition("'=")[2]


@settings(max_examples=300, deadline=None)
@given(
    value=st.integers(-1000, 1000),
    warn=st.integers(-1000, 1000),
    crit=st.integers(-1000, 1000),
    worse=st.sampled_from(["higher", "lower"]),
)
def test_a_range_of_the_guidelines_alerts_when_we_do(
    value: int, warn: int, crit: int, worse: str
) -> None:
    limit = Threshold(warn, crit, "count", "", worse=worse)  # type: ignore[arg-type]
    check = result(Status.OK, "a.b", "", measured={"x": value}, limits={"x": limit})
    found = DATUM.search(perfdata(shown(report(check), "nagios")))
    assert found
    for range_, side in ((found["warn"], warn), (found["crit"], crit)):
        beyond = value > side if worse == "higher" else value < side
        # `10` is 0 to 10 by the guidelines: what counts from 0 up is below it by mistake alone.
        if not (worse == "higher" and value < 0 <= side):
            assert nagiosplugin.Range(range_).match(value) is not beyond


def test_nagios_reads_all_of_an_outage() -> None:
    """8 kB of output is what Nagios reads; the perfdata stands at the end of it."""
    checks = [
        result(Status.CRIT, f"a.check_{n:02}", "does not answer " * 20, measured={"latency": n})
        for n in range(60)
    ]
    text = shown(report(*checks), "nagios")
    assert len(text.encode()) < 8192
    assert len(DATUM.findall(perfdata(text))) == 60
    told = [line for line in text.splitlines() if line.startswith("CRITICAL a.check_")]
    (more,) = re.findall(r"(?m)^\.\.\. and (\d+) more", text)
    assert len(told) + int(more) == 60


def test_a_run_with_a_memory_says_what_changed() -> None:
    lines = shown(REPORTS["changed"], "nagios").splitlines()
    assert lines[0].startswith(
        "PAYOPS HEALTH CRITICAL - 2 of 4 checks, 1 new, 1 resolved, 1 flapping: circuit.state: "
    )
    assert any(line.startswith("CRITICAL circuit.state") and "; new" in line for line in lines)
    assert any("persisting, seen since 2026-02-11T09:18:04Z" in line for line in lines)
    assert "OK payments.success_rate: resolved; it was seen since 2026-02-11T09:18:04Z" in lines


# ── junit ────────────────────────────────────────────────────────────────────────────────────────


def suite_of(text: str) -> TestSuite:
    (suite,) = list(JUnitXml.fromstring(text.encode()))
    return suite


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_junitparser_reads_every_check(name: str, ascii_only: bool) -> None:
    given = REPORTS[name]
    suite = suite_of(shown(given, "junit", ascii_only=ascii_only))
    binding = [check for check in given.checks if not check.advisory]
    failed = [check for check in binding if check.status in (Status.WARN, Status.CRIT)]
    unknown = [check for check in binding if check.status is Status.UNKNOWN]
    skipped = [check for check in given.checks if check.status is Status.SKIP]
    assert suite.tests == len(given.checks) == len(list(suite))
    assert (suite.failures, suite.errors, suite.skipped) == (
        len(failed), len(unknown), len(skipped)
    )  # fmt: skip
    kinds = [type(one) for case in suite for one in case.result]
    assert kinds.count(Failure) == len(failed)
    assert kinds.count(Error) == len(unknown)
    assert kinds.count(Skipped) == len(skipped)


def test_a_failure_says_what_to_do() -> None:
    cases = {case.name: case for case in suite_of(shown(INCIDENT, "junit"))}
    (failure,) = cases["circuit.state"].result
    assert failure.type == "CRIT"
    assert failure.message.startswith("breaker `stripe` is open")
    assert "next: payops circuit reset stripe" in failure.text
    assert "money: 1,234.50 USD (11)" in failure.text
    assert cases["circuit.state"].classname == "payops.health.circuit"
    advisory = cases["webhooks.endpoint_url"]
    assert advisory.result == []
    assert "CRIT (advisory)" in advisory.system_out


# The schema of the format as Jenkins' xUnit plugin publishes it: which element has which
# attributes, and may stand in which.
PARENTS = {
    "testsuites": (None,),
    "testsuite": ("testsuites",),
    "properties": ("testsuite",),
    "property": ("properties",),
    "testcase": ("testsuite",),
    "failure": ("testcase",),
    "error": ("testcase",),
    "skipped": ("testcase",),
    "system-out": ("testcase",),
}
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {
        "name", "tests", "failures", "errors", "skipped", "time", "timestamp"
    },
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}  # fmt: skip


@pytest.mark.parametrize("name", REPORTS)
def test_elements_and_attributes_are_those_of_the_schema(name: str) -> None:
    def walk(element: ET.Element, parent: str | None) -> None:
        assert parent in PARENTS[element.tag]
        assert set(element.attrib) == ATTRIBUTES.get(element.tag, set())
        for key in ("time",):
            assert re.fullmatch(r"[0-9]+\.[0-9]{3}", element.get(key, "0.000"))
        for child in element:
            walk(child, element.tag)

    root = ET.fromstring(shown(REPORTS[name], "junit"))
    walk(root, None)
    stamp = root.find("testsuite").get("timestamp")  # type: ignore[union-attr]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", stamp or "")


@settings(max_examples=100, deadline=None)
@given(text=any_text, ascii_only=st.booleans())
def test_any_text_is_whole_xml(text: str, ascii_only: bool) -> None:
    checks = (result(Status.CRIT, text, text), result(Status.SKIP, text, text))
    suite = suite_of(shown(report(*checks, environment=text), "junit", ascii_only=ascii_only))
    assert suite.tests == 2


# ── prometheus ───────────────────────────────────────────────────────────────────────────────────

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def series(text: str) -> Series:
    """Every sample by name and labels; a series that occurs twice fails, as in node_exporter."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge", family.name
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} occurs twice"
            assert sample.timestamp is None, "the textfile collector refuses times"
            found[key] = sample.value
    return found


def value_of(found: Series, name: str, **labels: str) -> float:
    matching = [
        value
        for (metric, given), value in found.items()
        if metric == name and labels.items() <= dict(given).items()
    ]
    assert len(matching) == 1, (name, labels, matching)
    return matching[0]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_prometheus_client_reads_every_series(name: str, ascii_only: bool) -> None:
    given = REPORTS[name]
    text = shown(given, "prometheus", ascii_only=ascii_only)
    found = series(text)
    assert text.endswith("\n")
    assert value_of(found, "payops_run_timestamp_seconds") == NOW.timestamp()
    assert value_of(found, "payops_run_duration_seconds") == given.duration_ms / 1000
    assert value_of(found, "payops_status", status=given.status.value) == 1
    for metric, labels in found:
        assert metric.startswith("payops_")
        assert {"command", "environment"} <= dict(labels).keys()


def test_a_check_has_one_status_and_its_numbers() -> None:
    found = series(shown(INCIDENT, "prometheus"))
    for check in INCIDENT.checks:
        states = {
            status.value: value_of(
                found, "payops_check_status", check=check.id, status=status.value
            )
            for status in Status
        }
        assert states == {s.value: float(s is check.status) for s in Status}
    one = {"check": "circuit.state"}
    assert value_of(found, "payops_check_measured", measure="failures", unit="count", **one) == 7
    assert value_of(found, "payops_check_limit", measure="failures", limit="crit", **one) == 6
    assert value_of(found, "payops_money_at_risk_minor", currency="usd", **one) == 123450
    assert value_of(found, "payops_money_at_risk_payments", currency="kwd", **one) == 1
    assert value_of(
        found, "payops_check_status", check="webhooks.endpoint_url", status="CRIT", advisory="true"
    )


def test_an_id_that_occurs_twice_is_one_series_of_the_worse() -> None:
    twice = report(
        result(Status.OK, "a.b", "x", measured={"n": 1}),
        result(Status.CRIT, "a.b", "y", money_at_risk=(MoneyAtRisk("usd", 5, 1),)),
    )
    found = series(shown(twice, "prometheus"))
    assert value_of(found, "payops_check_status", check="a.b", status="CRIT") == 1


def test_two_commands_agree_on_help_and_never_on_a_series() -> None:
    """node_exporter reads all files of its folder as one exposition."""

    def heads(text: str) -> dict[str, str]:
        return dict(re.findall(r"(?m)^# (HELP \S+|TYPE \S+) (.*)$", text))

    one, other = shown(INCIDENT, "prometheus"), shown(REPORTS["reconcile"], "prometheus")
    for name, said in heads(one).items():
        assert heads(other).get(name, said) == said
    assert not series(one).keys() & series(other).keys()


@settings(max_examples=100, deadline=None)
@given(text=any_text, ascii_only=st.booleans())
def test_any_text_is_one_exposition(text: str, ascii_only: bool) -> None:
    check = result(Status.CRIT, f"x.{text}", text, measured={text: 1})
    found = series(shown(report(check, environment=text), "prometheus", ascii_only=ascii_only))
    assert value_of(found, "payops_run_stripe_calls") == 4
    assert len(io.StringIO(shown(report(check), "prometheus")).readlines()) > 10


@pytest.mark.parametrize("output", ["junit", "prometheus"])
def test_a_password_like_a_name_of_the_format_breaks_nothing(output: str) -> None:
    for word in ("testcase", "payops_check_status", "TYPE", "status", "2026"):
        Secret(word)
    text = shown(HOSTILE, output)
    if output == "junit":
        assert suite_of(text).tests == len(HOSTILE.checks)
    else:
        assert series(text)
