"""Stripe's parameters: forms in bracket notation, `metadata[order_id]=7&expand[]=customer`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from payops.lab.stripe.errors import StripeError

Parameters = dict[str, Any]
"""Decoded parameters: strings, lists and nested hashes of them."""

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(text: str) -> Parameters:
    """Decode a query string or a form body.

    >>> decode("metadata[order]=7&expand[]=customer&created[gte]=1")
    {'metadata': {'order': '7'}, 'expand': ['customer'], 'created': {'gte': '1'}}

    Raises StripeError (400) for a name that is no bracket notation or contradicts another.
    """
    decoded: Parameters = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = _KEY.match(name)
        if match is None:
            raise StripeError(400, f"Invalid parameter name: {name}", param=name)
        head, tail = match.groups()
        path = [head, *re.findall(r"\[([^\[\]]*)\]", tail)]
        _insert(decoded, path, value, name)
    return {name: _lists(value) for name, value in decoded.items()}


def _insert(into: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for part, following in zip(path, [*path[1:], None], strict=True):
        # `[]` continues the array; a hash in an array starts anew when its field repeats.
        key = part
        if part == "":
            key = str(len(into))
            last = into.get(str(len(into) - 1))
            if following and isinstance(last, dict) and following not in last:
                key = str(len(into) - 1)
        if following is None:
            if isinstance(into.get(key), dict):
                raise StripeError(400, f"Invalid hash: {name}", param=path[0])
            into[key] = value
            return
        into = into.setdefault(key, {})
        if not isinstance(into, dict):
            raise StripeError(400, f"Invalid hash: {name}", param=path[0])


def _lists(value: Any) -> Any:
    """Hashes whose keys are 0, 1, 2, ... are the arrays that they were sent as."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(part) for key, part in value.items()}


def names(parameters: Parameters) -> list[str]:
    """Every parameter by its bracket name, arrays as `name[]`, for checks and messages."""
    found: list[str] = []
    for name, value in parameters.items():
        if isinstance(value, dict):
            found += [f"{name}[{inner}]" for inner in value]
        elif isinstance(value, list):
            found.append(f"{name}[]")
        else:
            found.append(name)
    return found
