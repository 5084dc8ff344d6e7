"""What `gridtick bench stream` sends: bars of one instrument, as entries of the landed log."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl

from api.reads.live import SHOWN_BAR
from db.postgres.engine import make_engine
from db.postgres.reference import register_instruments
from db.redis import telling
from db.redis.client import connect
from db.redis.contents import encoded
from db.redis.landed import Bounds, Change
from db.redis.telling import Told
from pipeline.schema import PUBLIC
from service import clock
from service.settings import Settings

NAME: Final = "caiso.rt_5min.TH_NP15_GEN-APND"
INTERVAL: Final = "5m"
_BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_FIVE: Final = timedelta(minutes=5)


def register(settings: Settings) -> None:
    """Makes the instrument known."""

    async def run() -> None:
        engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
        row = {"tenant": PUBLIC, "instrument": NAME, "market": "caiso", "product": "rt_5min", "unit": "USD/MWh"}
        await register_instruments(engine, pl.DataFrame([row | {"first_seen": _BEGIN}]))
        await engine.dispose()

    asyncio.run(run())


class Feed:
    """Tells bars, one an entry, each of another interval."""

    def __init__(self, settings: Settings) -> None:
        self._redis = connect(settings.redis.url.get_secret_value())
        self._bounds = Bounds(settings.landed.keep_s, settings.landed.keep_entries)
        self._made = 0

    def made(self, count: int) -> list[Told]:
        """So many bars, for `tell`: to make one takes longer than to send it to a hundred clients."""
        self._made += count
        return [self._bar(number) for number in range(self._made - count + 1, self._made + 1)]

    def tell(self, bars: list[Told]) -> None:
        for each in bars:
            telling.append(self._redis, "bar", [each], self._bounds)

    def _bar(self, number: int) -> Told:
        start, price = _BEGIN + number * _FIVE, Decimal(number % 100)
        row: dict[str, Any] = dict.fromkeys(SHOWN_BAR) | {
            "tenant": PUBLIC, "instrument": NAME, "interval": INTERVAL, "start": start, "end": start + _FIVE,
            "open": price, "high": price, "low": price, "close": price, "twap": price, "covered_seconds": Decimal(300),
            "count": 1, "flags": 1, "revision": 0, "updated_at": start, "ver": number,
        }  # fmt: skip
        frame = pl.DataFrame([row], schema=dict(SHOWN_BAR))
        return Told(PUBLIC, Change(NAME, INTERVAL, clock.to_us(start), 0), frame.select(encoded(frame)).item().encode())
