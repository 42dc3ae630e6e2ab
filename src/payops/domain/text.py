"""Text from outside, made harmless: control and direction characters are shown, not obeyed."""

from __future__ import annotations

import re

# Of Unicode's categories: controls (Cc), format characters (Cf: zero-width, joiners, direction
# marks and overrides, tags), line and paragraph separators (Zl, Zp), lone surrogates (Cs), private
# use (Co), non-characters; and what is invisible though it counts as a letter or a mark (fillers,
# variation selectors 17-256, which can carry hidden text). An emoji joined by U+200D falls into
# its parts: what is joined cannot be told from what is hidden.
DANGEROUS = (
    "\x00-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff"
    "\ufdd0-\ufdef\ufffe\uffff\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 15))
    + "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
"""The inside of a character class: what a terminal obeys or a reader does not see."""
_DANGEROUS = re.compile(f"[{DANGEROUS}]")
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def harmless(text: str) -> str:
    r"""`text` on one line, with everything that a terminal or a reader could obey made visible.

    >>> harmless("a\x1b[2Jb\nc\u202ed")
    'a\\x1b[2Jb\\nc\\u202ed'
    """
    return _DANGEROUS.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if character in _NAMES:
        return _NAMES[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shortened(text: str, width: int) -> str:
    """`text` cut to `width` characters, with an ellipsis where something was left out."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "…" if width > 0 else ""
