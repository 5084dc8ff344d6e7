"""Whether each message follows the one before it, and from where a connection can go on."""

from typing import Any, Final, NamedTuple

from gridtick.client.stream.errors import Lost, SequenceBroken
from gridtick.client.stream.messages import Gap, Heartbeat, Message, StreamSnapshot, Update

_SNAPSHOT: Final = ("window", "lost")  # after such a gap a snapshot begins anew


class _Place(NamedTuple):
    """A token, and the number that what it resumes follows (None: not known)."""

    resume: str | None
    seq: int | None = None


class Chain:
    """The last number and the newest token of a subscription.

    `resume` is the token behind the last message that was whole: in the middle of a snapshot, and while what a gap
    leaves out is not there yet, it stays where it was.
    """

    def __init__(self, resume: str | None) -> None:
        self._place = _Place(resume)
        self._seq: int | None = None  # None: not known, so anything follows
        self._parts: StreamSnapshot[Any] | None = None  # the last part of a snapshot that is not whole
        self._open: list[Gap[Any]] = []  # gaps that are not filled
        self._is_anew = False  # a snapshot is to come, and begins the sequence anew
        self._coming: _Place | None = None  # the one that holds once the gaps are filled

    @property
    def resume(self) -> str | None:
        return self._place.resume

    def begin(self) -> None:
        """Another connection: what was not whole comes again."""
        self._parts, self._open, self._coming, self._is_anew = None, [], None, False
        self._seq = self._place.seq

    def take(self, message: Message[Any]) -> None:
        """Takes the next message. Raises `Lost` where one is missing."""
        match message:
            case StreamSnapshot():
                self._take_part(message)
            case Update():
                self._take_update(message)
            case Heartbeat():
                self._take_heartbeat(message)
            case Gap():
                self._take_gap(message)
            case _:
                pass

    def due(self) -> list[Gap[Any]]:
        """The gaps that can be filled now. One that a snapshot follows waits for it: what landed while that was made is
        in no update, and would lack in what was fetched before."""
        return [] if self._is_half else self._open

    def filled(self) -> None:
        """All gaps are filled: the newest token holds."""
        self._open = []
        self._place, self._coming = self._coming or self._place, None

    @property
    def _is_half(self) -> bool:
        """Whether a snapshot is to come, or its last part."""
        return self._is_anew or self._parts is not None

    def _take_part(self, part: StreamSnapshot[Any]) -> None:
        """A first part may come at any time: what changes faster than a snapshot can be sent is sent anew."""
        before = self._parts
        follows = before is not None and (part.seq, part.part) == (before.seq, before.part + 1)
        if part.part != 1 and not follows:
            raise _broken(f"part {part.part} of {part.parts} of a snapshot does not follow the one before")
        self._parts = part if part.part < part.parts else None
        if self._parts is None:
            self._seq, self._is_anew = part.seq, False
            self._advance(part.resume, part.seq)

    def _take_update(self, update: Update[Any]) -> None:
        if self._is_half:
            raise _broken("an update came before the last part of a snapshot")
        if self._seq is not None and update.prev_seq != self._seq:
            raise _broken(f"{update.seq} follows {update.prev_seq}, but the last one was {self._seq}")
        self._seq = update.seq
        self._advance(update.resume, update.seq)

    def _take_heartbeat(self, heartbeat: Heartbeat[Any]) -> None:
        if self._is_half or heartbeat.resume is None:
            return
        if self._seq is not None and heartbeat.seq is not None and heartbeat.seq > self._seq:
            raise _broken(f"{heartbeat.seq} was sent, but the last one that came is {self._seq}")
        self._advance(heartbeat.resume, heartbeat.seq)

    def _take_gap(self, gap: Gap[Any]) -> None:
        """What of a snapshot came before it will not be whole any more."""
        self._seq, self._parts, self._open = gap.to_seq, None, [*self._open, gap]
        self._is_anew = self._is_anew or gap.reason in _SNAPSHOT

    def _advance(self, resume: str | None, seq: int | None) -> None:
        if resume is None:
            return
        if self._open:
            self._coming = _Place(resume, seq)
        else:
            self._place = _Place(resume, seq)


def _broken(what: str) -> Lost:
    reason = f"the sequence is broken: {what}"
    return Lost(reason, shown=SequenceBroken(f"T{reason[1:]}."))
