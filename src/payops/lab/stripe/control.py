"""The control endpoint: what a lab does to Stripe behind its clients' backs. JSON, loopback.

GET    /state          faults, keys, limits, clock, status page, object counts, URLs
PUT    /faults         replace the faults (a list, or one); POST adds, DELETE clears
GET    /objects        ?type=charge&limit=100&livemode=&account=&event=charge.refunded, of events
                       those of this type; GET, DELETE /objects/{id}
PUT    /objects        insert or replace: a list, one object, {objects, deliver, livemode,
                       account, remove} or NDJSON (then ?deliver=true); missing fields are filled
                       in; `remove` are ids to delete
POST   /load           {path, livemode, account}: NDJSON file, for many
PUT    /keys           {key, revoked, permissions, livemode, account, removed}, or a list
PUT    /rate_limits    true, false or {live, test, endpoint}
PUT    /status         {state: up|degraded|down, message, unknown_shape}
PUT    /webhook_endpoints/{id}   {status, url, secret, enabled_events, livemode, api_version}; or
                       without id {remove: we_...}
GET    /deliveries     ?event=evt_...&limit=1000; POST /deliver {event, endpoint, times}
PUT    /deliveries     {set: [{event, endpoint, state, attempts, next_at, ...}], remove: [evt_...]}
PUT    /muted          [type, ...]: types of events that are never generated
POST   /authenticate   {payment_intent, passed}: the payer passes or fails 3-D Secure
GET    /requests       the last requests and totals; DELETE clears
POST   /clock          {offset_s}: Stripe's clock against this machine's
POST   /snapshot, /restore       {name}
POST   /reset          heal: no faults, page up, keys and clock as configured; data is kept
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from payops.lab.stripe import objects, payments
from payops.lab.stripe.api import dumps
from payops.lab.stripe.call import Call
from payops.lab.stripe.errors import StripeError
from payops.lab.stripe.faults import Faults, parse
from payops.lab.stripe.keys import masked
from payops.lab.stripe.listing import ListQuery
from payops.lab.stripe.loading import load_batches
from payops.lab.stripe.objects import StripeObject
from payops.lab.stripe.rows import scope
from payops.lab.stripe.store import encode
from payops.lab.stripe.wire import Answer, Request

if TYPE_CHECKING:
    from payops.lab.stripe.simulator import Simulator

_NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_REFUSED = (ValueError, TypeError, KeyError, msgspec.MsgspecError, OSError)


class Control:
    """The handler of the control endpoint's HTTP server."""

    def __init__(self, simulator: "Simulator") -> None:
        self.sim = simulator

    async def handle(self, request: Request) -> Answer:
        """Answer one request: 400 with the reason for what it cannot do, 404 for what it has not.

        Everything it changes is kept for the next start.
        """
        _, name, *rest = f"{request.path.rstrip('/')}/".split("/")
        if "origin" in request.headers:
            # A web page in the operator's browser may reach loopback, too: not this endpoint.
            return Answer(403, dumps({"error": "not for browsers"}))
        action = getattr(self, f"_{request.method.lower()}_{name}", None)
        if action is None:
            return Answer(404, dumps({"error": f"no {request.method} {request.path}"}))
        run: Callable[[Request, str], Awaitable[Any]] = action
        try:
            result = await run(request, rest[0] if rest else "")
            if request.method != "GET":
                self.sim.save_state()
        except StripeError as error:
            return Answer(error.status, dumps({"error": error.error}))
        except _REFUSED as error:
            missing = isinstance(error, KeyError | FileNotFoundError)
            return Answer(404 if missing else 400, dumps({"error": str(error)}))
        return Answer(200, dumps(result))

    # State

    async def _get_state(self, request: Request, _: str) -> Any:
        sim = self.sim
        keys = [
            {
                "key": masked(k.key),
                "livemode": k.livemode,
                "permissions": k.permissions,
                "revoked": k.revoked,
            }
            for k in sim.keyring.all()
        ]
        limits = sim.api.limiter.limits
        return {
            **sim.state(),
            "faults": sim.api.faults.dump(),
            "keys": keys,
            "rate_limits": {n: getattr(limits, n) for n in limits.__dataclass_fields__},
            "objects": sim.store.counts(),
            "requests": sim.api.requests.total,
            "account": sim.store.setting("account"),
            "url": sim.url,
            "status_url": sim.status_url,
        }

    async def _post_reset(self, request: Request, _: str) -> Any:
        self.sim.keyring.heal()
        self.sim.clock.offset_s = 0.0
        self.sim.webhooks.muted = frozenset()
        self.sim.api.limiter.limits = self.sim.config.rate_limits
        self.sim.status_page.change({"state": "up", "unknown_shape": False})
        await self._set_faults([])
        return self.sim.state()["status_page"]

    async def _put_rate_limits(self, request: Request, _: str) -> Any:
        limiter = self.sim.api.limiter
        limiter.limits = limiter.limits.changed(_json(request))
        return {"enabled": limiter.limits.enabled}

    async def _put_status(self, request: Request, _: str) -> Any:
        self.sim.status_page.change(_json(request))
        return self.sim.status_page.dump()

    async def _post_clock(self, request: Request, _: str) -> Any:
        self.sim.clock.offset_s = float(_json(request)["offset_s"])
        return {"offset_s": self.sim.clock.offset_s}

    async def _put_keys(self, request: Request, _: str) -> Any:
        changed = []
        for given in _list(_json(request)):
            change = {name: value for name, value in given.items() if name != "key"}
            if set(change) - {"livemode", "permissions", "revoked", "account", "removed"}:
                raise ValueError("a key has key, livemode, permissions, revoked, account, removed")
            changed.append(masked(self.sim.keyring.change(given["key"], change).key))
        return {"changed": changed}

    # Faults

    async def _put_faults(self, request: Request, _: str) -> Any:
        return await self._set_faults(_list(_json(request)))

    async def _post_faults(self, request: Request, _: str) -> Any:
        added = [parse(fault) for fault in _list(_json(request))]
        self.sim.api.faults.active += added
        return await self._apply_refusal()

    async def _delete_faults(self, request: Request, _: str) -> Any:
        return await self._set_faults([])

    async def _set_faults(self, given: list[dict[str, Any]]) -> Any:
        self.sim.api.faults = Faults(given)
        return await self._apply_refusal()

    async def _apply_refusal(self) -> Any:
        if self.sim.api.faults.refuses:
            await self.sim.api_server.refuse()
        else:
            await self.sim.api_server.listen()
        return {"faults": self.sim.api.faults.dump()}

    # Objects

    async def _get_objects(self, request: Request, id_: str) -> Any:
        if id_:
            return self.sim.store.get(id_)
        asked = _query(request)
        mode, limit = _mode(asked), int(asked.get("limit", "100"))
        of_type = (asked["event"],) if "event" in asked else None
        found: list[bytes] = []
        for livemode in (False, True) if mode is None else (mode,):
            where = scope(livemode, asked.get("account"))
            query = ListQuery(asked.get("type", ""), where, limit, types=of_type)
            found += self.sim.store.page(query).bodies
        return {"objects": [json.loads(body) for body in found]}

    async def _delete_objects(self, request: Request, id_: str) -> Any:
        if not self.sim.store.delete(id_):
            raise KeyError(f"no object {id_}")
        return {"deleted": id_}

    async def _put_objects(self, request: Request, _: str) -> Any:
        asked: dict[str, Any] = dict(_query(request))
        given, wrapped = _objects(request.body)
        for id_ in wrapped.pop("remove", ()):
            self.sim.store.delete(id_)
        asked.update(wrapped)
        deliver = asked.get("deliver") in (True, "true")
        livemode, account = _mode(asked), asked.get("account")
        with self.sim.store.transaction():
            for one in given:
                made = _completed(one)
                if deliver and made["object"] == "event":
                    self.sim.webhooks.publish(made, account)
                else:
                    self.sim.store.put_encoded([encode(made)], livemode=livemode, account=account)
        return {"stored": len(given)}

    async def _post_load(self, request: Request, _: str) -> Any:
        asked = _json(request)
        total = 0
        batches = load_batches(
            self.sim.store,
            Path(asked["path"]),
            livemode=_mode(asked),
            account=asked.get("account"),
        )
        for count in batches:
            total += count
            await asyncio.sleep(0)  # other requests are answered between batches
        return {"stored": total}

    async def _post_snapshot(self, request: Request, _: str) -> Any:
        name = _snapshot_name(request)
        self.sim.store.snapshot(self.sim.directory / "snapshots" / f"{name}.sqlite")
        return {"snapshot": name}

    async def _post_restore(self, request: Request, _: str) -> Any:
        name = _snapshot_name(request)
        self.sim.store.restore(self.sim.directory / "snapshots" / f"{name}.sqlite")
        self.sim.webhooks.wake()
        return {"restored": name}

    # Webhooks and payers

    async def _put_webhook_endpoints(self, request: Request, id_: str) -> Any:
        if not id_:
            self.sim.webhooks.remove_endpoint(_json(request)["remove"])
            return {}
        return self.sim.webhooks.change_endpoint(id_, _json(request))

    async def _get_deliveries(self, request: Request, _: str) -> Any:
        asked = _query(request)
        limit = int(asked.get("limit", "1000"))
        return {"deliveries": self.sim.webhooks.dump(asked.get("event"), limit)}

    async def _put_deliveries(self, request: Request, _: str) -> Any:
        asked = _json(request)
        made = asked.get("set", [])
        self.sim.webhooks.change_deliveries(made, asked.get("remove", []))
        return {"set": len(made)}

    async def _put_muted(self, request: Request, _: str) -> Any:
        self.sim.webhooks.muted = frozenset(str(one) for one in _list(_json(request)))
        return {"muted": sorted(self.sim.webhooks.muted)}

    async def _post_deliver(self, request: Request, _: str) -> Any:
        asked = _json(request)
        event = self.sim.store.get(asked["event"], kind="event")
        endpoints = self.sim.webhooks.endpoints(scope(bool(event["livemode"])))
        chosen = [e["id"] for e in endpoints if asked.get("endpoint") in (None, e["id"])]
        for endpoint in chosen:
            self.sim.webhooks.queue(event["id"], endpoint)
        return {"queued": chosen}

    async def _post_authenticate(self, request: Request, _: str) -> Any:
        asked = _json(request)
        intent = self.sim.store.get(asked["payment_intent"], kind="payment_intent")
        call = Call(
            store=self.sim.store,
            webhooks=self.sim.webhooks,
            clock=self.sim.clock,
            rng=self.sim.api.rng,
            parameters={},
            livemode=bool(intent["livemode"]),
            api_version=self.sim.config.api_version,
        )
        with self.sim.store.transaction():
            return payments.authenticate(call, intent["id"], passed=bool(asked["passed"]))

    # Requests

    async def _get_requests(self, request: Request, _: str) -> Any:
        return self.sim.api.requests.dump()

    async def _delete_requests(self, request: Request, _: str) -> Any:
        self.sim.api.requests.clear()
        return {"total": 0}


def _json(request: Request) -> Any:
    return json.loads(request.body)


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _query(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def _mode(asked: dict[str, Any]) -> bool | None:
    livemode = asked.get("livemode")
    return None if livemode is None else livemode in (True, "true")


def _snapshot_name(request: Request) -> str:
    name = str(_json(request)["name"])
    if not _NAME.match(name):
        raise ValueError("a snapshot's name is letters, digits, - and _")
    return name


def _objects(body: bytes) -> tuple[list[StripeObject], dict[str, Any]]:
    """The objects of a PUT in any of its four forms, and the options that came with them."""
    try:
        given = json.loads(body)
    except ValueError:
        return [json.loads(line) for line in body.splitlines() if line.strip()], {}
    if isinstance(given, dict) and "object" not in given:
        options = {name: value for name, value in given.items() if name != "objects"}
        return _list(given.get("objects", [])), options
    return _list(given), {}


def _completed(given: StripeObject) -> StripeObject:
    """The object with every field that its kind has, so that any client can read it."""
    if not isinstance(given.get("object"), str):
        raise ValueError("a Stripe object has `object`")
    if "id" not in given and given["object"] != "balance":
        raise ValueError(f"a Stripe {given['object']} has an id")
    kind = given["object"]
    return {**objects.shape(kind), **given} if kind in objects.kinds() else given
