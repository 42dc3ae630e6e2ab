"""The application writes its Stripe key into its log.

Somebody logged a request with its headers: whoever reads the log can charge cards and refund to
their own (runbook 001, security; runbook 002, environment variables: no key in code or logs). No
health check reads logs; `payops keys check` reads those that it is told of, `payops keys scan` any.
The key has to be rolled, wherever the log has been.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from payops.lab.keyfaults import leave_file, put_right
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario

FILE = "checkout.log"


def inject(lab: Lab, parameters: Parameters) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    quiet = f"{now} INFO checkout order taken"
    told = f"{now} DEBUG stripe POST /v1/payment_intents Authorization: Bearer"
    lines = [quiet, f"{told} {lab.info.secret_key}", quiet] * parameters["count"]
    if parameters["webhook"]:
        lines.append(f"{now} DEBUG webhook secret {lab.info.webhook_secret}")
    leave_file(lab, FILE, "\n".join(lines) + "\n", folder="logs")


def still(lab: Lab) -> list[str]:
    """Whether the key stands in the log, and still opens what it opened."""
    path = Path(lab.recall().get("file", ""))
    if path.is_file() and lab.info.secret_key in path.read_text(encoding="utf-8"):
        return [f"a secret key stands in {path}"]
    return []


SCENARIO = Scenario(
    title="A secret key stands in a log",
    runbook="001, security; 002, environment variables",
    breaks="the application's log holds the secret key that it is charged with",
    expected={},
    inject=inject,
    heal=put_right,
    keys=frozenset({"keys.exposed"}),
    still=still,
    presets=EVERY_PRESET,
    parameters={
        "count": Parameter(3, 1, 1_000, "how many lines hold it"),
        "webhook": Parameter(0, 0, 1, "1: the webhook's secret stands there too"),
    },
    mild={"count": 1},
    severe={"count": 50, "webhook": 1},
    outside="roll the key in Stripe's Dashboard, put the new one in place, and remove the log",
)
