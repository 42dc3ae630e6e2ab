"""Where the program meets the shell: what is written, what is told, with which exit status.

Exit statuses (DESIGN): reports 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN; a usage error, bad configuration
or a fault of payops itself 3, with one clear line on stderr; ^C 130. What changes something: 0
done, 1 refused or partly done, 2 failed. Every byte that leaves goes
through `emit` or `tell`, and so through the redactor.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import NoReturn

from payops.domain.secret import redact
from payops.domain.text import harmless
from payops.errors import FailedError, PayopsError, RefusedError

REFUSED = 1
FAILED = 2
OWN_FAULT = 3
INTERRUPTED = 130


_reader_gone = threading.Event()


def is_read() -> bool:
    """Whether somebody still reads stdout: `| head -1` may have gone away. For what never ends."""
    if _reader_gone.is_set():
        return False
    if not hasattr(select, "poll") or sys.stdout is None:
        return True
    try:
        looked = select.poll()
        looked.register(sys.stdout.fileno(), 0)
        return not any(what & (select.POLLERR | select.POLLHUP) for _, what in looked.poll(0))
    except (OSError, ValueError):
        return True


def emit(text: str) -> None:
    """Write a report to stdout. A reader that has gone away (`| head -1`) is no error."""
    _write(sys.stdout, redact(text))


def emit_text(text: str) -> None:
    """Write lines of ours to stdout; a file named in them may be called what a terminal obeys."""
    emit("\n".join(map(harmless, text.split("\n"))))


def emit_unredacted(text: str) -> None:
    """Write to stdout as it is. For one thing only: the made-up passwords of a lab on loopback."""
    _write(sys.stdout, text)


def tell(text: str) -> None:
    """Write a message, progress or warning to stderr, one line."""
    _write(sys.stderr, redact(harmless(text)) + "\n")


def tell_traceback(text: str) -> None:
    """Write a traceback to stderr, as many lines as it has."""
    _write(sys.stderr, "".join(f"{redact(harmless(line))}\n" for line in text.splitlines()))


def _write(stream: object, text: str) -> None:
    out = stream if stream is not None else None
    if out is None:  # closed by the caller: `payops health >&-`
        return
    try:
        out.write(text)  # type: ignore[attr-defined]
        out.flush()  # type: ignore[attr-defined]
    except BrokenPipeError:
        if out is sys.stdout:
            _reader_gone.set()
        # Python flushes stdout again at exit; let it do so into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # type: ignore[attr-defined]
    except UnicodeEncodeError:
        encoding = getattr(out, "encoding", None) or "ascii"
        out.write(text.encode(encoding, "replace").decode(encoding))  # type: ignore[attr-defined]
    except OSError as error:  # the disk behind it is full
        if out is sys.stderr:
            return  # and nobody is left to tell
        raise PayopsError(f"the output cannot be written: {error.strerror}") from error


def tell_error(error: PayopsError) -> None:
    """The line that a person sees for an expected error."""
    line = f"payops: {error}"
    stop = " " if line.endswith((".", "?", "!")) else "; "
    tell(f"{line}{stop}{error.hint}" if error.hint else line)


def tell_monitor(text: str) -> None:
    """The one line on stdout that a monitor shows of a check that could not be made."""
    with suppress(PayopsError):  # stdout is full: that was told on stderr
        emit(f"PAYOPS UNKNOWN - {' '.join(harmless(text).replace('|', '/').split())}\n")


def guarded(
    command: Callable[[], int], *, verbose: Callable[[], bool], monitored: bool = False
) -> int:
    """Run a command and answer with its exit status, whatever happens in it.

    `monitored` is check mode: what went wrong is told on stdout too.
    """
    threading.excepthook = lambda args: tell_traceback(
        "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
        if verbose()
        else f"payops: a thread failed: {args.exc_type.__name__}"
    )
    try:
        return command()
    except PayopsError as error:
        tell_error(error)
        _maybe_traceback(error.__traceback__, verbose)
        if monitored:
            tell_monitor(str(error))
        if isinstance(error, RefusedError):
            return REFUSED
        return FAILED if isinstance(error, FailedError) else OWN_FAULT
    except KeyboardInterrupt:
        tell("payops: interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the boundary: nothing may escape as a traceback
        tell(
            f"payops: fault of payops: {type(error).__name__}: {error}. "
            "Run again with --verbose and report the traceback"
        )
        _maybe_traceback(error.__traceback__, verbose)
        if monitored:
            tell_monitor(f"fault of payops: {type(error).__name__}: {error}")
        return OWN_FAULT


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP (a closed terminal) end the block as ^C does, so that what it has to undo
    is undone."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for each in changed:  # once: what is being undone is not interrupted again
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    signals = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    # What is ignored (nohup) stays so.
    changed = [each for each in signals if signal.getsignal(each) is signal.SIG_DFL]
    for each in changed:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each in changed:
            signal.signal(each, signal.SIG_DFL)


def _maybe_traceback(trace: TracebackType | None, verbose: Callable[[], bool]) -> None:
    if verbose() and trace is not None:
        tell_traceback(traceback.format_exc())


def leave(code: int) -> NoReturn:
    """End the process at once, whatever daemon threads are still waiting for."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass  # nobody is left to tell
    os._exit(code)
