"""The hosts that the configuration names, their names and certificates.

What `app.dns`, `app.tls` and `stripe.tls` share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit

from payops.checks.contract import Context
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import Failure, SourceError
from payops.sources.certificate import TlsFacts

T = TypeVar("T")

TLS_TIMEOUT_S = 3.0
# Let's Encrypt renews 30 days before the end: less than three weeks is a renewal that failed.
TLS_LIMITS = {
    "left": Threshold(
        21 * 86400, 7 * 86400, "s", "payops: S0-26 gives none; renewed 30 d before", worse="lower"
    ),
}


@dataclass(frozen=True)
class Host:
    """A host and port of an address; `https` tells whether it is asked over TLS."""

    name: str
    port: int
    https: bool

    @property
    def is_address(self) -> bool:
        """Whether it is an IP address, which needs no name to be resolved."""
        return _address(self.name) is not None

    @property
    def is_this_machine(self) -> bool:
        """Whether what is sent there stays on this machine."""
        found = _address(self.name)
        return self.name == "localhost" or (found is not None and found.is_loopback)

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class Certified:
    """One host's certificate, or why it could not be had (`failure`)."""

    host: Host
    facts: TlsFacts | None = None
    failure: SourceError | None = None


@dataclass(frozen=True)
class Certificates:
    """The certificates of all hosts that are asked over https; `in_clear` are those that are asked
    over http though they are not this machine. `unreachable` is the status of one that does not
    answer; `unnamed` hosts have no address, so nobody could be asked."""

    as_of: datetime
    seen: tuple[Certified, ...]
    in_clear: tuple[Host, ...] = ()
    unreachable: Status = Status.CRIT
    unnamed: int = 0


def hosts_of(urls: Iterable[str]) -> tuple[Host, ...]:
    """The hosts of some addresses, each once; what is no address of HTTP is left out."""
    found = []
    for url in urls:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            continue
        if parts.hostname and parts.scheme in ("http", "https"):
            https = parts.scheme == "https"
            found.append(Host(parts.hostname, port or (443 if https else 80), https))
    return tuple(dict.fromkeys(found))


def application_urls(ctx: Context) -> tuple[str, ...]:
    """Every address of the application: its own, and those that Stripe delivers to."""
    settings = ctx.settings
    return (
        *(one.url for one in settings.app.addresses),
        *(one.url for one in settings.webhooks.endpoints if one.url),
    )


def ask_each(ctx: Context, things: Iterable[T], ask: Callable[[T], None]) -> None:
    """Ask about each at once, on daemon threads, by the deadline; the first fault is raised where
    the runner sees it."""
    faults: list[BaseException] = []

    def safely(thing: T) -> None:
        try:
            ask(thing)
        except BaseException as error:  # noqa: BLE001  raised again below
            faults.append(error)

    threads = [Thread(target=safely, args=(thing,), daemon=True) for thing in things]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ctx.deadline.remaining)
    if faults:
        raise faults[0]


def certificates(ctx: Context, hosts: Iterable[Host]) -> Certificates:
    """The certificate of each host that is asked over https."""
    all_hosts = tuple(hosts)
    secure = [host for host in all_hosts if host.https]
    found: dict[Host, Certified] = {}

    def look(host: Host) -> None:
        try:
            timeout = ctx.deadline.within(TLS_TIMEOUT_S)
            found[host] = Certified(host, ctx.sources.http.tls(host.name, host.port, timeout))
        except SourceError as error:
            found[host] = Certified(host, failure=error)

    ask_each(ctx, secure, look)
    silent = SourceError("http", Failure.TIMED_OUT, "no answer")
    seen = tuple(found.get(host) or Certified(host, failure=silent) for host in secure)
    return Certificates(
        as_of=ctx.now,
        seen=seen,
        in_clear=tuple(h for h in all_hosts if not h.https and not h.is_this_machine),
        unreachable=Status[ctx.settings.unreachable],
    )


def judge_certificates(facts: Certificates, limits: Limits) -> CheckResult:
    """The soonest to run out, and whether chain, dates and names hold."""
    told = [_tell(one, facts, limits) for one in facts.seen]
    told += [
        (Status.WARN, f"{host.name} is asked over http: anybody on the way reads it")
        for host in facts.in_clear
    ]
    left = [(one.facts.not_after - facts.as_of).total_seconds() for one in facts.seen if one.facts]
    status = worst(one for one, _ in told) if told else Status.OK
    troubled = [what for one, what in told if one is not Status.OK]
    summary = "; ".join(troubled or [what for _, what in told])
    if not summary:
        summary = (
            f"{facts.unnamed} with no address: nobody to ask (app.dns)"
            if facts.unnamed
            else "all addresses are on this machine, over http"
        )
    bad = [one for one in facts.seen if _tell(one, facts, limits)[0] is not Status.OK]
    return CheckResult(
        status,
        shortened(summary, 500),
        as_of=facts.as_of,
        measured={"left": round(min(left)) if left else None, "hosts": len(facts.seen)},
        evidence=tuple(_evidence(one.host, one.facts, facts.as_of) for one in bad if one.facts),
        actions=tuple(_action(one) for one in bad[:3])
        + ((Action("Ask it over https, and redirect http to it"),) if facts.in_clear else ()),
    )


def _tell(one: Certified, facts: Certificates, limits: Limits) -> tuple[Status, str]:
    name = shortened(str(one.host), 80)
    if one.facts is None:
        why = one.failure.kind.value if one.failure else "no answer"
        return facts.unreachable, f"no certificate of {name}: {why}"
    left = (one.facts.not_after - facts.as_of).total_seconds()
    if left <= 0:
        return Status.CRIT, f"the certificate of {name} ran out {human_duration(-left)} ago"
    if not one.facts.verified:
        return (
            Status.CRIT,
            f"the certificate of {name} does not verify: {shortened(one.facts.reason, 120)}",
        )
    until = f"{one.facts.version}, valid for {human_duration(left)}"
    return limits["left"].judge(left), f"the certificate of {name} verifies, {until}"


def _evidence(host: Host, seen: TlsFacts, as_of: datetime) -> Evidence:
    names = shortened(", ".join(seen.names), 200)
    return Evidence(
        f"{shortened(str(host), 80)}: issued by {shortened(seen.issuer, 80)} for {names or '-'}",
        "http",
        as_of,
        {
            "not_before": utc_text(seen.not_before),
            "not_after": utc_text(seen.not_after),
            "version": seen.version,
        },
    )


def _action(one: Certified) -> Action:
    name = one.host.name
    typeable = name.replace("-", "").replace(".", "").isalnum() and name.isascii()
    typeable = typeable and not name.startswith("-")
    asking = f"openssl s_client -connect {one.host} -servername {name}"
    if one.failure is not None and one.failure.kind is not Failure.TLS:
        # There was nobody to show a certificate: to renew it mends nothing.
        lost = one.failure.kind is Failure.DNS
        command = f"getent hosts {name}" if lost else asking
        hint = one.failure.hint or "See whether it answers at all"
        return Action(hint, command if typeable else "")
    return Action(
        f"Renew or correct it where TLS ends for {shortened(name, 80)} (proxy, load balancer): "
        "the whole chain, not the leaf alone",
        asking if typeable else "",
    )


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
