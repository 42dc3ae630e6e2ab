"""Bulk load of NDJSON: one Stripe object a line, as `stripe ... | jq -c .data[]` prints them."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from payops.lab.stripe.store import Store

BATCH = 5000
"""Lines in one transaction: about 10 MB."""


class MalformedLineError(ValueError):
    """A line that is not a Stripe object; the message names file, line number and reason."""


def load_ndjson(
    store: Store, path: Path, *, livemode: bool | None = None, account: str | None = None
) -> int:
    """Load a file into the store; the number of objects.

    Objects of the same id are replaced. Kinds that the simulator does not know are stored and
    can be retrieved. `livemode` overrides the objects' own. Raises MalformedLineError at the first
    line that is not one; the batches before it stay.
    """
    total = 0
    for count in load_batches(store, path, livemode=livemode, account=account):
        total += count
    return total


def load_batches(
    store: Store, path: Path, *, livemode: bool | None = None, account: str | None = None
) -> Iterator[int]:
    """The same in steps: yields the number of objects of each batch once it is stored."""
    rebuild = store.is_empty()
    if rebuild:
        store.drop_indexes()
    try:
        with path.open("rb") as lines:
            first = 1
            while batch := list(islice(lines, BATCH)):
                bodies = [line.strip() for line in batch]
                yield _put(store, bodies, path, first, livemode, account)
                first += len(batch)
    finally:
        if rebuild:
            store.create_indexes()


def _put(
    store: Store,
    bodies: list[bytes],
    path: Path,
    first: int,
    livemode: bool | None,
    account: str | None,
) -> int:
    try:
        return store.put_encoded((b for b in bodies if b), livemode=livemode, account=account)
    except msgspec.DecodeError:
        for number, body in enumerate(bodies, start=first):
            if not body:
                continue
            try:
                store.put_encoded([body], livemode=livemode, account=account)
            except msgspec.DecodeError as error:
                raise MalformedLineError(
                    f"{path}, line {number}: not a Stripe object: {error}"
                ) from error
        raise
