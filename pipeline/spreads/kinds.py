"""The kinds of spreads, each with its formula. The value of a spread is a price of market `spread`, product = kind.

| kind | value of one delivery interval | interval |
|---|---|---|
| `dart` | day-ahead − real-time of the same hour; real-time is the published hourly price, else (ERCOT) the mean of the settlement prices of its four quarters, all four needed | hour |
| `basis` | node − hub; energy, congestion and loss are differences too (within one market the energies cancel) | hour |
| `hub` | hub − hub of another market, of the same hour in UTC | hour |
| `spark` | power − heat rate (MMBtu/MWh) × gas, never clipped at zero | hour |
| `heat_rate` | power ÷ gas in MMBtu/MWh; no value where gas ≤ 0 | hour |
| `gas_basis` | gas at a point − gas at Henry Hub, of one day | day |
| `calendar` | month − month of one market's futures, of one day's settlements | day |
| `peak` | mean of the peak − mean of the off-peak intervals of a local day, all of them needed | day |

Every value but the heat rate is Σ weight × factor × mean of the leg's prices, over two legs; it is rounded once, half to
even, to 9 decimals. A leg that is not there gives no value.
"""  # noqa: E501 - a table

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

MARKET: Final = "spread"
Align = Literal["interval", "mean", "block", "flow_day", "gas_day"]
"""Which prices of a leg belong to an interval of the spread.

`interval`: the one of the same interval. `mean`: the mean of the finer ones of the hour. `block`: the mean of those of
a block of the local day. `flow_day`: the gas price of the flow date that is the hour's local day: the last trade day
before it. `gas_day`: the same of the gas day (09:00 to 09:00 Central prevailing) that holds the hour.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is allowed of a kind: `interval` of its values, how its legs may be aligned, and what else it shows.

    `parts`: energy, congestion and loss are differences too. `ratio`: the first leg is divided by the second one.
    """

    name: str
    interval: Literal["1h", "1d"]
    aligns: tuple[Align, ...]
    parts: bool = False
    ratio: bool = False


_HOURLY: Final[tuple[Align, ...]] = ("interval", "mean")
_GAS: Final[tuple[Align, ...]] = ("flow_day", "gas_day")
_KINDS: Final = (
    Kind("dart", "1h", _HOURLY),
    Kind("basis", "1h", _HOURLY, parts=True),
    Kind("hub", "1h", _HOURLY),
    Kind("spark", "1h", (*_HOURLY, *_GAS)),
    Kind("heat_rate", "1h", (*_HOURLY, *_GAS), ratio=True),
    Kind("gas_basis", "1d", ("interval",)),
    Kind("calendar", "1d", ("interval",)),
    Kind("peak", "1d", ("block",)),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in _KINDS})
