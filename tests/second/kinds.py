"""The shared documents: which reading is for which, and which ones hold no price."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.second import caiso, ercot, gas, miso, nyiso, pjm
from tests.second.common import Reader

SHARED = Path(__file__).parents[3] / "shared" / "data" / "iso"


@dataclass(frozen=True)
class Kind:
    """How documents are read; `asked`: what a user has to say beside the name; `refused`: the rows that are refused."""

    reader: Reader
    product: str
    asked: tuple[str | None, str | None] = (None, None)
    refused: Callable[[Path], list[int]] = lambda _: []


Each = dict[str, Kind]
_MISO: Each = {
    "miso/da/*_lmp_*.csv": Kind(miso.daily, "da_hourly"),
    "miso/rt_hourly/*_rt_lmp_*.csv": Kind(miso.daily, "rt_hourly"),
    "miso/rt_5min/GetLmpConsolidatedTable_*.json": Kind(miso.consolidated, "rt_5min and rt_hourly"),
}
_CAISO: Each = {
    "caiso/dam/*.csv": Kind(caiso.report, "da_hourly"),
    "caiso/dam/*.zip": Kind(caiso.archive, "da_hourly"),
    "caiso/dam_xml/*.xml": Kind(caiso.markup, "da_hourly"),
    "caiso/hasp/*.csv": Kind(caiso.report, "hasp_15min"),
    "caiso/rtpd/*.csv": Kind(caiso.report, "rt_15min"),
    "caiso/rtm/*.csv": Kind(caiso.report, "rt_5min"),
}
_ERCOT: Each = {
    "ercot/dam_spp/*.csv": Kind(ercot.report, "da_hourly"),
    "ercot/dam_spp_api/*.csv": Kind(ercot.report, "da_hourly"),
    "ercot/dam_spp_api/*.json": Kind(ercot.answer, "da_hourly"),
    "ercot/dam_zone_hub_xlsx/*.xlsx": Kind(ercot.workbook, "da_hourly"),
    "ercot/rtm_spp/*.csv": Kind(ercot.report, "rt_15min"),
    "ercot/rtm_spp/*.json": Kind(ercot.answer, "rt_15min"),
    "ercot/rtm_zone_hub_xlsx/*.xlsx": Kind(ercot.workbook, "rt_15min"),
    "ercot/sced_lmp/*.csv": Kind(ercot.report, "rt_sced"),
}
_PJM: Each = {
    "pjm/da_hrl/*.csv": Kind(pjm.export, "da_hourly"),
    "pjm/rt_hrl/*.csv": Kind(pjm.export, "rt_hourly"),
    "pjm/rt_5min/*.csv": Kind(pjm.export, "rt_5min"),
    "pjm/api_json/api_rt_hrl_lmps_*.json": Kind(pjm.answer, "rt_hourly"),
}
_NYISO: Each = {
    "nyiso/dam/*.csv": Kind(nyiso.hourly, "da_hourly"),
    "nyiso/rt_hourly/*.csv": Kind(nyiso.hourly, "rt_hourly"),
    "nyiso/rt_5min/*.csv": Kind(nyiso.five_minutes, "rt_5min"),
    "nyiso/oasis_export/*.csv": Kind(nyiso.export, "da_hourly"),
}
_GAS: Each = {
    "gas/forward_curve_json/ng_forward_curve_*.json": Kind(gas.chain, "futures"),
    "gas/forward_curve_json/ng_front_historical.json": Kind(gas.front, "futures", refused=gas.too_fine),
    "gas/henry_hub_strips/*.csv": Kind(gas.strips, "futures"),
    "gas/spot/*.csv": Kind(gas.spot, "spot", ("henry_hub", "spot")),
}
KINDS: Each = {**_MISO, **_CAISO, **_ERCOT, **_PJM, **_NYISO, **_GAS}

# Documents of exchanges that hold no price: whose they are.
NO_PRICES = {
    "caiso/other/*": "caiso",
    "ercot/reference/*": "ercot",
    "gas/reference/*": "henry_hub",
    "pjm/api_json/api_rt_marginal_value_*.json": "pjm",
}


def matching(documents: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """The documents that any of the patterns is for."""
    return [name for name in documents if any(fnmatch(name, pattern) for pattern in patterns)]


EVERY = sorted(str(path.relative_to(SHARED)) for path in SHARED.glob("*/**/*") if path.is_file())
PRICES, OTHERS = matching(EVERY, KINDS), matching(EVERY, NO_PRICES)


def kind_of(document: str) -> Kind:
    """How a document of PRICES is read."""
    return next(kind for pattern, kind in KINDS.items() if fnmatch(document, pattern))
