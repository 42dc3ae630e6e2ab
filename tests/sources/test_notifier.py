"""Messages through apprise itself, to an HTTP server of ours."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time

import pytest

from listening import listening
from payops.sources import notifier
from payops.sources.notifier import missing, send, shown

# Plugins of apprise load modules that Python will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_one_message_to_each_address() -> None:
    with listening() as one, listening() as other:
        urls = [f"json://127.0.0.1:{one.port}/a", f"json://127.0.0.1:{other.port}/b"]
        assert send(urls, "title", "line\n<b>two</b>", bad=True, seconds=10) == []
    for heard in (one, other):
        (body,) = heard.bodies
        sent = json.loads(body)
        assert (sent["title"], sent["message"], sent["type"]) == (
            "title", "line\n<b>two</b>", "failure"
        )  # fmt: skip


def test_good_news_is_of_another_kind() -> None:
    with listening() as heard:
        send([f"json://127.0.0.1:{heard.port}/"], "t", "b", bad=False, seconds=10)
    assert json.loads(heard.bodies[0])["type"] == "success"


def test_who_fails_is_named_by_scheme_and_hides_no_other(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with listening(500) as broken, listening() as good:
        failed = send(
            [
                f"json://user:hunter2hunter2@127.0.0.1:{broken.port}/secretpath",
                "nothing",
                "slack://not/enough",
                f"json://127.0.0.1:{good.port}/",
            ],
            "t",
            "b",
            bad=True,
            seconds=10,
        )
    assert len(good.bodies) == 1
    assert [line.partition(":")[0] for line in failed] == [
        "json", "an address without a scheme", "slack"
    ]  # fmt: skip
    assert "could not be sent" in failed[0]
    assert "500" in failed[0]
    assert "is not understood" in failed[1]
    assert "hunter2" not in "".join(failed)
    assert capfd.readouterr() == ("", ""), "apprise writes to nobody's stderr"


def test_who_does_not_answer_is_given_up() -> None:
    with listening(delay=30) as heard:
        began = time.monotonic()
        failed = send([f"json://127.0.0.1:{heard.port}/"], "t", "b", bad=True, seconds=0.5)
        assert time.monotonic() - began < 1.5
    assert failed == ["json://…: no answer within 0.5 s"]


def test_a_fault_of_apprise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import apprise

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2hunter2")

    monkeypatch.setattr(apprise.Apprise, "notify", fail)
    (line,) = send(["json://localhost/"], "t", "b", bad=True, seconds=5)
    assert line == "json://…: could not be sent: RuntimeError: password=[redacted]"


def test_without_apprise_it_says_how_to_install_it() -> None:
    assert not missing()
    code = (
        "import sys; sys.modules['apprise'] = None\n"
        "from payops.sources.notifier import send\n"
        "print(*send(['json://h'], 't', 'b', bad=True, seconds=5))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"json://…: apprise is not installed: {notifier.INSTALL}\n"


def test_what_apprise_logs_stays_where_it_was() -> None:
    send(["nothing"], "t", "b", bad=True, seconds=5)
    assert logging.getLogger("apprise").handlers == [
        one for one in logging.getLogger("apprise").handlers if not hasattr(one, "last")
    ]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("slack://T/O/K", "slack://…"),
        ("slack", "an address without a scheme"),
        ("x" * 50 + "://h", "x" * 19 + "…://…"),
    ],
)
def test_what_is_shown_of_an_address(url: str, text: str) -> None:
    assert shown(url) == text
