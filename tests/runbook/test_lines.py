"""Which lines a runbook may run by itself is a list; what is not on it is refused."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from payops.cli.command_line import _root, commands, parse
from payops.errors import UsageError
from payops.runbook.lines import (
    ONLY_WITH,
    PLANS,
    READ_ONLY,
    filled,
    lines_in,
    placeholders,
    why_not_a_plan,
    why_not_read_only,
    words_of,
)

READS = [
    "health --only stripe.* --since 2h",
    "health --deep",
    "stats --by day",
    "trace pi_1 --since 3d",
    "connections",
    "circuit status stripe",
    "circuit watch --timeout 1m",
    "reconcile --since 24h --ledger payments",
    "reconcile payouts",
    "webhooks status",
    "webhooks replay --undelivered --show",
    "webhooks probe",
    "keys check",
    "keys scan .",
    "config check",
    "journal --kind apply",
    "remedy plan clear-cache",
    "apply plan.json --show",
    "runbook list",
]
CHANGES = [
    ("circuit reset", "`payops circuit reset` is not read-only"),
    ("circuit reset --dry-run", "`payops circuit reset` is not read-only"),
    ("circuit trip", "is not read-only"),
    ("circuit watch", "--timeout alone"),
    ("circuit watch --timeout 9999h", "over an hour keeps everybody waiting"),
    ("reconcile --affected x.csv", "with --affected is not read-only"),
    ("impact --affected x.csv", "with --affected is not read-only"),
    ("diagnose --replay x.tar.gz", "with --replay is not read-only"),
    ("--config x.yaml health", "has --config: which system is asked is for a person to say"),
    ("health --config=x.yaml", "has --config"),
    ("--environment staging health", "has --environment"),
    ("apply plan.json", "read-only with --show alone"),
    ("apply plan.json --dry-run", "read-only with --show alone"),
    ("undo 4", "read-only with --show alone"),
    ("webhooks replay --undelivered", "read-only with --show alone"),
    ("webhooks replay --undelivered --show --save-plan x", "a step of the kind plan"),
    ("webhooks probe --signed", "with --signed is not read-only"),
    ("reconcile --save-plan=x", "a step of the kind plan"),
    ("remedy plan clear-cache --save-plan x", "a step of the kind plan"),
    ("health --write x.json", "with --write is not read-only"),
    ("health --state x", "with --state is not read-only"),
    ("health --notify json://x", "with --notify is not read-only"),
    ("health --watch 30s", "with --watch is not read-only"),
    ("trace pi_1 --save x", "with --save is not read-only"),
    ("keys rotated stripe", "is not read-only"),
    ("lab inject circuit-stuck-open", "is not read-only"),
    ("lab status", "is not read-only"),
    ("init", "is not read-only"),
    ("demo", "is not read-only"),
    ("runbook run page", "is not read-only"),
    ("runbook new page", "is not read-only"),
]


@pytest.mark.parametrize("line", READS)
def test_reads(line: str) -> None:
    assert why_not_read_only(parse(shlex.split(line))) == ""


@pytest.mark.parametrize(("line", "why"), CHANGES)
def test_changes(line: str, why: str) -> None:
    assert why in why_not_read_only(parse(shlex.split(line)))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("circuit reset --save-plan p.json", ""),
        ("reconcile --only missing_in_ledger --save-plan p.json", ""),
        ("webhooks replay --undelivered --save-plan p.json", ""),
        ("remedy plan clear-cache --save-plan p.json", ""),
        ("circuit reset", "would not make a plan but a change"),
        ("circuit reset --save-plan p.json --force", "has --force: that is for a person to say"),
        ("circuit reset --save-plan p.json -y", "has --yes: that is for a person to say"),
        ("reconcile --save-plan p.json --write x.md", "has --write"),
        ("reconcile --save-plan p.json --affected x.csv", "has --affected"),
        ("reconcile --save-plan p.json --config x.yaml", "has --config: which system"),
        ("health", "makes no plan"),
        ("apply p.json", "makes no plan"),
    ],
)
def test_plans(line: str, why: str) -> None:
    told = why_not_a_plan(parse(shlex.split(line)))
    assert (why in told) if why else told == ""


@pytest.mark.parametrize(
    "line", ["helth", "health --onyl x", "circuit", "health -o jsn", "trace --help", "health extra"]
)
def test_what_the_command_line_does_not_take(line: str) -> None:
    with pytest.raises(UsageError):
        parse(shlex.split(line))


@pytest.mark.parametrize(
    "line",
    ["--install-completion bash", "--show-completion", "--version", "health -h", "apply -yh"],
)
def test_reading_a_line_does_nothing(
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match="asks for help"):
        parse(shlex.split(line))
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


# What may stand in a page: it chooses what is asked, and how it is shown. A new option of a listed
# command has to be put here, or among those that READ_ONLY refuses.
HARMLESS = set(
    """--amount --around --by --cause --check --database --deadline --deep --discover --endpoint
    --event --fresh --from --header --history --ignore-file --jobs --kind
    --ledger --ledger-file --limit --list --newest --no-objects --no-probe --objects --offline
    --older --only --output --payload --plan --probe --report --rows --secret-from --set
    --show-matched --since --skip --strict --stripe-file --table --timeout --type --until --window
    --at""".split()
)


def test_every_option_of_what_only_reads_was_thought_of() -> None:
    for name, refused in READ_ONLY.items():
        here = _root()
        for word in name.split():
            here = here.commands[word]
        flags = {opt for each in here.params for opt in each.opts if opt.startswith("--")}
        assert flags - refused - {"--help"} <= HARMLESS, name


def test_the_lists_name_commands_that_there_are() -> None:
    soon = {"diagnose"}  # listed before it is registered
    there = {" ".join(path) for path in commands()}
    assert {*READ_ONLY, *ONLY_WITH, *PLANS} - there <= soon


def test_a_value_stays_in_its_word() -> None:
    assert words_of("payops trace {id}", {"id": "pi_1 --save x; rm"}) == [
        "payops",
        "trace",
        "pi_1 --save x; rm",
    ]
    assert words_of("payops circuit reset {breaker}", {"breaker": ""}) == [
        "payops",
        "circuit",
        "reset",
    ]


def test_names_in_braces() -> None:
    assert placeholders("a {b} {c_d} {b} %{http_code} ${HOME} {} {E}") == ("b", "c_d")
    assert filled("{a}{b}", {"a": "{b}", "b": "1"}) == "{b}1"


def test_lines_of_prose() -> None:
    prose = """Say `payops keys check`, or
```sh
$ payops health --only \\
    stripe.api && payops journal  # see
psql -c 'select 1'
```
and `payops trace
ID`.
"""
    assert list(lines_in(prose)) == [
        ("payops health --only      stripe.api", True),
        ("payops journal", True),
        ("payops keys check", False),
        ("payops trace ID", False),
    ]
