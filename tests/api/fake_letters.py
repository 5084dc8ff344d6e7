"""Dead letters as the routes read and send them, from a list."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from api.admin import letters
from api.problems import Problem
from api.reads.letter_port import Replay
from api.reads.ports import Store
from db.kafka.letters import Original
from db.letters.causes import Dead
from db.letters.recorded import entry
from db.letters.sending import Result, Wanted
from db.postgres.changes import By, Performed
from db.postgres.idempotency import Once
from service import clock
from service.settings import load
from tests.api.fake_audit import FakeAudit

T = TypeVar("T")
KAFKA = load({}).kafka


class FakeLetters(FakeAudit):
    """`api.reads.letter_port.Letters`. `too_many` stands for a topic that holds more than is read at once."""

    posts: dict[tuple[str, bytes], tuple[bytes, dict[str, Any]]]
    gone: dict[Store, str]

    def __init__(self) -> None:
        super().__init__()
        self.dead: list[Dead] = []
        self.originals: dict[str, tuple[Original, bool]] = {}
        self.too_many: Exception | None = None
        self.resent: list[Wanted] = []

    async def of_letters(self, since: datetime | None, work: Callable[[list[Dead]], T]) -> T:
        if "kafka" in self.gone:
            raise Problem(503, "store-away", "kafka does not answer.", headers={"Retry-After": "5"})
        if self.too_many is not None:
            raise self.too_many
        first = 0 if since is None else clock.to_us(since) // 1000
        return work([each for each in self.dead if each.letter.written_ms >= first])

    async def original(self, dead: Dead) -> tuple[Original, bool] | None:
        return self.originals.get(dead.id)

    async def replay(self, wanted: Replay, by: By, once: Once | None) -> Performed:
        if once is not None and (once.tenant, once.name) in self.posts:
            return Performed(self.posts[once.tenant, once.name][1], replayed=True)
        plan = await self.of_letters(wanted.since, lambda dead: letters.plan(dead, wanted, KAFKA))
        if plan.now and not wanted.dry_run:
            self.resent += plan.now
            await self.append_audit([entry(plan.now, wanted.choice, by)], by.at)
        answer = letters.outcome(plan, _taken(plan.now), dry_run=wanted.dry_run)
        if once is not None:
            self.posts[once.tenant, once.name] = (once.request, answer)
        return Performed(answer)


def _taken(wanted: Sequence[Wanted]) -> Result:
    return Result(list(wanted), [], sum(each.dead.letter.size for each in wanted))
