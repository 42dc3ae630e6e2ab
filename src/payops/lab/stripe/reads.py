"""GET of one object and of lists."""

import json
from fnmatch import fnmatchcase
from typing import Any

from payops.lab.stripe import expansion, forms
from payops.lab.stripe.errors import StripeError, invalid_integer, missing, unknown_parameter
from payops.lab.stripe.forms import Parameters
from payops.lab.stripe.listing import Bounds, ListQuery
from payops.lab.stripe.resources import Resource
from payops.lab.stripe.store import Store, encode

MAX_LIMIT = 100
MAX_TYPES = 20
_RANGE = ("gt", "gte", "lt", "lte")


def page(store: Store, resource: Resource, scope: str, parameters: Parameters) -> bytes:
    """One page of a list as JSON. Raises StripeError 400 for parameters that it does not have.

    Without `expand` the objects are joined as they are stored and never decoded.
    """
    _refuse_unknown(resource, parameters)
    tree = expansion.parse(parameters.get("expand"), resource.kind, listed=True)
    found = store.page(list_query(store, resource, scope, parameters))
    bodies = found.bodies
    if tree:
        decoded = [json.loads(body) for body in bodies]
        expansion.expand(decoded, tree, scope, store)
        bodies = [encode(made) for made in decoded]
    more = b"true" if found.has_more else b"false"
    head = b'{"object":"list","url":"' + resource.path.encode() + b'","has_more":' + more
    return head + b',"data":[' + b",\n".join(bodies) + b"]}\n"


def retrieve(
    store: Store, kind: str | None, id_: str, scope: str, parameters: Parameters, *, param: str
) -> bytes:
    """One object as JSON. Raises StripeError 404 when it is not there; kind None takes any."""
    for name in forms.names(parameters):
        if name not in ("expand[]", "expand"):
            raise unknown_parameter(name)
    body = store.body(id_, scope, kind)
    if body is None:
        raise missing(kind or "object", id_, param=param, hint=_other_mode(store, id_, scope))
    if parameters.get("expand") is None:
        return body
    made = json.loads(body)
    tree = expansion.parse(parameters["expand"], made["object"], listed=False)
    expansion.expand([made], tree, scope, store)
    return encode(made)


def _other_mode(store: Store, id_: str, scope: str) -> str:
    """Stripe's hint when the object exists, but for keys of the other mode."""
    mode, other = ("live", "test") if scope.startswith("live") else ("test", "live")
    if store.body(id_, other) is None:
        return ""
    return (
        f"; a similar object exists in {other} mode, but a {mode} mode key was used "
        "to make this request."
    )


def list_query(store: Store, resource: Resource, scope: str, parameters: Parameters) -> ListQuery:
    """A list request's parameters, checked. Raises StripeError 400."""
    if "starting_after" in parameters and "ending_before" in parameters:
        raise StripeError(
            400,
            "Received both starting_after and ending_before parameters. Please pass in only one.",
        )
    equal = {
        column: _text(parameters[name], name)
        for name, column in resource.columns.items()
        if name in parameters
    }
    types, undelivered = None, None
    if resource.kind == "event":
        types = _event_types(store, scope, equal.pop("type", None), parameters.get("types"))
        undelivered = _undelivered(parameters)
    flat = {
        f"{n}[{i}]": v for n, h in parameters.items() if isinstance(h, dict) for i, v in h.items()
    }
    given = {**parameters, **flat}
    return ListQuery(
        kind=resource.kind,
        scope=scope,
        limit=_limit(parameters.get("limit", "10")),
        created=_bounds("created", parameters.get("created")),
        arrival_date=_bounds("arrival_date", parameters.get("arrival_date")),
        equal=equal,
        fields={p: _text(given[n], n) for n, p in resource.fields.items() if n in given},
        types=types,
        undelivered=undelivered,
        after=_cursor(store, resource, scope, parameters, "starting_after"),
        before=_cursor(store, resource, scope, parameters, "ending_before"),
    )


def _refuse_unknown(resource: Resource, parameters: Parameters) -> None:
    known = {"limit", "starting_after", "ending_before", "expand[]", "expand"}
    known |= set(resource.columns) | set(resource.fields)
    ranges = [n for n in ("created", "arrival_date") if getattr(resource, n)]
    for name in ranges:
        known |= {name, *(f"{name}[{end}]" for end in _RANGE)}
    if resource.kind == "event":
        known |= {"types[]", "types", "delivery_success"}
    for name in forms.names(parameters):
        if name not in known:
            raise unknown_parameter(name)


def _limit(value: Any) -> int:
    limit = _integer(value, "limit")
    if not 1 <= limit <= MAX_LIMIT:
        bound = (
            f"greater than or equal to 1 (it currently is '{limit}')"
            if limit < 1
            else f"less than or equal to {MAX_LIMIT} (it currently is '{limit}')"
        )
        raise StripeError(
            400, f"This value must be {bound}.", code="parameter_invalid_integer", param="limit"
        )
    return limit


def _integer(value: Any, param: str) -> int:
    if not isinstance(value, str) or not value.lstrip("-").isdecimal():
        raise invalid_integer(param, value)
    return int(value)


def _text(value: Any, param: str) -> str:
    if not isinstance(value, str):
        raise StripeError(400, f"Invalid string: {value}", param=param)
    return value


def _bounds(name: str, value: Any) -> Bounds:
    """Stripe: bounds are whole seconds; an exact value is the range of one second."""
    if value is None:
        return Bounds()
    if not isinstance(value, dict):
        second = _integer(value, name)
        return Bounds(second, second + 1)
    ends = {end: _integer(v, f"{name}[{end}]") for end, v in value.items()}
    firsts = [ends[e] + (e == "gt") for e in ("gt", "gte") if e in ends]
    lasts = [ends[e] + (e == "lte") for e in ("lt", "lte") if e in ends]
    return Bounds(max(firsts, default=None), min(lasts, default=None))


def _cursor(
    store: Store, resource: Resource, scope: str, parameters: Parameters, name: str
) -> int | None:
    if name not in parameters:
        return None
    id_ = _text(parameters[name], name)
    position = store.position(id_, scope, resource.kind)
    if position is None:
        hint = _other_mode(store, id_, scope)
        raise missing(resource.kind, id_, param=name, status=400, hint=hint)
    return position


def _event_types(store: Store, scope: str, one: str | None, several: Any) -> tuple[str, ...] | None:
    """Stripe: `type` or up to 20 `types`, not both; `type` takes wildcards, `charge.*`."""
    if several is None and one is None:
        return None
    if several is not None and one is not None:
        raise StripeError(400, "You may only specify one of these parameters: type, types.")
    if several is None:
        patterns = [one or ""]
    elif isinstance(several, list):
        patterns = [_text(pattern, "types") for pattern in several]
    else:
        raise StripeError(400, "Invalid array", param="types")
    if len(patterns) > MAX_TYPES:
        raise StripeError(
            400, f"You can only specify up to {MAX_TYPES} event types.", param="types"
        )
    if "*" in patterns:
        return None
    if not any("*" in pattern for pattern in patterns):
        return tuple(dict.fromkeys(patterns))
    known = store.types("event", scope)
    return tuple(t for t in known if any(fnmatchcase(t, pattern) for pattern in patterns))


def _undelivered(parameters: Parameters) -> bool | None:
    value = parameters.get("delivery_success")
    if value is None:
        return None
    if value not in ("true", "false"):
        raise StripeError(400, f"Invalid boolean: {value}", param="delivery_success")
    return bool(value == "false")
