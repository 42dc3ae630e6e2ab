"""Do the names of the application's addresses resolve?"""

from __future__ import annotations

import pytest

from payops.checks.app.dns import CHECK, Facts, Resolved
from payops.domain.deadline import Deadline
from payops.domain.status import Status
from payops.errors import NotConfiguredError
from payops.sources.http import HttpSource
from tools import NOW, assert_crit, assert_ok, assert_warn, fake_context, gathered, judged, settings


def test_each_case() -> None:
    good = Resolved("shop.example", ("192.0.2.1", "192.0.2.2"))
    lost = Resolved("gone.example", failure="gone.example: the name does not resolve")
    assert_ok(judged(CHECK, Facts(NOW, (good,))), "shop.example is 192.0.2.1, 192.0.2.2")
    assert_ok(judged(CHECK, Facts(NOW, (), addresses=1)), "no name to resolve")
    result = judged(CHECK, Facts(NOW, (good, lost)))
    assert_crit(result, "gone.example does not resolve")
    assert result.actions[0].command == "getent hosts gone.example"
    assert_crit(judged(CHECK, Facts(NOW, (lost, Resolved("empty.example")))), "do not resolve")
    assert_warn(judged(CHECK, Facts(NOW, (lost,), unreachable=Status.WARN)))


def test_a_hostile_name_is_no_command() -> None:
    result = judged(CHECK, Facts(NOW, (Resolved("-x; rm", failure="no"),)))
    assert result.actions[0].command == ""


def test_gather_against_the_real_resolver() -> None:
    http = HttpSource(Deadline.after(5))
    configured = settings(
        app={"endpoints": [{"url": "http://localhost:1/"}, {"url": "http://127.0.0.1/"}]},
        webhooks={"endpoints": [{"name": "lost", "url": "https://hooks.shop.invalid/x"}]},
    )
    found = gathered(CHECK, fake_context(configured, http=http))
    by_name = {one.name: one for one in found.names}
    assert set(by_name) == {"localhost", "hooks.shop.invalid"}
    assert by_name["localhost"].addresses
    assert by_name["hooks.shop.invalid"].failure
    assert found.addresses == 1
    http.close()
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
