"""Stripe's operations: method and path, what a key needs for them, and what they do."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from payops.lab.stripe import objects, payments, reads, refunds
from payops.lab.stripe.call import Call
from payops.lab.stripe.errors import StripeError, unknown_parameter
from payops.lab.stripe.objects import StripeObject
from payops.lab.stripe.resources import RESOURCES, Resource

BY_CLIENT_SECRET = "GET /v1/payment_intents/{id}"
"""The operation that a publishable key may call, with the object's client secret."""
Run = Callable[[Call, str], bytes]
"""Carries an operation out; the second argument is the id in the path, or empty."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; `operation` is method and path with `{id}`, as rate limits count it."""

    operation: str
    permission: str
    access: str
    run: Run


def find(method: str, path: str) -> tuple[Route, str] | None:
    """The operation of a request and the id in its path; None for what Stripe does not have."""
    parts = path.rstrip("/").split("/")
    candidates = [("/".join(parts), "")]
    if len(parts) > 3:
        candidates.append(("/".join([*parts[:-1], "{id}"]), parts[-1]))
        candidates.append(("/".join([*parts[:-2], "{id}", parts[-1]]), parts[-2]))
    for pattern, id_ in candidates:
        route = _ROUTES.get(f"{method} {pattern}")
        if route is not None:
            return route, id_
    if method == "GET" and len(parts) in (4, 5) and parts[1] == "v1" and parts[-1]:
        # Any other collection: what was loaded can be retrieved.
        collection = "/".join(parts[:-1])
        operation = f"GET {collection}/{{id}}"
        return Route(operation, parts[-2], "read", _any_object), parts[-1]
    return None


def _lists(resource: Resource) -> Run:
    def run(call: Call, _: str) -> bytes:
        return reads.page(call.store, resource, call.scope, call.parameters)

    return run


def _refunds_of_charge(call: Call, id_: str) -> bytes:
    """The rest of a charge's expanded `refunds`: the URL that the list inside it has."""
    (refunds_list,) = (resource for resource in RESOURCES if resource.kind == "refund")
    inside = replace(refunds_list, path=f"/v1/charges/{id_}/refunds")
    return reads.page(call.store, inside, call.scope, {**call.parameters, "charge": id_})


def _retrieves(resource: Resource) -> Run:
    def run(call: Call, id_: str) -> bytes:
        return reads.retrieve(
            call.store,
            resource.kind,
            id_,
            call.scope,
            call.parameters,
            param=resource.id_param,
        )

    return run


def _payment_intent(call: Call, id_: str) -> bytes:
    """With a `client_secret` it has to be this PaymentIntent's, and what is told is what a browser
    may know (API reference, 'Retrieve a PaymentIntent')."""
    given = call.parameters.get("client_secret")
    rest = {name: value for name, value in call.parameters.items() if name != "client_secret"}
    body = reads.retrieve(call.store, "payment_intent", id_, call.scope, rest, param="intent")
    if given is None:
        return body
    made = json.loads(body)
    if given != made.get("client_secret"):
        raise StripeError(
            400,
            "The client_secret provided does not match the client_secret associated with the "
            "PaymentIntent.",
            param="client_secret",
        )
    return json.dumps({name: made[name] for name in _TO_A_BROWSER if name in made}).encode()


_TO_A_BROWSER = (
    "id object amount canceled_at cancellation_reason capture_method client_secret "
    "confirmation_method created currency description last_payment_error livemode next_action "
    "payment_method payment_method_types receipt_email setup_future_usage shipping status"
).split()


def _any_object(call: Call, id_: str) -> bytes:
    return reads.retrieve(call.store, None, id_, call.scope, call.parameters, param="id")


def _posts(action: Callable[[Call, str], StripeObject]) -> Run:
    def run(call: Call, id_: str) -> bytes:
        made = action(call, id_)
        if call.parameters.get("expand") is None:
            return json.dumps(made, indent=2).encode()
        expand = {"expand": call.parameters["expand"]}
        return reads.retrieve(call.store, None, made["id"], call.scope, expand, param="id")

    return run


def _account(call: Call, id_: str) -> bytes:
    for name in call.parameters:
        if name != "expand":
            raise unknown_parameter(name)
    wanted = id_ or call.account or call.store.setting("account")
    body = call.store.body(wanted, kind="account")
    if body is None and wanted == call.account:  # a key's own, of which nothing else was loaded
        body = json.dumps(objects.account(id=wanted)).encode()
    if body is None:
        raise no_access_to(wanted)
    return body


def no_access_to(account: str) -> StripeError:
    """The account is not there, or not connected: Stripe does not tell which."""
    return StripeError(
        403,
        f"The provided key does not have access to account '{account}' (or that account does "
        "not exist). Application access may have been revoked.",
        code="account_invalid",
    )


def _balance(call: Call, _: str) -> bytes:
    for name in call.parameters:
        if name != "expand":
            raise unknown_parameter(name)
    body = call.store.body(f"balance:{call.scope}")
    return body or json.dumps(objects.balance(livemode=call.livemode)).encode()


def _table() -> dict[str, Route]:
    routes: list[Route] = []

    def add(operation: str, permission: str, access: str, run: Run) -> None:
        routes.append(Route(operation, permission, access, run))

    for resource in RESOURCES:
        add(f"GET {resource.path}", resource.permission, "read", _lists(resource))
        one = f"GET {resource.path}/{{id}}"
        add(one, resource.permission, "read", _retrieves(resource))
    add(BY_CLIENT_SECRET, "payment_intents", "read", _payment_intent)
    add("GET /v1/charges/{id}/refunds", "charges", "read", _refunds_of_charge)
    add("GET /v1/account", "account", "read", _account)
    add("GET /v1/accounts/{id}", "accounts", "read", _account)
    add("GET /v1/balance", "balance", "read", _balance)
    intents = "/v1/payment_intents"
    create_intent = _posts(lambda call, _: payments.create(call))
    add(f"POST {intents}", "payment_intents", "write", create_intent)
    for name, action in (
        ("confirm", payments.confirm),
        ("capture", payments.capture),
        ("cancel", payments.cancel),
    ):
        add(f"POST {intents}/{{id}}/{name}", "payment_intents", "write", _posts(action))
    create_refund = _posts(lambda call, _: refunds.create(call))
    add("POST /v1/refunds", "refunds", "write", create_refund)
    add("POST /v1/events/{id}/retry", "events", "write", _posts(refunds.retry_event))
    return {route.operation: route for route in routes}


_ROUTES = _table()
