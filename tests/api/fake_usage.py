"""What keys have used, in memory."""

from collections.abc import Mapping, Sequence
from datetime import date

from db.postgres.usage import Used, Whose


class FakeUsage:
    """That part of `api.reads.ports.Reads`."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: dict[Whose, Used] = {}

    async def add_usage(self, counts: Sequence[tuple[Whose, Used]]) -> Mapping[tuple[date, str], int]:
        for whose, more in counts:
            before = self.counted.get(whose, Used(0, 0))
            self.counted[whose] = Used(before.requests + more.requests, before.rows + more.rows)
        days = {(whose.day, whose.tenant) for whose, _ in counts}
        return {of: self._rows(*of) for of in days}

    async def usage(self, tenant: str, since: date) -> Sequence[tuple[Whose, Used]]:
        of_tenant = [(each, used) for each, used in self.counted.items() if each.tenant == tenant]
        return sorted(each for each in of_tenant if each[0].day >= since)

    def _rows(self, day: date, tenant: str) -> int:
        return sum(used.rows for whose, used in self.counted.items() if (whose.day, whose.tenant) == (day, tenant))
