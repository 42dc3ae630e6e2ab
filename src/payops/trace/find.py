"""From what was asked to the payments that it means: one, several candidates, or a clear no."""

from __future__ import annotations

from payops.trace.find_around import find_request
from payops.trace.find_object import find_object
from payops.trace.find_own import find_own
from payops.trace.find_person import find_customer, find_email
from payops.trace.found import Found
from payops.trace.ids import Asked, Kind
from payops.trace.reach import Reach


def find(reach: Reach, asked: Asked) -> Found:
    """What was asked for. Raises nothing of a source's."""
    notes = (asked.note,) if asked.note else ()
    if not asked.certain:
        return find_own(reach, asked, notes)
    kind = asked.kinds[0]
    if kind in (Kind.LOCAL, Kind.ORDER, Kind.KEY):
        return find_own(reach, asked, notes)
    if kind is Kind.EMAIL:
        return find_email(reach, asked.value)
    if kind is Kind.CUSTOMER:
        return find_customer(reach, asked.value, notes)
    if kind is Kind.REQUEST:
        return find_request(reach, asked.value)
    return find_object(reach, kind, asked.value, notes)
