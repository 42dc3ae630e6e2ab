"""What is told when something goes wrong: one line, harmless, without a secret."""

from __future__ import annotations

import pytest

from payops.cli.boundary import guarded, tell, tell_error
from payops.errors import ConfigError, Failure, PayopsError, SourceError, UsageError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            ConfigError("unknown key", file="p.yaml", line=3, path="a.b", hint="write a.c"),
            "payops: p.yaml:3: a.b: unknown key; write a.c\n",
        ),
        (
            UsageError("there is no 'x'; did you mean 'y'?", hint="one of y, z"),
            "payops: there is no 'x'; did you mean 'y'? one of y, z\n",
        ),
        (
            SourceError("redis", Failure.REFUSED, "redis:6379"),
            "payops: redis: connection refused: redis:6379\n",
        ),
        (UsageError("a\n\x1b[2Jb"), "payops: a\\n\\x1b[2Jb\n"),
        (PayopsError("sk_live_abcdefghijkl4242"), "payops: sk_live_…4242\n"),
    ],
)
def test_an_error_is_one_line(
    error: PayopsError, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_error(error)
    assert capsys.readouterr() == ("", expected)


def test_a_message_is_redacted_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    tell("key sk_live_abcdefghijkl4242 \x1b[31mred")
    assert capsys.readouterr().err == "key sk_live_…4242 \\x1b[31mred\n"


@pytest.mark.parametrize("verbose", [False, True])
def test_a_fault_of_payops_is_3_and_a_traceback_only_when_asked_for(
    verbose: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> int:
        raise ZeroDivisionError("sk_live_abcdefghijkl4242")

    assert guarded(broken, verbose=lambda: verbose) == 3
    said = capsys.readouterr().err
    assert "fault of payops: ZeroDivisionError" in said
    assert ("Traceback" in said) is verbose
    assert "sk_live_abcdefghijkl4242" not in said
