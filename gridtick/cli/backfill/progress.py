"""What a user sees of a backfill: bars on a terminal, elsewhere a line now and then."""

import time
from collections.abc import Callable, Sequence
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gridtick.cli.backfill.estimate import Count

LINE_EVERY_S: Final = 10.0


class Shown:
    """Counts, shown on standard error while it is open."""

    def __init__(
        self, counts: Sequence[Count], console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counts, self._clock = counts, clock
        self._console = console or Console(stderr=True)
        self._bars = _bars(self._console) if self._console.is_terminal else None
        self._tasks = {id(count): self._bars.add_task("", total=count.total) for count in counts} if self._bars else {}
        self._said_at = clock()

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def reach(self, count: Count, number: int) -> None:
        """One of the counts has come so far."""
        now = self._clock()
        count.reach(number, now)
        if self._bars:
            self._bars.update(self._tasks[id(count)], completed=number, description=count.said())
        elif now - self._said_at >= LINE_EVERY_S:
            self._said_at = now
            self._console.print("; ".join(each.said() for each in self._counts), highlight=False, soft_wrap=True)


def _bars(console: Console) -> Progress:
    return Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
