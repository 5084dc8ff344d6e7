"""The registry of markets and products: what bars, latest prices, completeness and lateness read about them.

Another market is its parser's file, one `Market` line and one `Product` line a product.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

DayRule = Literal["market", "utc"]

_NO_TIME: Final = timedelta(0)
_MINUTE: Final = timedelta(minutes=1)
_QUARTER: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Band:
    """Prices that are never suspicious from a day (UTC) on, whole currency units, both ends included."""

    since: date
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Market:
    """`unit` and `currency` are null where a market is not known; `bands` are ordered by `since`.

    `tolerance`: by how much published parts of a price may miss it, and derived energies of an interval each other.
    """

    name: str
    zone: str = "UTC"
    unit: str | None = None
    currency: str | None = None
    bands: tuple[Band, ...] = ()
    tolerance: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Product:
    """What one product of a market is (`market` null: of any market that does not say otherwise).

    `interval`: native delivery interval (`5m 15m 1h`), null for a stream of single prices.
    `finest`: the finest bar that is stored (`10s` is internal: minutes fold from it).
    `cadence`: expected time between publications; `due`: when one is expected, from the interval's start.
    `day`: whose day the `1d` bar is. `forward`: prices lie in the future by design.
    `lateness`: time after the interval's end (a stream's instant) from which a price counts as late.
    `grace`: time after a bar's end in which a new price is no revision of it.
    `max_hold`: the longest that a price holds in averages, null where it does not hold.
    `binding`: earliest time before its start at which a price binds; an earlier one is advisory (null: never).
    `document`: the exchange's own documents bring it, so no generic tick may claim it.
    `by_end`: the exchange publishes the end; the start, at most `interval` before it, follows from the rest of the
    document, so that a price may begin elsewhere when it comes again.
    `irregular`: runs come about every `cadence` and need not: they are no gap before `max_hold`.
    `strips`: a row of its documents may hold prices of many locations for one instant.
    `tolerance`: by how much the parts of a price may miss it, where that is another amount than the market's.
    """

    market: str | None
    name: str
    interval: str | None
    finest: str
    cadence: timedelta | None
    due: timedelta
    day: DayRule = "market"
    forward: bool = False
    lateness: timedelta = _NO_TIME
    grace: timedelta = 5 * _MINUTE
    max_hold: timedelta | None = None
    binding: timedelta | None = None
    document: bool = True
    by_end: bool = False
    irregular: bool = False
    strips: bool = False
    tolerance: Decimal | None = None


_USD: Final = ("USD/MWh", "USD")
_EVER: Final = date(1990, 1, 1)
_CENTS: Final = Decimal("0.02")

_MARKETS: Final = (
    Market("miso", "Etc/GMT+5", *_USD, (Band(_EVER, -200, 3_500), Band(date(2025, 9, 30), -200, 10_000)), _CENTS),
    Market("caiso", "America/Los_Angeles", *_USD, (Band(_EVER, -160, 2_000),), Decimal("0.0002")),
    Market("ercot", "America/Chicago", *_USD, (Band(_EVER, -251, 9_000), Band(date(2022, 1, 1), -251, 5_000))),
    Market("pjm", "America/New_York", *_USD, (Band(_EVER, -500, 4_000),), Decimal("0.000002")),
    Market("nyiso", "America/New_York", *_USD, (Band(_EVER, -1_000, 2_000),), _CENTS),
    Market("henry_hub", "UTC", "USD/MMBtu", "USD"),
    Market("spread"),  # zone and unit are those of each definition (`pipeline.spreads`)
)

# fmt: off
_PRODUCTS: Final = (
    # Day-ahead in the early afternoon before the day. Real-time hours come in the next morning's file, and once more
    # when they are final; five minutes come at their end, and once more in the week after.
    Product("miso", "da_hourly", "1h", "1h",
            cadence=_DAY, due=-9 * _HOUR, forward=True, lateness=_NO_TIME, max_hold=_HOUR),
    Product("miso", "da_exante_hourly", "1h", "1h",
            cadence=_DAY, due=-9 * _HOUR, forward=True, lateness=_NO_TIME, max_hold=_HOUR),
    Product("miso", "rt_hourly", "1h", "1h",
            cadence=_DAY, due=34 * _HOUR, lateness=36 * _HOUR, grace=36 * _HOUR, max_hold=_HOUR),
    Product("miso", "rt_5min", "5m", "5m",
            cadence=5 * _MINUTE, due=5 * _MINUTE, lateness=30 * _MINUTE, max_hold=5 * _MINUTE),
    Product("miso", "rt_exante_5min", "5m", "5m",
            cadence=_DAY, due=34 * _HOUR, lateness=36 * _HOUR, grace=36 * _HOUR, max_hold=5 * _MINUTE),
    Product("caiso", "da_hourly", "1h", "1h",
            cadence=_DAY, due=-11 * _HOUR, forward=True, lateness=_NO_TIME, max_hold=_HOUR),
    Product("caiso", "hasp_15min", "15m", "15m",
            cadence=_HOUR, due=-_HOUR, lateness=_HOUR, max_hold=_QUARTER, binding=3 * _HOUR),
    Product("caiso", "rt_15min", "15m", "15m",
            cadence=_QUARTER, due=_NO_TIME, lateness=_HOUR, max_hold=_QUARTER, binding=_HOUR),
    Product("caiso", "rt_5min", "5m", "5m",
            cadence=5 * _MINUTE, due=_NO_TIME, lateness=30 * _MINUTE, max_hold=5 * _MINUTE, binding=30 * _MINUTE),
    # Day-ahead by 11:00 in New York, 13 hours before the day. Real-time hours are averages: they come after their hour.
    Product("nyiso", "da_hourly", "1h", "1h",
            cadence=_DAY, due=-13 * _HOUR, forward=True, lateness=_NO_TIME, max_hold=_HOUR),
    Product("nyiso", "rt_hourly", "1h", "1h",
            cadence=_HOUR, due=_HOUR, lateness=_HOUR, grace=_HOUR, max_hold=_HOUR),
    # The run of a quarter of an hour is for the next one; what it says of later ones, the runs between may change.
    Product("nyiso", "rtc_15min", "15m", "15m",
            cadence=_QUARTER, due=-_QUARTER, lateness=_HOUR, max_hold=_QUARTER, binding=_QUARTER),
    # Published by the interval's end, which is its stamp. What is known earlier than a run can know is no dispatch.
    Product("nyiso", "rt_5min", "5m", "5m",
            cadence=5 * _MINUTE, due=5 * _MINUTE, lateness=30 * _MINUTE, max_hold=5 * _MINUTE, binding=_QUARTER,
            by_end=True),
    # A run of SCED is a price until the next one. Settlement prices come about two minutes after their quarter.
    Product("ercot", "da_hourly", "1h", "1h",
            cadence=_DAY, due=-10 * _HOUR, forward=True, lateness=_NO_TIME, max_hold=_HOUR),
    Product("ercot", "rt_15min", "15m", "15m",
            cadence=_QUARTER, due=_QUARTER + 2 * _MINUTE, lateness=_HOUR, max_hold=_QUARTER),
    Product("ercot", "rt_sced", "5m", "5m",
            cadence=5 * _MINUTE, due=_MINUTE, lateness=30 * _MINUTE, max_hold=30 * _MINUTE, irregular=True),
    # Unverified prices within minutes, verified ones on the next business day, which a weekend may precede.
    Product("pjm", "da_hourly", "1h", "1h",
            cadence=_DAY, due=-10 * _HOUR, forward=True, lateness=_NO_TIME, max_hold=_HOUR),
    Product("pjm", "rt_hourly", "1h", "1h", tolerance=Decimal("0.011"),
            cadence=_HOUR, due=2 * _HOUR, lateness=4 * _DAY, grace=_HOUR, max_hold=_HOUR),
    Product("pjm", "rt_5min", "5m", "5m",
            cadence=5 * _MINUTE, due=10 * _MINUTE, lateness=30 * _MINUTE, max_hold=5 * _MINUTE),
    # Settlements and spot prices of days, quotes of instants: the calendar of trading days says which ones there are.
    Product("henry_hub", "futures", None, "1h",
            cadence=None, due=_NO_TIME, lateness=4 * _DAY, grace=_NO_TIME, max_hold=_DAY, strips=True),
    Product("henry_hub", "spot", None, "1h",
            cadence=None, due=_NO_TIME, lateness=14 * _DAY, grace=_NO_TIME, max_hold=_DAY),
    # What follows from other prices comes with the last of them; of day-ahead ones it lies in the future.
    *(
        Product("spread", kind, "1h", "1h",
                cadence=_HOUR, due=34 * _HOUR, forward=True, lateness=4 * _DAY, grace=36 * _HOUR, max_hold=_HOUR)
        for kind in ("dart", "basis", "hub", "spark", "heat_rate")
    ),
    *(
        Product("spread", kind, None, "1h",
                cadence=None, due=_NO_TIME, lateness=14 * _DAY, grace=36 * _HOUR, max_hold=_DAY)
        for kind in ("gas_basis", "calendar", "peak")
    ),
    Product(None, "tick", None, "10s", cadence=None, due=_NO_TIME, lateness=_MINUTE, grace=_NO_TIME, document=False),
    Product(None, "futures", None, "10s", cadence=None, due=_NO_TIME, lateness=_HOUR, grace=_NO_TIME, document=False),
    Product(None, "spot", None, "10s", cadence=None, due=_NO_TIME, lateness=_DAY, grace=_NO_TIME, document=False),
)
# fmt: on

MARKETS: Final[Mapping[str, Market]] = MappingProxyType({market.name: market for market in _MARKETS})
PRODUCTS: Final[Mapping[tuple[str | None, str], Product]] = MappingProxyType(
    {(product.market, product.name): product for product in _PRODUCTS}
)
STREAM: Final = PRODUCTS[None, "tick"]


def market(name: str) -> Market:
    """The registered market, or an unknown one: UTC, without unit and currency."""
    return MARKETS.get(name) or Market(name)


def product(market: str, name: str) -> Product:
    """The product of that market, else the one of any market, else a stream such as `tick`."""
    return PRODUCTS.get((market, name)) or PRODUCTS.get((None, name)) or STREAM


def namespaces() -> tuple[str, ...]:
    """Beginnings of instrument ids that only exchange documents may use, such as `caiso.rt_5min.`."""
    return tuple(f"{each.market}.{each.name}." for each in _PRODUCTS if each.document)
