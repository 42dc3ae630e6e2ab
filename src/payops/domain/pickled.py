"""Pickled scalars of other programs (Django's cache), read without running anything.

A pickle is a program. This reader knows the few instructions that write one text, number, truth
value or None, and refuses every other: no name is looked up, no object is made.
"""

from __future__ import annotations

import pickletools

Scalar = str | int | float | bool | None

# A state, a time, an id: what is longer is none of them.
_LONGEST = 4096
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "FLOAT"),
        *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"),
    }
)
# They frame the value, or keep it for later instructions that are not admitted anyway.
_IDLE = frozenset({"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"})


def is_pickle(stored: bytes) -> bool:
    """Whether it begins as pickles do since protocol 2, and ends as all do."""
    return stored[:1] == b"\x80" and stored[-1:] == b"."


def read_scalar(stored: bytes) -> Scalar:
    r"""The scalar in a pickle. Raises ValueError for anything else.

    >>> read_scalar(b"\x80\x05\x95\x08\x00\x00\x00\x00\x00\x00\x00\x8c\x04open\x94.")
    'open'
    """
    if len(stored) > _LONGEST:
        raise ValueError(f"{len(stored):,} bytes are more than one value has")
    values: list[Scalar] = []
    try:
        for instruction, argument, _ in pickletools.genops(stored):
            name = instruction.name
            if name == "STOP":
                break
            if name in _IDLE:
                continue
            if name in _CONSTANTS:
                values.append(_CONSTANTS[name])
            elif name in _VALUES:
                values.append(argument)
            else:
                raise ValueError(f"holds more than one plain value ({name})")
    except (IndexError, KeyError, OverflowError, UnicodeDecodeError) as error:
        raise ValueError("is no pickle that can be read") from error
    if len(values) != 1:
        raise ValueError(f"holds {len(values)} values")
    return values[0]
