"""Partitions in which nothing waits: the bridge says so, for the ledger of a quiet partition says nothing of today."""

from collections.abc import Collection, Mapping
from typing import Final

from service import clock
from workers.bridge.ports import Dispatcher, Source
from workers.bridge.window import Window

NOTE_S: Final = 2.0
AT_ONCE: Final = 16  # partitions that are asked about at a time: the loop waits for the answers
SKEW_US: Final = 5_000_000  # by less than this do the clocks of bridge and brokers differ


class Quiet:
    """Notes of every partition an instant before which all that was appended has landed, of some at a time.

    What was noted once stays true. A partition that was never quiet is noted with 0.
    """

    def __init__(self, source: Source, dispatcher: Dispatcher) -> None:
        self._source, self._dispatcher = source, dispatcher
        self._note_at = 0.0
        self._turn = 0

    def look(self, windows: Mapping[int, Window], waiting: Collection[int], now: float) -> None:
        """`waiting`: partitions with messages that are in no batch yet. May raise `Outage`."""
        if now < self._note_at:
            return
        self._note_at = now + NOTE_S
        quiet = sorted(each for each, window in windows.items() if window.idle and each not in waiting)
        asked_us = clock.now_us()  # what is appended from here on is known later
        ends = self._source.ends(self._some(quiet))
        done = [each for each, end in ends.items() if end == windows[each].landed_end]
        self._dispatcher.note_quiet(windows.keys(), dict.fromkeys(done, asked_us - SKEW_US))

    def _some(self, quiet: list[int]) -> list[int]:
        """The next ones, one after the other."""
        if not quiet:
            return []
        first = self._turn % len(quiet)
        self._turn = first + AT_ONCE
        return (quiet[first:] + quiet[:first])[:AT_ONCE]
