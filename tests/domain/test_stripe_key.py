"""What a key's text tells of itself, and that no part of it is told further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.secret import MASK, fingerprint
from payops.domain.stripe_key import Fault, Kind, Role, is_live_environment, read_form

BODY = "4eC39HqLyjWDarjtT1zdp7dc"
NEWER = "51HabcDEF01234567" + BODY * 4


@pytest.mark.parametrize(
    ("text", "kind", "mode"),
    [
        ("sk_test_" + BODY, Kind.SECRET, "test"),
        ("sk_live_" + NEWER, Kind.SECRET, "live"),
        ("rk_live_" + BODY, Kind.RESTRICTED, "live"),
        ("pk_test_" + NEWER, Kind.PUBLISHABLE, "test"),
        ("whsec_" + BODY + "00AbCdEf", Kind.WEBHOOK, ""),
        ("whsec_" + "0a1b2c3d" * 8, Kind.WEBHOOK, ""),  # the Stripe CLI's
    ],
)
def test_a_key_is_read_by_its_prefix(text: str, kind: Kind, mode: str) -> None:
    form = read_form(text)
    assert (form.kind, form.mode, form.faults) == (kind, mode, ())
    assert form.described == fingerprint(text)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", [Fault.EMPTY]),
        ("   ", [Fault.BLANKS, Fault.EMPTY]),
        ("''", [Fault.QUOTED, Fault.EMPTY]),
        (f"'sk_test_{BODY}'", [Fault.QUOTED]),
        (f"sk_test_{BODY}\n", [Fault.BLANKS]),
        (f' "sk_test_{BODY}"', [Fault.BLANKS, Fault.QUOTED]),
        (f"“sk_test_{BODY}”", [Fault.QUOTED]),
        (f"sk_test_{BODY[:9]} {BODY[9:]}", [Fault.BROKEN]),
        (f"sk_test_{BODY}\nX: 1", [Fault.BROKEN]),
        ("sk_test_…p7dc", [Fault.BROKEN]),
        (f"sk_test_{'*' * 20}p7dc", [Fault.BROKEN]),
        (f"sk_test_{BODY[:8]}\u200b{BODY[8:]}", [Fault.BROKEN]),
        ("sk_test_changeme", [Fault.PLACEHOLDER]),
        ("whsec_changeme", [Fault.PLACEHOLDER]),
        ("sk_test_example", [Fault.PLACEHOLDER]),
        ("sk_live_xxx", [Fault.PLACEHOLDER]),
        ("pk_test_...", [Fault.PLACEHOLDER]),
        ("sk_test_your_secret_key_goes_in_here", [Fault.PLACEHOLDER]),
        ("sk_test_dummy_key_for_the_build_alone", [Fault.PLACEHOLDER]),
        ("sk_test_", [Fault.PLACEHOLDER]),
        ("<your key>", [Fault.PLACEHOLDER]),
        ("undefined", [Fault.PLACEHOLDER]),
        (f"sk_test_{BODY[:12]}", [Fault.SHORT]),
        ("hello", [Fault.NO_KEY]),
        (f"sk_{BODY}", [Fault.NO_KEY]),
        (f"SK_TEST_{BODY}", [Fault.NO_KEY]),
        (f"Bearer sk_test_{BODY}", [Fault.NO_KEY]),
    ],
)
def test_what_is_wrong_is_named(text: str, faults: list[Fault]) -> None:
    assert list(read_form(text).faults) == faults


def test_in_quotes_it_is_the_same_key() -> None:
    bare, quoted = read_form(f"sk_test_{BODY}"), read_form(f"'sk_test_{BODY}'\n")
    assert (bare.digest, bare.shown) == (quoted.digest, quoted.shown)


def test_newer_keys_of_one_account_share_a_part() -> None:
    assert read_form("sk_live_" + NEWER).account_part == "1HabcDEF01234567"
    assert read_form("pk_live_" + NEWER[::1]).account_part == "1HabcDEF01234567"
    assert read_form("sk_live_" + BODY).account_part == ""
    assert read_form("whsec_" + NEWER).account_part == ""


@pytest.mark.parametrize("name", ["production", "PROD", "live", "prod-eu", "live.us"])
def test_environments_that_take_real_money(name: str) -> None:
    assert is_live_environment(name)


@pytest.mark.parametrize("name", ["staging", "lab", "preproduction", "non-prod", "produce", ""])
def test_environments_that_do_not(name: str) -> None:
    assert not is_live_environment(name)


def test_every_role_takes_a_kind_of_its_own() -> None:
    kinds = [kind for role in Role for kind in role.kinds]
    assert len(kinds) == len(set(kinds)) == len(Kind) - 1


@given(st.text(max_size=200))
def test_any_text_is_read_and_not_shown(text: str) -> None:
    form = read_form(text)
    assert len(form.shown) <= max(len(MASK), len("sk_test_…") + 4)
    assert text not in repr(form) or text in repr(Kind.NONE) or len(text) < 8
    if form.kind is Kind.NONE:
        assert form.shown == MASK
        assert form.faults


@given(st.text(alphabet="abcdefghijkmnpqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ23456789", min_size=99))
def test_a_long_random_key_is_well_formed(body: str) -> None:
    form = read_form("sk_live_" + body)
    assert form.faults in ((), (Fault.PLACEHOLDER,))  # `todo_` cannot occur, `dummy` hardly
    assert form.shown == f"sk_live_…{body[-4:]}"
