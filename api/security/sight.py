"""What each caller may see, derived spreads included: a difference tells of the prices that it is made of."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

import polars as pl

from api.security.principal import Principal
from db.entitlements import EVERYTHING, Entitlements
from db.reference.snapshot import INSTRUMENTS, Snapshot
from db.visible import Visible
from pipeline.schema import PUBLIC
from pipeline.spreads.definitions import Leg, of_row

_SPREADS: Final = "spreads"
_Tables = Mapping[str, pl.DataFrame]
_Asked = tuple[tuple[str, ...], Entitlements]


class Sight:
    """Keeps what it found while the reference stands; who may see everything costs nothing."""

    def __init__(self, snapshot: Callable[[], Awaitable[Snapshot]]) -> None:
        self._snapshot = snapshot
        self._version = -1
        self._hidden: dict[_Asked, frozenset[str]] = {}

    async def of(self, caller: Principal, tenants: tuple[str, ...]) -> Visible:
        """What the caller may see of these tenants' rows."""
        if caller.entitled == EVERYTHING:
            return Visible(tenants)
        snapshot, asked = await self._snapshot(), (tenants, caller.entitled)
        if snapshot.version > self._version:
            self._version, self._hidden = snapshot.version, {}
        kept = self._hidden if snapshot.version == self._version else {}  # another may see a newer one meanwhile
        if asked not in kept:
            found = await to_thread(hidden, snapshot.tables, Visible(*asked))
            kept[asked] = found
        return Visible(tenants, caller.entitled, kept[asked], snapshot.version)


def hidden(tables: _Tables, visible: Visible) -> frozenset[str]:
    """The spreads of which a leg may not be seen."""
    rows = tables[_SPREADS].filter(pl.col("tenant").is_in(visible.tenants))
    instruments = tables[INSTRUMENTS].filter(pl.col("tenant").is_in(visible.tenants))
    known, seen = (
        frozenset(each.select("tenant", "instrument").rows()) for each in (instruments, visible.of(instruments))
    )
    names = _Names(known, seen)
    definitions = (of_row(row) for row in rows.iter_rows(named=True))
    return frozenset(
        each.instrument
        for each in definitions
        if not all(_sees(leg, each.tenant, names, visible.entitled) for leg in each.legs)
    )


class _Names(NamedTuple):
    """Tenant and instrument of all that there are, and of those that may be seen."""

    known: frozenset[tuple[str, str]]
    seen: frozenset[tuple[str, str]]


def _sees(leg: Leg, tenant: str, names: _Names, entitled: Entitlements) -> bool:
    """A public price stands in for each one that the tenant lacks, so it must be allowed wherever there is one."""
    if (PUBLIC, leg.instrument) in names.known:
        return (PUBLIC, leg.instrument) in names.seen
    return (tenant, leg.instrument) in names.seen or entitled.allow(leg.market, leg.product)
