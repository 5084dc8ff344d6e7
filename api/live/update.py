"""What a change brings to a selection, as the frames that its subscriptions get: each made once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

from api.live.frames import Frame, parts, with_rows
from api.live.row import Row
from api.live.tokens import Token


class Headed(Protocol):
    """Whose frames they are: of its number, and begun by its head."""

    id: int

    def head(self, kind: str) -> dict[str, Any]: ...


@dataclass(slots=True)
class Update:
    """Rows of a selection under one number; frames of it are made once. `token` resumes after it. Where `seq` is None,
    more of the same number follows."""

    rows: Sequence[Row]
    seq: int | None
    token: str
    replayed: bool = False
    _frames: dict[tuple[int, int], Frame] = field(default_factory=dict[tuple[int, int], Frame])
    _cut: Sequence[Sequence[Row]] = ()  # into what fits a frame
    _parts: dict[tuple[str, int], list[Self]] = field(default_factory=dict[tuple[str, int], list[Self]])

    def frame(self, of: Headed, prev_seq: int) -> Frame:
        found = self._frames.get((of.id, prev_seq))
        if found is None:
            seq = prev_seq if self.seq is None else self.seq
            head = {"seq": seq, "prev_seq": prev_seq, "resume": self.token, "replayed": self.replayed}
            found = self._frames[of.id, prev_seq] = with_rows(of.head("update") | head, self.rows)
        return found

    def parts(self, before: str, mark: int) -> list[Self]:
        """Itself, or where it is too large for a frame its parts; `before` is the token of what was sent before, to a
        selection of that mark."""
        self._cut = self._cut or parts(self.rows)
        if len(self._cut) == 1:
            return [self]
        found = self._parts.get((before, mark))
        if found is None:
            found = self._parts[before, mark] = self._made(before, mark)
        return found

    def _made(self, before: str, mark: int) -> list[Self]:
        token = Token.read(before)
        if token is None:
            return [self]
        made, sent = list[Self](), token.rows
        for part in self._cut[:-1]:
            sent += len(part)
            made.append(type(self)(part, None, replace(token, rows=sent, mark=mark).text(), self.replayed))
        return [*made, type(self)(self._cut[-1], self.seq, self.token, self.replayed)]
