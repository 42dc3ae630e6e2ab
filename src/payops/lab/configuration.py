"""The ready payops.yaml of a lab, with comments for a newcomer."""

from __future__ import annotations

import json
import os
from pathlib import Path

from payops.lab.info import LabInfo
from payops.lab.systems import system

_TEXT = """\
# Made by `payops lab up`: a system to try payops on. Use it with
#     payops --config {path} health
# Everything in it is made up, listens on this machine only and goes with `payops lab down`.

# Tables, statuses and breakers of {whose}: a copy to start from.
preset: {preset}

# production must have live keys, anything else test keys.
environment: {environment}

stripe:
  # These open the simulator and nothing else.
  secret_key: {secret_key}
  publishable_key: {publishable_key}
  webhook_secrets: [{webhook_secret}]
  account: {account}
  # The simulator; leave both out, and they are Stripe's own.
  api_base: {stripe_url}
  status_url: {status_url}

postgres:
  # A role that only reads: payops needs no more to look.
  dsn: {dsn}
  # Used by `payops apply` alone.
  write_dsn: {write_dsn}

{redis}webhooks:
  # Where Stripe delivers its events.
  endpoints:
    - name: shop
      url: {webhook_url}

app:
  # Where the application answers; what is asked of it is the preset's (app.endpoints).
  base_url: {app_url}

keys:
  # When they were last rotated, which Stripe does not tell.
  rotated_at: {{stripe.secret_key: {rotated}, stripe.webhook_secrets: {rotated}}}
  # Where the application writes its log: looked through for keys, which do not belong there.
  logs: [{logs}]
"""


def write_configuration(info: LabInfo, read_only_dsn: str) -> None:
    """Write `info.config`, readable by its owner only."""
    made = system(info.preset)
    values = {
        "preset": made.preset,
        "environment": info.environment,
        "secret_key": info.secret_key,
        "publishable_key": info.publishable_key,
        "webhook_secret": info.webhook_secret,
        "account": info.account,
        "stripe_url": info.stripe_url,
        "status_url": info.status_url,
        "dsn": read_only_dsn,
        "write_dsn": info.postgres_dsn,
        "webhook_url": info.webhook_endpoint,
        "app_url": info.app_url,
        "logs": str(Path(info.dir) / "logs"),
    }
    # A JSON string is a YAML string, whatever is in it.
    quoted = {name: json.dumps(value) for name, value in values.items()}
    quoted["whose"] = (
        "the shop that the runbooks describe" if made.name == "reference" else made.name
    )
    quoted["rotated"] = info.created_at[:10]
    quoted["redis"] = f"redis:\n  url: {json.dumps(info.redis_url)}\n\n" if made.uses_redis else ""
    path = Path(info.config)
    temporary = path.with_suffix(".tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(_TEXT.format(path=info.config, **quoted))
    temporary.replace(path)
