"""Standard output: what cannot be written is one sentence, a reader that goes away ends a command quietly."""

import contextlib
import os
import sys
from collections.abc import Generator
from typing import TextIO

import typer


@contextlib.contextmanager
def standard_output() -> Generator[TextIO]:
    """Where a command writes its result; inside, nothing else may raise an `OSError`.

    Exit status 0 where the reader goes away, 1 after a sentence on standard error where it cannot be written.
    """
    out = sys.stdout
    if out is None:
        raise typer.Exit(_complain("is closed"))
    try:
        yield out
        out.flush()
    except OSError as error:
        raise typer.Exit(_lost(out, error)) from None


def end(error: OSError | None = None) -> None:
    """Writes what a command has printed; ends the process with 1, after a sentence, where that is not possible.

    `error`: what ended the command; it may come from here, and what could not be written is gone from the buffer then.
    """
    out = sys.stdout
    if out is None:
        return
    try:
        out.flush()
        if error is not None:
            os.write(out.fileno(), b"\n")
    except OSError as own:
        if status := _lost(out, own):
            sys.exit(status)


def _lost(out: TextIO, error: OSError) -> int:
    """The exit status. What is left in the buffer goes nowhere: Python would try it again when it ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    return _complain(f"cannot be written: {error.strerror or error}")


def _complain(what: str) -> int:
    print(
        f"gridtick: Standard output {what}. Send it to a file on a disk with room, or to a terminal.", file=sys.stderr
    )
    return 1
