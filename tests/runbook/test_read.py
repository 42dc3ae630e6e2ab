"""From front matter to a runbook, and what is said of front matter that is wrong."""

from __future__ import annotations

import pytest

from payops.domain.status import Status
from payops.errors import ConfigError
from payops.runbook.read import parsed

WHOLE = """---
id: breaker
title: A breaker
severity: P1
mttr: 20m
rows: [S4-13]
symptoms:
  confirm:
    - check: circuit.*
      is: CRIT
      where: {state: open, failures: ">= 5", code: [a, b], gone: absent, name: "~ x*", no3: "!= 3"}
      decisive: true
      says: it is open
      also: [stripe.api OK]
      unless: [{check: redis.connect, is: [CRIT, UNKNOWN]}]
    - stripe.api
  refute: ["stripe.api CRIT,UNKNOWN"]
  neutral: ["payments.*"]
scenarios:
  tripped:
    title: Tripped
    severity: P2
    symptoms: {confirm: [{check: circuit.state, decisive: true}]}
steps:
  - {id: one, ask: Is it?, answers: [yes, no, maybe], then: {yes: two, no: end}}
  - {id: two, wait: circuit.state, timeout: 90s, every: 5s}
verify:
  - {id: three, run: payops circuit status, expect: [OK, WARN]}
---
# A breaker

Prose.
"""


def test_a_whole_page() -> None:
    found = parsed(WHOLE, "breaker.md")
    assert (found.id, found.severity, found.mttr_s) == ("breaker", "P1", 1200.0)
    first, second = found.symptoms.confirm
    assert (first.check, first.statuses, first.decisive) == ("circuit.*", {Status.CRIT}, True)
    told = [(one.name, one.operator, one.values) for one in first.where]
    assert told == [
        ("state", "=", ("open",)),
        ("failures", ">=", (5.0,)),
        ("code", "=", ("a", "b")),
        ("gone", "=", (None,)),
        ("name", "~", ("x*",)),
        ("no3", "!=", (3.0,)),
    ]
    assert first.also[0].statuses == {Status.OK}
    assert first.unless[0].statuses == {Status.CRIT, Status.UNKNOWN}
    assert second.statuses == {Status.WARN, Status.CRIT}
    assert found.symptoms.refute[0].statuses == {Status.CRIT, Status.UNKNOWN}
    assert found.prose == "# A breaker\n\nProse.\n"


def test_a_narrower_cause_has_what_the_page_says_but_for_what_is_decisive() -> None:
    own, narrow = parsed(WHOLE, "breaker.md").suspects
    assert (own.scenario, own.narrow, own.severity) == ("breaker", False, "P1")
    assert (narrow.scenario, narrow.runbook, narrow.narrow) == ("tripped", "breaker", True)
    assert narrow.severity == "P2"
    assert [one.check for one in narrow.symptoms.confirm] == ["circuit.state", "stripe.api"]
    assert narrow.symptoms.neutral == own.symptoms.neutral


def test_yes_and_no_are_answers() -> None:
    one, two = parsed(WHOLE, "breaker.md").steps
    assert one.answers == ("yes", "no", "maybe")
    assert dict(one.then) == {"yes": "two", "no": "end"}
    assert (two.kind, two.timeout_s, two.every_s) == ("wait", 90.0, 5.0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("---\nid", "id"), "no front matter"),
        (("---\n# A", "# A"), "does not end"),
        (("severity: P1", "severity: P9"), "severity"),
        (("mttr: 20m", "mttr: soon"), "mttr"),
        (("title: A breaker", "titel: A breaker"), "titel"),
        (("is: CRIT", "is: BAD"), "is"),
        (('["stripe.api CRIT,UNKNOWN"]', "[stripe.api BAD]"), "'BAD' is not a status"),
        (("ask: Is it?", "ask: Is it?, tell: Do it"), "ask and tell"),
        (("wait: circuit.state, ", ""), "has none"),
        (("{check: circuit.state, decisive: true}", "circuit.state"), "nothing decisive"),
        (("id: breaker", "id: [breaker"), ""),
        (("rows: [S4-13]", "rows: {a: 1}"), "rows"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: tuple[str, str], told: str) -> None:
    assert change[0] in WHOLE
    with pytest.raises(ConfigError) as caught:
        parsed(WHOLE.replace(*change, 1), "breaker.md")
    assert "breaker.md" in str(caught.value)
    assert told in str(caught.value)
