"""`${VAR}`, `secret_command:` and what lies on top of a preset."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payops.config import values
from payops.config.load import read, settings_from
from payops.config.values import dotted, fill_in, merged, run_secret_command
from payops.errors import ConfigError

Written = Callable[..., Path]
ENVIRON = {"A": "alpha", "EMPTY": "", "_b1": "beta"}


def filled(raw: object) -> Any:
    return fill_in(raw, ENVIRON, lambda keys, command: pytest.fail("no command here"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "alpha"),
        ("x-${A}-${_b1}-y", "x-alpha-beta-y"),
        ("${NOT_SET:-other}", "other"),
        ("${NOT_SET:-}", ""),
        ("${A:-other}", "alpha"),
        ("${EMPTY}", ""),
        ("${EMPTY:-other}", "other"),  # as in a shell
        ("${NOT_SET:-a b:c}", "a b:c"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A and $5", "$A and $5"),
        ("plain", "plain"),
    ],
)
def test_references_to_the_environment(text: str, expected: str) -> None:
    assert filled(text) == expected
    assert filled({"k": [text, {"n": text}]}) == {"k": [expected, {"n": expected}]}


def test_what_is_not_text_is_left_alone() -> None:
    raw = {"a": 1, "b": None, "c": True, "d": 1.5, "${A}": "key"}
    assert filled(raw) == raw


def test_a_value_is_not_filled_in_twice() -> None:
    assert fill_in("${X}", {"X": "${A}"}, lambda *_: "") == "${A}"


@pytest.mark.parametrize(
    "text", ["${NOT_SET}", "${}", "${A-b}", "${1}", "${A", "${a b}", "${A:=x}"]
)
def test_references_that_are_wrong(text: str, written: Written) -> None:
    path = written(f"environment: x\nredis:\n  url: '{text}'\n")
    with pytest.raises(ConfigError) as raised:
        read(path, {"A": "secret-value"})
    assert raised.value.path == "redis.url"
    assert raised.value.line == 3
    assert raised.value.hint
    assert "secret-value" not in str(raised.value) + raised.value.hint


def test_the_place_of_a_reference_in_a_list(written: Written) -> None:
    path = written("stripe:\n  secret_key: x\n  webhook_secrets:\n    - a\n    - ${NOT_SET}\n")
    with pytest.raises(ConfigError, match="NOT_SET is not set") as raised:
        read(path, {})
    assert (raised.value.path, raised.value.line) == ("stripe.webhook_secrets[1]", 5)


# ── secret_command ───────────────────────────────────────────────────────────────────────────────

PYTHON = sys.executable


def script(code: str) -> list[str]:
    return [PYTHON, "-c", code]


def secret(command: object) -> str:
    return run_secret_command(("stripe", "secret_key"), command)


def test_the_first_line_that_it_prints() -> None:
    assert secret("echo sk_test_one") == "sk_test_one"
    assert secret("printf '%s\\r\\nsecond' 'a b'") == "a b"
    assert secret(["printf", "%s", "$HOME `id` ; ls"]) == "$HOME `id` ; ls", "no shell"
    assert secret(script("import sys; print(repr(sys.stdin.read()))")) == "''", "no stdin"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (script("import sys; print('hunter2hunter2'); sys.exit(4)"), "failed with exit status 4"),
        ("true", "printed nothing"),
        ("echo", "printed nothing"),
        ("echo '   '", "printed nothing"),
        ("no-such-command-at-all", "cannot be run: No such file"),
        ("/", "cannot be run: "),
        ("", "is empty"),
        ([], "is empty"),
        ("pass 'show", "is no command line: No closing quotation"),
        (["a\0b"], "cannot be run: embedded null byte"),
        (None, "is a command line or a list of words"),
        (5, "is a command line or a list of words"),
        ({"run": "x"}, "is a command line or a list of words"),
        ([["x"]], "is a command line or a list of words"),
    ],
)
def test_commands_that_give_no_secret(command: object, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        secret(command)
    assert message in raised.value.message
    assert raised.value.path == "stripe.secret_key"
    assert "hunter2" not in str(raised.value) + raised.value.hint


def test_nothing_that_it_printed_is_told_of_a_failure() -> None:
    code = (
        "import sys; print('s3cr3t-value'); print('using s3cr3t-value', file=sys.stderr);"
        "sys.exit(2)"
    )
    with pytest.raises(ConfigError) as raised:
        secret(script(code))
    assert raised.value.hint
    assert "s3cr3t" not in str(raised.value) + raised.value.hint + repr(raised.value.__cause__)


def test_one_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_COMMAND_TIMEOUT_S", 0.2)
    started = time.monotonic()
    with pytest.raises(ConfigError, match="did not end within"):
        secret(["sh", "-c", "echo hunter2; sleep 20; echo never"])
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "code",
    [
        "sleep 20 & echo sk_test_one",  # as gpg-agent or ssh's ControlMaster may
        "echo sk_test_one; exec >&-; sleep 0.2",
        "printf sk_test_; sleep 0.2; echo one; yes | head -c 300000",
    ],
)
def test_what_it_leaves_behind_is_not_waited_for(code: str) -> None:
    started = time.monotonic()
    assert secret(["sh", "-c", code]) == "sk_test_one"
    assert time.monotonic() - started < 2


def test_a_file_that_others_can_write_may_not_run_commands(
    written: Written, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    text = f"redis:\n  url: {{secret_command: [touch, {ran}]}}\n"
    for mode in (0o602, 0o620, 0o666):
        with pytest.raises(ConfigError, match="may not run commands") as raised:
            read(written(text, mode=mode), {})
        assert "chmod go-w" in raised.value.hint
        assert (raised.value.path, raised.value.line) == ("redis.url", 2)
    assert not ran.exists()
    read_all = "redis:\n  url: {secret_command: echo redis://:pw@h}\n"
    assert read(written(read_all, mode=0o644), {}).redis is not None


def test_a_secret_by_command_in_every_place(written: Written) -> None:
    found = read(
        written(
            "stripe:\n"
            "  secret_key: {secret_command: echo sk_test_1}\n"
            "  webhook_secrets: [whsec_one, {secret_command: [echo, whsec_two]}]\n"
        ),
        {},
    )
    assert found.stripe is not None
    assert found.stripe.secret_key.reveal() == "sk_test_1"
    assert [s.reveal() for s in found.stripe.webhook_secrets] == ["whsec_one", "whsec_two"]


# ── on top of a preset ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"x": None}}, {"a": {"y": 1}}),
        ({}, {"a": None, "b": {"c": None}}, {"b": {}}),
        ({"t": {"warn": 1, "crit": 2}}, {"t": {"crit": None}}, {"t": {"warn": 1, "crit": None}}),
        ({}, {"t": {"warn": None}}, {"t": {"warn": None}}),
    ],
)
def test_key_by_key(base: dict[str, Any], over: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(base)
    assert merged(base, over) == expected
    assert repr(base) == before, "the preset is not changed"


def test_a_preset_is_a_start() -> None:
    plain = settings_from({"preset": "reference"})
    assert plain.payments is not None
    assert plain.payments.table == "payments"
    changed = settings_from(
        {
            "preset": "reference",
            "ledgers": {
                "payments": {"table": "orders", "columns": {"failure_code": None}},
                "refunds": None,
            },
            "circuit": {"breakers": []},
        }
    )
    assert changed.payments is not None
    assert changed.payments.table == "orders"
    assert changed.payments.columns.failure_code == ""
    assert changed.payments.columns.id == plain.payments.columns.id
    assert set(changed.ledgers) == {"payments"}
    assert not changed.circuit.breakers
    assert plain.circuit.breakers


@pytest.mark.parametrize(
    ("keys", "text"),
    [(("a", "b"), "a.b"), (("a", 0, "b"), "a[0].b"), ((), ""), (("a", 1, 2), "a[1][2]")],
)
def test_dotted(keys: tuple[str | int, ...], text: str) -> None:
    assert dotted(keys) == text
