"""What a stream brings, for people: a line a row, and on standard error what happens to the stream."""

import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TextIO, TypeAlias

from rich.console import Console
from rich.text import Text

from gridtick.cli.output import json_text, plain
from gridtick.client import Complaint, Filled, Gap, Heartbeat, Message, Reconnecting, Subscribed

Row: TypeAlias = Mapping[str, Any]
_PRICE: Final = 14  # characters of an amount
_NAME: Final = 28  # of an instrument, at least: longer ones make room for themselves


def shower(out: TextIO, *, as_table: bool) -> Callable[[Sequence[Row]], None]:
    """What writes rows at once."""
    lines = Lines() if as_table else None
    console = Console(file=out, width=None if out.isatty() else 1_000, markup=False, emoji=False, highlight=False)

    def show(rows: Sequence[Row]) -> None:
        for row in rows:
            if lines is None:
                out.write(json_text(row) + "\n")
            else:
                console.print(lines.of(row), soft_wrap=True)
        if rows:
            out.flush()

    return show


class Lines:
    """A line of a row: aligned, and coloured by whether its price is above or below the one before."""

    def __init__(self) -> None:
        self._width = _NAME
        self._last: dict[tuple[object, ...], Decimal] = {}

    def of(self, row: Row) -> Text:
        name = str(row.get("instrument") or row.get("curve"))
        self._width = max(self._width, len(name))
        parts = [(_when(row), "dim"), (name.ljust(self._width), "bold"), *self._values(row), (_rest(row), "dim")]
        return Text("  ").join(Text(text, style) for text, style in parts if text)

    def _values(self, row: Row) -> list[tuple[str, str]]:
        if "curve" in row:
            return [(f"{len(row['points'])} points, version {row['version']}", "")]
        if "interval" not in row:
            return [(_amount(row["price"]), self._colour(row, row["price"]))]
        amounts = [(_amount(row[name]), "") for name in ("open", "high", "low")]
        return [(row["interval"].rjust(3), ""), *amounts, (_amount(row["close"]), self._colour(row, row["close"]))]

    def _colour(self, row: Row, price: Decimal | None) -> str:
        key = (row.get("tenant"), row["instrument"], row.get("interval"))
        before = self._last.get(key)
        if price is None:
            return "dim"
        self._last[key] = price
        return "" if before is None or before == price else "green" if price > before else "red"


def _when(row: Row) -> str:
    return str(row.get("interval_start") or row.get("start") or row.get("session") or "-").ljust(20)


def _amount(value: Decimal | None) -> str:
    return ("-" if value is None else plain(value)).rjust(_PRICE)


def _rest(row: Row) -> str:
    """What else there is to know: of what is as usual nothing."""
    flags = [each for each in row.get("flags") or () if each != "VALID"]
    revision = f"revision {row['revision']}" if row.get("revision") else ""
    state = {True: "final", False: "", None: ""}[row.get("is_final")]
    return "  ".join(filter(None, [row.get("unit"), state, revision, "|".join(flags)]))


class Notices:
    """Says what happens to the stream, once each time it changes."""

    def __init__(self) -> None:
        self._is_away = False
        self._is_waiting = False
        self._filled = 0

    def take(self, message: Message[Any]) -> None:
        match message:
            case Reconnecting():
                self._is_away = True
                _say(f"Interrupted: {message.reason.rstrip('.')}. Trying again in {message.wait_seconds:.1f} s.")
            case Subscribed():
                self._subscribed(message)
            case Gap():
                self._filled = 0
                _say(_of_gap(message))
            case Filled():
                self._take_filled(message)
            case Heartbeat():
                self._beat(waits=message.state == "waiting")
            case Complaint():
                _say(f"{message.detail} ({message.code})")
            case _:
                pass

    def _subscribed(self, message: Subscribed[Any]) -> None:
        if self._is_away:
            _say("Connected again.")
        else:
            for each in message.errors:
                _say(f"{each.get('instrument')}: {each.get('detail')}")
        self._is_away = False

    def _take_filled(self, message: Filled[Any]) -> None:
        self._filled += len(message.data)
        if message.is_last and message.gap.fill:
            _say(f"The gap is filled: {self._filled} row{'' if self._filled == 1 else 's'}.")

    def _beat(self, *, waits: bool) -> None:
        if waits != self._is_waiting:
            _say("Stalled: the server cannot read what lands." if waits else "It goes on: the server reads again.")
        self._is_waiting = waits


def _of_gap(gap: Gap[Any]) -> str:
    why = {
        "window": "this was away for longer than the server remembers",
        "lost": "the server has lost what it remembered",
        "slow": f"this was too slow{'' if gap.skipped is None else f', and {gap.skipped} rows were left out'}",
    }.get(gap.reason, gap.reason)
    return f"A gap: {why}. {'It is being filled.' if gap.fill else 'What follows is how things are now.'}"


def _say(line: str) -> None:
    print(f"gridtick: {line}", file=sys.stderr, flush=True)
