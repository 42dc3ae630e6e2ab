"""`expand[]`: ids replaced by their objects, up to four levels deep."""

import json
from collections.abc import Iterable
from typing import Any

from payops.lab.stripe.errors import StripeError
from payops.lab.stripe.listing import ListQuery
from payops.lab.stripe.objects import StripeObject
from payops.lab.stripe.resources import EXPANDABLE, LISTS_INSIDE
from payops.lab.stripe.store import Store

MAX_LEVELS = 4

Tree = dict[str, "Tree"]
"""Fields to expand, each with what to expand inside it."""


def parse(expand: Any, kind: str, *, listed: bool) -> Tree:
    """The tree that `expand` asks of an object of `kind`, or of a list of them.

    Raises StripeError 400 for what is no array, too deep or not expandable.
    """
    if expand is None:
        return {}
    if not isinstance(expand, list) or not all(isinstance(path, str) for path in expand):
        raise StripeError(400, "Invalid array", param="expand")
    tree: Tree = {}
    for path in expand:
        parts = path.split(".")
        if len(parts) > MAX_LEVELS:
            raise StripeError(
                400,
                f"You cannot expand more than {MAX_LEVELS} levels of a property ({path}).",
                param="expand",
            )
        if listed:
            if parts[0] != "data":
                hint = ""
                if _expandable((kind,), parts):
                    hint = f" You may want to try expanding 'data.{path}' instead."
                raise _not_expandable(path, hint)
            parts = parts[1:]
        if not parts or not _expandable((kind,), parts):
            raise _not_expandable(path)
        branch = tree
        for part in parts:
            branch = branch.setdefault(part, {})
    return tree


def _not_expandable(path: str, hint: str = "") -> StripeError:
    return StripeError(400, f"This property cannot be expanded ({path}).{hint}", param="expand")


def _expandable(kinds: Iterable[str], parts: list[str]) -> bool:
    if not parts:
        return True
    name, *rest = parts
    for kind in kinds:
        into = EXPANDABLE.get(kind, {}).get(name)
        if into is None:
            continue
        if (kind, name) in LISTS_INSIDE and rest:
            if rest[0] != "data":
                continue
            rest = rest[1:]
        if _expandable(into, rest):
            return True
    return False


def expand(found: list[StripeObject], tree: Tree, scope: str, store: Store) -> None:
    """Expand `found` in place; one query a field and level. An id without object stays an id."""
    for name, inside in tree.items():
        lists = [made for made in found if (made.get("object"), name) in LISTS_INSIDE]
        for made in lists:
            made[name] = _list_inside(made, name, inside.get("data", {}), scope, store)
        if lists:
            continue
        ids = [made[name] for made in found if isinstance(made.get(name), str)]
        known = store.get_many(ids, scope)
        for made in found:
            if made.get(name) in known:
                made[name] = known[made[name]]
        if inside:
            expand(list(known.values()), inside, scope, store)


def _list_inside(
    owner: StripeObject, name: str, inside: Tree, scope: str, store: Store
) -> StripeObject:
    (kind,) = EXPANDABLE[owner["object"]][name]
    column = LISTS_INSIDE[owner["object"], name]
    page = store.page(ListQuery(kind, scope, 10, equal={column: owner["id"]}))
    members: list[StripeObject] = [json.loads(body) for body in page.bodies]
    expand(members, inside, scope, store)
    return {
        "object": "list",
        "data": members,
        "has_more": page.has_more,
        "url": f"/v1/charges/{owner['id']}/{name}",
    }
