"""The demo's documents of all five markets: what each would publish at an instant of the day, in its own format."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from local.documents import caiso, ercot, henry_hub, miso, nyiso, pjm
from local.documents.caiso import DAM, PACIFIC, RTM, RTPD, Report
from local.documents.prices import HOUR, Price, begin_of, seeded, starts, usd

CAISO_HUBS: Final = (
    "TH_NP15_GEN-APND", "TH_SP15_GEN-APND", "TH_ZP26_GEN-APND", "DLAP_PGAE-APND", "DLAP_SCE-APND", "DLAP_SDGE-APND",
)  # fmt: skip
NODES: Final = CAISO_HUBS + tuple(f"{name}_{number}_N001" for name, number in zip(
    ("ALDERPT", "BIRCHVL", "CEDARCK", "DRYLAKE", "ELKHORN", "FOXGLEN", "GOLDRIV", "HAZELTN", "IRONHIL", "JUNIPER",
     "KESTREL", "LARKSPR", "MESQITE", "NORTHFK"), range(1, 15), strict=True))  # fmt: skip
_QUARTER: Final = timedelta(minutes=15)
_STEP: Final = timedelta(minutes=5)
_NO_TIME: Final = timedelta(0)
_SETTLED: Final = timedelta(days=14)
_TRADED: Final = range(9, 18)
# When the next day's prices come, after the Pacific day's beginning: a while before they are due.
_NEXT_DAY: Final = {"nyiso": 7 * HOUR, "pjm": 10 * HOUR, "ercot": 11 * HOUR, "miso": 11 * HOUR, "caiso": 13 * HOUR}


class Sent(NamedTuple):
    """One document; `kind`: what it is called among the market's."""

    market: str
    kind: str
    name: str
    content: bytes


def documents(at: datetime, begin: datetime, day: date) -> Iterator[Sent]:
    """What comes at an instant of a (Pacific) day that began at `begin`.

    The day-ahead prices of each market's own day come as the day begins, those of the next one when the market has
    them.
    """
    since = at - begin
    if since == _NO_TIME:
        yield from _day_ahead(day)
    if since in _NEXT_DAY.values():
        yield from (sent for sent in _day_ahead(day + timedelta(days=1)) if _NEXT_DAY[sent.market] == since)
    if since % _STEP == _NO_TIME:
        yield from _five_minutes(at, day)
    if since % _QUARTER == _NO_TIME:
        yield _oasis(at, RTPD, day, at)
        yield Sent(
            "ercot", "spp", *ercot.settlement(_prices("ercot.spp", ercot.POINTS, [at - _QUARTER], ercot.CENTRAL))
        )
    if since % HOUR == _NO_TIME:
        yield from _hour(at)
        yield from _gas(at)


def of_day(day: date) -> Iterator[Sent]:
    """The hourly prices of a day that is over, day-ahead and real-time."""
    yield from _day_ahead(day)
    hours = starts(day, pjm.EASTERN)
    yield Sent("miso", "rt", *miso.day("rt_lmp_final", day, _miso_day("miso.rt", day)))
    yield Sent("pjm", "rt", *pjm.export("rt_hrl_lmps", _prices("pjm.rt", pjm.HUBS, hours, pjm.EASTERN)))
    yield Sent("nyiso", "rt", *nyiso.hours("rtlbmp", day, _prices("nyiso.rt", nyiso.ZONES, hours, nyiso.EASTERN)))


def gas_before(day: date, spot_since: date) -> Iterator[Sent]:
    """Settlements of the trading days before a day, and spot prices of those since another one."""
    days = henry_hub.trading_days(min(spot_since, day - _SETTLED), day)
    yield Sent("henry_hub", "strip", *henry_hub.strip(each for each in days if each >= day - _SETTLED))
    yield Sent("henry_hub", "spot", *henry_hub.spot(each for each in days if each >= spot_since))


def _gas(at: datetime) -> Iterator[Sent]:
    """Futures are quoted while the floor is open; settlements and spot prices come as the trading day ends."""
    local = at.astimezone(henry_hub.NEW_YORK)
    if not henry_hub.is_trading(local.date()) or local.hour not in _TRADED:
        return
    yield Sent("henry_hub", "chain", *henry_hub.chain(at))
    if local.hour == _TRADED[-1]:
        yield Sent("henry_hub", "strip", *henry_hub.strip([local.date()]))
        yield Sent("henry_hub", "spot", *henry_hub.spot([local.date()]))


def _day_ahead(day: date) -> Iterator[Sent]:
    begin, eastern = begin_of(day, PACIFIC), starts(day, pjm.EASTERN)
    central = _prices("ercot.da", ercot.POINTS, starts(day, ercot.CENTRAL), ercot.CENTRAL)
    yield _oasis(begin, DAM, day, begin)
    yield Sent("miso", "da", *miso.day("da_expost_lmp", day, _miso_day("miso.da", day)))
    yield Sent("ercot", "dam", *ercot.day_ahead(day, central))
    yield Sent("pjm", "da", *pjm.export("da_hrl_lmps", _prices("pjm.da", pjm.HUBS, eastern, pjm.EASTERN)))
    yield Sent("nyiso", "da", *nyiso.hours("damlbmp", day, _prices("nyiso.da", nyiso.ZONES, eastern, nyiso.EASTERN)))


def _five_minutes(at: datetime, day: date) -> Iterator[Sent]:
    """CAISO's run of now, and what the others publish of the five minutes that are over; at times the CAISO run
    before again, the same or corrected, or one that came late or broken."""
    yield _oasis(at, RTM, day, at)
    yield from _others(at)
    chance = seeded("five", at)
    what = chance.random()
    if what < 0.05:
        yield _oasis(at, RTM, day, at - _STEP)  # a duplicate
    elif what < 0.10:
        yield _oasis(at, RTM, day, at - _STEP, correction=1)
    elif what < 0.12:
        yield _oasis(at, RTM, day, at - HOUR, correction=2)  # late and corrected
    elif what < 0.14:
        yield Sent("caiso", "broken", "broken.zip", caiso.refusal())


def _others(at: datetime) -> Iterator[Sent]:
    start = at - _STEP
    run = at - timedelta(seconds=seeded("sced", at).randrange(4, 60))
    yield Sent("miso", "rt_5min", *miso.five_minutes(_prices("miso.rt", miso.HUBS, [start], miso.EST)))
    yield Sent("ercot", "sced", *ercot.sced(_prices("ercot.sced", ercot.POINTS, [run], ercot.CENTRAL)))
    feed = "rt_unverified_fivemin_lmps"
    yield Sent("pjm", "rt_5min", *pjm.unverified(feed, _prices("pjm.rt", pjm.HUBS, [start], pjm.EASTERN)))
    if not _twice(at):
        of = start.astimezone(nyiso.EASTERN).date()
        prices = _prices("nyiso.rt", nyiso.ZONES, [start], nyiso.EASTERN)
        yield Sent("nyiso", "rt_5min", *nyiso.realtime(of, prices))


def _hour(at: datetime) -> Iterator[Sent]:
    """The hour that is over. NYISO's file holds the day's hours so far: only that tells the hour that comes twice, so
    the first of the two waits for the second. The five minutes of its day come once more as it ends."""
    start = at - HOUR
    yield Sent("pjm", "rt", *pjm.export("rt_hrl_lmps", _prices("pjm.rt", pjm.HUBS, [start], pjm.EASTERN)))
    local = start.astimezone(nyiso.EASTERN)
    of = local.date()
    if local.fold or not _twice(start):
        hours = [hour for hour in starts(of, nyiso.EASTERN) if hour < at]
        yield Sent("nyiso", "rt", *nyiso.hours("rtlbmp", of, _prices("nyiso.rt", nyiso.ZONES, hours, nyiso.EASTERN)))
    if at.astimezone(nyiso.EASTERN).hour == 0:
        fives = _prices("nyiso.rt", nyiso.ZONES, starts(of, nyiso.EASTERN, _STEP), nyiso.EASTERN)
        yield Sent("nyiso", "rt_5min", *nyiso.realtime(of, fives))


def _twice(at: datetime) -> bool:
    """The Eastern clock shows this time twice."""
    local = at.astimezone(nyiso.EASTERN)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _miso_day(seed: str, day: date) -> list[Price]:
    return _prices(seed, miso.HUBS, starts(day, miso.EST), miso.EST)


def _prices(seed: str, nodes: Iterable[str], times: Sequence[datetime], zone: tzinfo) -> list[Price]:
    return [Price(node, at, usd(seed, node, at, zone)) for at in times for node in nodes]


def _oasis(at: datetime, report: Report, day: date, start: datetime, correction: int = 0) -> Sent:
    times = [start + step * report.length for step in range(report.intervals(day))]
    prices = [
        Price(node, each, usd(report.market, node, each, PACIFIC, correction)) for each in times for node in NODES
    ]
    name = report.name(start, start + len(times) * report.length, at)
    return Sent("caiso", report.market, f"{name}.zip", caiso.answer(name, caiso.csv(report, prices)))
