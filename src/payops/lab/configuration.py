"""The ready payops.yaml of a lab, with comments for a newcomer."""

from __future__ import annotations

import json
import os
from pathlib import Path

from payops.lab.info import LabInfo

_TEXT = """\
# Made by `payops lab up`: a system to try payops on. Use it with
#     payops --config {path} health
# Everything in it is made up, listens on this machine only and goes with `payops lab down`.

# Tables, statuses and breakers of the shop that the runbooks describe: a copy to start from.
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

redis:
  url: {redis_url}

webhooks:
  # Where Stripe delivers its events.
  endpoints:
    - name: shop
      url: {webhook_url}

app:
  # What the application says of itself.
  endpoints:
    - name: health
      url: {health_url}
"""


def write_configuration(info: LabInfo, read_only_dsn: str) -> None:
    """Write `info.config`, readable by its owner only."""
    values = {
        "preset": info.preset,
        "environment": info.environment,
        "secret_key": info.secret_key,
        "publishable_key": info.publishable_key,
        "webhook_secret": info.webhook_secret,
        "account": info.account,
        "stripe_url": info.stripe_url,
        "status_url": info.status_url,
        "dsn": read_only_dsn,
        "write_dsn": info.postgres_dsn,
        "redis_url": info.redis_url,
        "webhook_url": info.webhook_endpoint,
        "health_url": f"{info.app_url}/health",
    }
    # A JSON string is a YAML string, whatever is in it.
    quoted = {name: json.dumps(value) for name, value in values.items()}
    path = Path(info.config)
    temporary = path.with_suffix(".tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(_TEXT.format(path=info.config, **quoted))
    temporary.replace(path)
