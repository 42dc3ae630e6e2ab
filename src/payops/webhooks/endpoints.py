"""What is configured here, against what Stripe has registered, against what answers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from payops.domain.evidence import Action
from payops.domain.secret import masked_url
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.webhooks.faults import Asked
from payops.webhooks.path import Endpoint

# Words in a host's name of an address that is for trying things out.
_TRIAL = frozenset(
    {"test", "testing", "staging", "stage", "dev", "sandbox", "ngrok", "localtunnel"}
)
_DASHBOARD = "Stripe's Dashboard, Webhooks"


@dataclass(frozen=True)
class Remark:
    """Something to be said of the endpoints. `word` is what it is in JSON."""

    word: str
    status: Status
    said: str
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What the endpoints should be like.

    `urls` are the configured ones, `needs` the types that the ledger is kept by, `live` whether the
    key is a live one, `production` whether this is the place where money is real, `api_version`
    the pinned one (empty: none is).
    """

    urls: tuple[str, ...]
    needs: tuple[str, ...] = ()
    live: bool = False
    production: bool = False
    api_version: str = ""
    asked: Mapping[str, Asked] = field(default_factory=dict)


def remarks(wanted: Wanted, endpoints: Sequence[Endpoint]) -> list[Remark]:
    """All that is wrong with them, the worst first; empty where all is well."""
    found = [
        *_registered(wanted, endpoints),
        *_types(wanted, endpoints),
        *_duplicates(endpoints),
        *_mode(wanted, endpoints),
        *_versions(wanted, endpoints),
        *_answers(wanted),
    ]
    return sorted(found, key=lambda remark: -remark.status.rank)


def _registered(wanted: Wanted, endpoints: Sequence[Endpoint]) -> list[Remark]:
    found: list[Remark] = []
    by_url: dict[str, list[Endpoint]] = {}
    for each in endpoints:
        by_url.setdefault(each.url, []).append(each)
    if not endpoints:
        said = "Stripe has no webhook endpoint: no event is sent to anybody"
        add = Action(f"Add one: {_DASHBOARD}")
        return [Remark("none", Status.CRIT if wanted.urls else Status.WARN, said, (add,))]
    for url in wanted.urls:
        its = by_url.get(url, [])
        if not its:
            near = _near(url, by_url)
            said = f"{_shown(url)} is configured here and not registered at Stripe"
            said += f"; Stripe has {_shown(near)}" if near else ""
            fix = Action(f"Correct webhooks.endpoints, or the address in {_DASHBOARD}")
            found.append(Remark("not-registered", Status.CRIT, said, (fix,)))
        elif not any(each.enabled for each in its):
            said = f"{_shown(url)} is disabled: Stripe sends nothing, and will not send it later"
            enable = Action(f"Enable it: {_DASHBOARD}")
            found.append(Remark("disabled", Status.CRIT, said, (enable,)))
    for each in endpoints:
        if wanted.urls and each.url not in wanted.urls and each.enabled:
            said = f"{_shown(each.url)} is registered at Stripe and not configured here"
            add = Action("Add it to webhooks.endpoints, or disable it: somebody else's, or old?")
            found.append(Remark("not-configured", Status.WARN, said, (add,)))
    return found


def _types(wanted: Wanted, endpoints: Sequence[Endpoint]) -> list[Remark]:
    ours = [each for each in endpoints if not wanted.urls or each.url in wanted.urls]
    lacking = [
        type_ for type_ in wanted.needs if not any(each.wants(type_) for each in ours or endpoints)
    ]
    if not lacking or not endpoints:
        return []
    said = f"no endpoint is registered for {', '.join(lacking)}: the ledger is kept by them"
    return [Remark("types", Status.CRIT, said, (Action(f"Add them: {_DASHBOARD}"),))]


def _duplicates(endpoints: Sequence[Endpoint]) -> list[Remark]:
    times = Counter(each.url.rstrip("/").lower() for each in endpoints if each.enabled)
    return [
        Remark(
            "duplicate",
            Status.WARN,
            f"{_shown(url)} is registered {count} times: each event comes as often, each signed "
            "with another secret",
            (Action(f"Keep one of them: {_DASHBOARD}"),),
        )
        for url, count in times.items()
        if count > 1
    ]


def _mode(wanted: Wanted, endpoints: Sequence[Endpoint]) -> list[Remark]:
    found: list[Remark] = []
    for each in endpoints:
        if each.livemode != wanted.live and each.enabled:
            modes = ("live", "test") if each.livemode else ("test", "live")
            said = f"{_shown(each.url)} is a {modes[0]} endpoint, and the key is a {modes[1]} key"
            found.append(Remark("mode", Status.CRIT, said))
        elif wanted.production and each.enabled and (why := _trial(each.url)):
            said = f"{_shown(each.url)} in live mode is {why}: it is sent real payments"
            check = Action(f"Is it meant? {_DASHBOARD}")
            found.append(Remark("trial", Status.WARN, said, (check,)))
    return found


def _trial(url: str) -> str:
    """Why a live endpoint looks as if it were for trying things out; empty where it does not."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "no address"
    if parts.scheme != "https":
        return "not https"
    try:
        return "" if ip_address(host).is_global else "a private address"
    except ValueError:
        words = frozenset(host.replace("-", ".").split("."))
        return "an address for tests, by its name" if words & _TRIAL or host == "localhost" else ""


def _versions(wanted: Wanted, endpoints: Sequence[Endpoint]) -> list[Remark]:
    """An endpoint without a version has the account's default, which no list tells."""
    enabled = [each for each in endpoints if each.enabled and each.api_version]
    pinned = wanted.api_version
    return [
        Remark(
            "version",
            Status.WARN,
            f"{_shown(each.url)} gets events of API version {each.api_version}; pinned is {pinned}",
            (Action("Make the endpoint anew with the version that the application expects"),),
        )
        for each in enabled
        if pinned and each.api_version != pinned
    ]


def _answers(wanted: Wanted) -> list[Remark]:
    return [
        Remark(
            "answer",
            Status.CRIT,
            f"{_shown(each.url)} {each.fault.said}",
            (Action("Ask it step by step", "payops webhooks probe"),),
        )
        for each in wanted.asked.values()
        if each.fault is not None
    ]


def _near(url: str, known: Mapping[str, object]) -> str:
    """The registered address that differs by what makes a redirect: www, a slash, http, case."""

    def bare(text: str) -> str:
        _, _, rest = text.lower().partition("://")
        return rest.removeprefix("www.").rstrip("/")

    return next((each for each in known if bare(each) == bare(url)), "")


def _shown(url: str) -> str:
    return shortened(masked_url(url), 80)
