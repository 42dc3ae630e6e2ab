"""What is put in for the names in braces: never an option, wherever it comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from payops.config.settings import Settings
from payops.config.webhooks import WebhookEndpoint, WebhookSettings
from payops.domain.runbook import Runbook, RunbookParameter, Step
from payops.engine.runbook_values import values_for
from payops.errors import UsageError

PAGE = Runbook(
    "page",
    "A page",
    parameters={"since": RunbookParameter("24h", "how far back")},
    steps=(Step("a", "run", "payops reconcile --since {since}"),),
)
TWO = WebhookSettings(
    endpoints=tuple(
        WebhookEndpoint(url=f"https://shop.example/{name}", name=name) for name in ("a", "b")
    )
)


def nobody(name: str, there: object) -> str:
    raise UsageError(name)


def test_what_was_set_comes_before_the_default() -> None:
    assert values_for(PAGE, Settings(), {}, nobody) == {"since": "24h"}
    assert values_for(PAGE, Settings(), {"since": "2h", "else": "x"}, nobody) == {"since": "2h"}


def test_a_run_that_goes_on_has_no_option_among_its_values() -> None:
    with pytest.raises(UsageError, match="as an option does"):
        values_for(PAGE, Settings(), {"since": "--save-plan"}, nobody)


def test_nobody_is_asked_for_what_only_a_plan_names() -> None:
    plan = "payops webhooks replay --undelivered --endpoint={endpoint} --save-plan {plan}"
    sends = replace(PAGE, steps=(*PAGE.steps, Step("b", "plan", plan)))
    two = Settings(webhooks=TWO)
    assert values_for(sends, two, {}, nobody, auto=True) == {"since": "24h"}
    with pytest.raises(UsageError, match="endpoint"):
        values_for(sends, two, {}, nobody)
    asks = Step("b", "run", "payops webhooks probe {endpoint}")
    with pytest.raises(UsageError, match="endpoint"):
        values_for(replace(PAGE, steps=(asks,)), two, {}, nobody, auto=True)
