"""Whatever the limit and the direction, paging gives every object once, in Stripe's order."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from payops.lab.stripe import Store, objects
from payops.lab.stripe.forms import decode
from payops.lab.stripe.reads import page
from payops.lab.stripe.resources import RESOURCES

(CHARGES,) = (resource for resource in RESOURCES if resource.kind == "charge")


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.lists(st.integers(0, 6), max_size=40),
    limit=st.integers(1, 100),
    forward=st.booleans(),
    intent=st.sampled_from([None, "pi_0", "pi_1"]),
)
def test_paging_is_complete_and_ordered(seconds, limit, forward, intent):
    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory) / "s.sqlite")
        try:
            for number, second in enumerate(seconds):
                store.put(
                    objects.charge(
                        id=f"ch_{number}",
                        amount=1,
                        currency="usd",
                        status="succeeded",
                        created=second,
                        livemode=False,
                        payment_intent=f"pi_{number % 2}",
                    )
                )
            order = sorted(enumerate(seconds), key=lambda pair: (pair[1], pair[0]), reverse=True)
            expected = [
                f"ch_{number}" for number, _ in order if intent in (None, f"pi_{number % 2}")
            ]
            assert walk(store, limit, forward, intent) == expected
        finally:
            store.close()


def walk(store, limit, forward, intent):
    """All ids by following the cursor from one end to the other."""
    chosen = "" if intent is None else f"&payment_intent={intent}"
    found = []
    cursor = ""
    if not forward:
        # Backwards begins at the oldest, which is listed by hand.
        every = walk(store, 100, True, intent)
        found = every[-1:]
        cursor = f"&ending_before={every[-1]}" if every else ""
    while True:
        parameters = decode(f"limit={limit}{chosen}{cursor}")
        listed = json.loads(page(store, CHARGES, "test", parameters))
        ids = [made["id"] for made in listed["data"]]
        found = found + ids if forward else ids + found
        if not listed["has_more"] or (not forward and not cursor):
            return found
        cursor = f"&starting_after={ids[-1]}" if forward else f"&ending_before={ids[0]}"
