"""One subscription of a client: its sequence of frames without a silent gap, whatever the client's pace."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from api.live.frames import Frame, plain, with_rows
from api.live.gaps import Lost, told
from api.live.overlap import Overlap
from api.live.pending import CLOSE_BYTES, Policy, Skipped, Waiting, pending
from api.live.row import Row
from api.live.selection import Selection
from api.live.tokens import Past
from api.live.update import Update

_AFTER: Final = 100  # frames without rows that wait behind others, at most


class Outlet(Protocol):
    """Where frames go. `ready`: what is written leaves at once."""

    @property
    def ready(self) -> bool: ...

    def write(self, frame: Frame) -> None: ...


class Subscription:
    """`seq`: of the last frame with rows that was sent; `token`: what resumes after it; `past`: where in history it is,
    as long as it has not caught up.

    It begins by `live`; what is offered before waits. Between `restart` and `live` it is beginning again.
    """

    def __init__(
        self, number: int, selection: Selection, policy: Policy, outlet: Outlet, monotonic: Callable[[], float]
    ) -> None:
        self.id = number
        self.selection = selection
        self.policy: Policy = policy
        self.seq = 0
        self.token = ""
        self.since: float | None = None  # since when something waits
        self.began = False
        self.past: Past | None = None
        self._outlet = outlet
        self._monotonic = monotonic
        self._pending = pending(policy)
        self._backlog: list[Update] = []
        self.held = 0  # bytes that were offered while it begins
        self._overlap = Overlap(monotonic)
        self._after: list[Frame] = []
        self._offered = ""  # the token of what was offered last
        self._curves = set[str]()

    def head(self, kind: str) -> dict[str, Any]:
        """What its frames begin with."""
        return {"type": kind, "id": self.id, "channel": self.selection.shown_as}

    @property
    def is_full(self) -> bool:
        return self._pending.is_full

    @property
    def waits(self) -> bool:
        """Whether something has not been sent yet."""
        return not self.began or bool(self._pending) or bool(self._after)

    def offer(self, update: Update) -> None:
        """What has changed."""
        if not self.began:
            self._hold(update)
        elif rows := self._overlap.lacking(update.rows, update.seq):
            whole = update if rows is update.rows else Update(rows, update.seq, update.token)
            for part in whole.parts(self._offered, self.selection.mark):
                self._offer(part)

    def _hold(self, update: Update) -> None:
        if self.is_overrun:  # it begins again: none of it will be sent
            self._backlog.clear()
            return
        self.held += sum(len(row.text) for row in update.rows)
        self._backlog.append(update)

    def _offer(self, update: Update) -> None:
        self._offered = update.token
        self._note(update.rows)
        if self._pending or not self._outlet.ready:
            self._pending.add(update.rows, update.seq, update.token)
            self.since = self._monotonic() if self.since is None else self.since
        else:
            self.send(update)

    def restart(self) -> None:
        """What waits is dropped: the sequence begins anew."""
        self.began, self.since, self.held = False, None, 0
        for each in (self._pending, self._backlog, self._after, self._curves):
            each.clear()

    @property
    def is_overrun(self) -> bool:
        """Whether more has changed while it began than is held: to begin again costs less."""
        return self.held > CLOSE_BYTES

    def resumed(self, seq: int, token: str) -> None:
        """The sequence goes on after a frame of before; then come `replay` and `live`."""
        self.seq, self.token, self._offered = seq, token, token

    def snapshot(self, part: int, parts: int, rows: Sequence[Row], seq: int, token: str) -> None:
        """A part of how things are. Only who has the last one can go on from there."""
        resume = token if part == parts else None
        head = {"seq": seq, "prev_seq": None, "resume": resume, "part": part, "parts": parts}
        self._note(rows)
        self._outlet.write(with_rows(self.head("snapshot") | head, rows))
        self.seq, self.token, self._offered = seq, token, token

    def replay(self, update: Update) -> list[Update]:
        """The frames of what was missed, for `send`."""
        self._note(update.rows)
        return update.parts(self.token, self.selection.mark)

    def send(self, update: Update) -> None:
        self._outlet.write(update.frame(self, self.seq))
        self.seq = self.seq if update.seq is None else update.seq
        self.token = self._offered = update.token

    def live(self, overlap: Overlap) -> None:
        """All of before was sent: what was offered meanwhile, and was not told with it, follows."""
        self._overlap = overlap
        self._outlet.write(plain(**self.head("caught_up"), seq=self.seq))
        self.began, backlog, self._backlog = True, self._backlog, []
        for update in backlog:
            self.offer(update)

    def tell(self, frame: Frame) -> None:
        """A frame without rows, after all that waits."""
        if self.began and not self._pending and not self._after and self._outlet.ready:
            self._outlet.write(frame)
        else:
            self._after = [*self._after[-_AFTER:], frame]

    def flush(self) -> None:
        """Sends what waits, as far as it leaves at once."""
        while self._pending and self._outlet.ready and self.began:
            found = self._pending.take()
            self._skip(found) if isinstance(found, Skipped) else self._send_waiting(found)
        if self.began and not self._pending and self._outlet.ready:
            self.since = None
            for frame in self._after:
                self._outlet.write(frame)
            self._after = []

    def write_gap(self, reason: str, to_seq: int | None, skipped: int | None = None) -> None:
        """That what comes after the last frame is missing, up to a number."""
        lost = Lost(self.seq, to_seq, self.token, skipped, self._curves)
        self._outlet.write(plain(**self.head("gap"), reason=reason, **told(self.selection, lost)))

    def _note(self, rows: Sequence[Row]) -> None:
        """Curves, whose gaps are told one by one: how each is now has an address of its own."""
        if self.selection.channel == "curves":
            self._curves.update(row.name for row in rows)

    def _send_waiting(self, found: Waiting) -> None:
        seq, token = self.seq if found.seq is None else found.seq, found.token or self.token
        head = {"seq": seq, "prev_seq": self.seq, "resume": token, "replayed": False}
        more = {"conflated": found.conflated} if found.conflated else {}
        self._outlet.write(with_rows(self.head("update") | head | more, found.rows))
        self.seq, self.token = seq, token

    def _skip(self, found: Skipped) -> None:
        assert found.seq is not None  # the last part of a change was skipped with it
        self.write_gap("slow", found.seq, found.rows)
        self.seq, self.token = found.seq, found.token
