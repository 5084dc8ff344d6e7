"""Whole days of every clock change from 2015 to 2030, written as each market writes them, come out hour by hour."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest

from pipeline import members

HOUR, QUARTER, FIVE = timedelta(hours=1), timedelta(minutes=15), timedelta(minutes=5)
EAST, CENTRAL, PACIFIC = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago"), ZoneInfo("America/Los_Angeles")
EST = ZoneInfo("Etc/GMT+5")

Prices = Mapping[str, Mapping[datetime, Decimal]]  # by place and UTC start
Table = tuple[str, list[str], list[str]]  # name, lines before the data, data


@dataclass(frozen=True)
class Form:
    """How a market writes a day. `places`: two of its locations. `free`: its rows may lie in any order."""

    product: str
    zone: ZoneInfo
    step: timedelta
    places: tuple[str, str]
    write: Callable[[date, Prices], Table]
    free: bool = True


def _miso(day: date, prices: Prices) -> Table:
    hours = ",".join(f"HE {hour}" for hour in range(1, 25))
    head = [
        "Day Ahead Market ExPost LMPs",
        f"{day:%m/%d/%Y}",
        "",
        ",,,All Hours-Ending are Eastern Standard Time (EST)",
    ]
    rows = [f"{place},Hub,LMP,{_cells(at)}" for place, at in prices.items()]
    parts = [f"{place},Hub,{part},{','.join(['-.05'] * 24)}" for place in prices for part in ("MCC", "MLC")]
    return f"{day:%Y%m%d}_da_expost_lmp.csv", [*head, f"Node,Type,Value,{hours}"], rows + parts


def _cells(at: Mapping[datetime, Decimal]) -> str:
    return ",".join(str(at[start]) for start in sorted(at))


def _caiso(day: date, prices: Prices) -> Table:
    head = (
        "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,"
        "LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP"
    )
    rows: list[str] = []
    for place, start, local, price in _each(prices, PACIFIC):
        hour = 25 if local.fold else local.hour + 1
        times = f"{start:%Y-%m-%dT%H:%M:%S}-00:00,{start + HOUR:%Y-%m-%dT%H:%M:%S}-00:00,{day},{hour},0"
        for kind, item, value in (("LMP", "LMP_PRC", price), ("MCC", "LMP_CONG_PRC", Decimal("-0.00125"))):
            rows.append(f"{times},{place},{place},{place},DAM,{kind},{item},{place},ALL,1,{value},1")
    return f"{day:%Y%m%d}_{day:%Y%m%d}_PRC_LMP_DAM_{day:%Y%m%d}_13_00_00_v1.csv", [head], rows


def _ercot_day(day: date, prices: Prices) -> Table:
    rows = [
        f"{day:%m/%d/%Y},{local.hour + 1:02}:00,{place}, {price},{'NY'[local.fold]}"
        for place, _, local, price in _each(prices, CENTRAL)
    ]
    return "np4-190.csv", ["DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag"], rows


def _ercot_quarters(day: date, prices: Prices) -> Table:
    head = "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,"
    rows = [
        f"{day:%m/%d/%Y},{local.hour + 1},{local.minute // 15 + 1},{place},HU,{price},{'NY'[local.fold]}"
        for place, _, local, price in _each(prices, CENTRAL)
    ]
    return "np6-905.csv", [head + "DSTFlag"], rows


def _pjm(day: date, prices: Prices) -> Table:
    head = (
        "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone,"
        "system_energy_price_da,total_lmp_da,congestion_price_da,marginal_loss_price_da,row_is_current,version_nbr"
    )
    rows = [
        f"{_twelve(start)},{_twelve(local)},{place},HUB {place},,,HUB,,{price},{price},0.000000,0.000000,True,1"
        for place, start, local, price in _each(prices, EAST)
    ]
    return "da_hrl_lmps.csv", [head], rows


def _twelve(moment: datetime) -> str:
    """A stamp as Data Miner writes it: `11/2/2025 5:00:00 AM`."""
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S} {half}"


NYISO_HEAD = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)"


def _nyiso_day(day: date, prices: Prices) -> Table:
    rows = [
        f"{local:%m/%d/%Y %H:%M},{place},61761,{price},1.25,-0.50" for place, _, local, price in _each(prices, EAST)
    ]
    return f"{day:%Y%m%d}damlbmp_zone.csv", [NYISO_HEAD], rows


def _nyiso_fives(day: date, prices: Prices) -> Table:
    """The stamp is the end of the interval, the last one the midnight after."""
    rows: list[str] = []
    for place, start, _, price in _each(prices, EAST):
        end = (start + FIVE).astimezone(EAST)
        rows.append(f'"{end:%m/%d/%Y %H:%M:%S}","{place}",61761,{price},1.25,-0.50')
    return f"{day:%Y%m%d}realtime_zone.csv", [NYISO_HEAD], rows


def _each(prices: Prices, zone: ZoneInfo) -> Iterator[tuple[str, datetime, datetime, Decimal]]:
    """(place, start, the zone's time of it, price), in the order of time."""
    for start in sorted(next(iter(prices.values()))):
        for place, at in prices.items():
            yield place, start, start.astimezone(zone), at[start]


FORMS = {
    "miso": Form("da_hourly", EST, HOUR, ("A.HUB", "B.HUB"), _miso),
    "caiso": Form("da_hourly", PACIFIC, HOUR, ("NODE_A", "TH_NP15_GEN-APND"), _caiso),
    "ercot day-ahead": Form("da_hourly", CENTRAL, HOUR, ("HB_NORTH", "LZ_WEST"), _ercot_day),
    "ercot quarters": Form("rt_15min", CENTRAL, QUARTER, ("HB_NORTH", "HB_WEST"), _ercot_quarters),
    "pjm": Form("da_hourly", EAST, HOUR, ("51217", "4669664"), _pjm),
    "nyiso day-ahead": Form("da_hourly", EAST, HOUR, ("N.Y.C.", "HUD VL"), _nyiso_day, free=False),
    "nyiso fives": Form("rt_5min", EAST, FIVE, ("N.Y.C.", "HUD VL"), _nyiso_fives, free=False),
}


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _lasts(day: date, zone: ZoneInfo) -> timedelta:
    return _midnight(day + timedelta(days=1), zone) - _midnight(day, zone)


DAYS = [date(2015, 1, 1) + timedelta(days=number) for number in range((date(2031, 1, 1) - date(2015, 1, 1)).days)]
CHANGES = [day for day in DAYS if _lasts(day, EAST) != 24 * HOUR]


def _prices(form: Form, day: date) -> dict[str, dict[datetime, Decimal]]:
    """Another price at each place and instant of the market's day, every third one negative."""
    starts = [_midnight(day, form.zone) + number * form.step for number in range(_lasts(day, form.zone) // form.step)]
    return {
        place: {start: Decimal(f"{'' if number % 3 else '-'}{number}.{tens}5") for number, start in enumerate(starts)}
        for place, tens in zip(form.places, (2, 7), strict=True)
    }


def _ordered(form: Form, rows: list[str], year: int) -> list[str]:
    """As published; where rows may lie in any order, also backwards and at random, in turn from year to year."""
    turn = year % 3 if form.free else 0
    return [rows, rows[::-1], Random(year).sample(rows, len(rows))][turn]


def test_the_clocks_change_twice_a_year() -> None:
    """The same days in all zones, so that each form sees a short and a long day in each year; MISO's clock stays."""
    assert len(CHANGES) == 2 * 16
    for zone in (EAST, CENTRAL, PACIFIC):
        assert [_lasts(day, zone) for day in CHANGES] == [23 * HOUR, 25 * HOUR] * 16
    assert {_lasts(day, EST) for day in CHANGES} == {24 * HOUR}


@pytest.mark.parametrize("day", [*CHANGES, date(2024, 7, 4)], ids=str)
@pytest.mark.parametrize("name", FORMS)
def test_a_whole_day_is_read_one_to_one(name: str, day: date) -> None:
    form, market = FORMS[name], name.partition(" ")[0]
    prices = _prices(form, day)
    expected = {(place, start, start + form.step): price for place, at in prices.items() for start, price in at.items()}
    file, head, rows = form.write(day, prices)
    reading = members.read("\n".join([*head, *_ordered(form, rows, day.year), ""]).encode(), file)
    ticks = reading.ticks
    assert (reading.refused, reading.rejects.height, ticks.height) == ([], 0, len(expected))
    assert {row[:3]: row[3] for row in ticks.select("location", "start", "end", "price").iter_rows()} == expected
    assert ticks.select("market", "product").unique().rows() == [(market, form.product)]
    assert (ticks["ts"] == ticks["end" if form.step == FIVE else "start"]).all()
