"""A value in a JSON document, by RFC 6901."""

from __future__ import annotations


def pointed(document: object, pointer: str) -> object:
    """What `pointer` (`/queues/0/depth`; `~1` is a slash, `~0` a tilde) points at.

    Raises KeyError with the part of the way that is not there.

    >>> pointed({"a/b": [{"n": 7}]}, "/a~1b/0/n")
    7
    >>> pointed({"a": 1}, "/b")
    Traceback (most recent call last):
    KeyError: '/b'
    """
    here, way = document, ""
    for part in pointer.split("/")[1:]:
        way += f"/{part}"
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and _index(key) and int(key) < len(here):
            here = here[int(key)]
        else:
            raise KeyError(way)
    return here


def _index(text: str) -> bool:
    digits = text.isascii() and text.isdigit() and len(text) < 10
    return digits and (text == "0" or text[0] != "0")
