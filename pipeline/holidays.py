"""Holidays by rule: the days that make no peak hours (NERC), and those on which NYMEX settles nothing.

NERC names six; one on a Sunday moves to Monday, one on a Saturday stays (North American Electric Reliability
Corporation, "Additional Off-peak Days"). NYMEX's days on a fixed date move from Sunday to Monday and from Saturday to
Friday, but for New Year's Day, which is not kept on the last day of the year before. Closings for one occasion follow
no rule and are not here.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

Rule = Callable[[int], dict[date, str]]

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 6
_SUNDAY: Final = 7
_JUNETEENTH_SINCE: Final = 2022


def nerc(year: int) -> dict[date, str]:
    """The six NERC holidays of a year, with their names."""
    days = {
        _not_sunday(date(year, 1, 1)): "New Year's Day",
        _memorial(year): "Memorial Day",
        _not_sunday(date(year, 7, 4)): "Independence Day",
        _labor(year): "Labor Day",
        _thanksgiving(year): "Thanksgiving Day",
        _not_sunday(date(year, 12, 25)): "Christmas Day",
    }
    return dict(sorted(days.items()))


def nymex(year: int) -> dict[date, str]:
    """The days of a year, Mondays to Fridays, on which NYMEX settles no energy futures, with their names."""
    days = {
        _not_sunday(date(year, 1, 1)): "New Year's Day",
        _nth_monday(year, 1, 3): "Martin Luther King Jr. Day",
        _nth_monday(year, 2, 3): "Presidents' Day",
        easter(year) - 2 * _DAY: "Good Friday",
        _memorial(year): "Memorial Day",
        _weekday(date(year, 7, 4)): "Independence Day",
        _labor(year): "Labor Day",
        _thanksgiving(year): "Thanksgiving Day",
        _weekday(date(year, 12, 25)): "Christmas Day",
    }
    if year >= _JUNETEENTH_SINCE:
        days[_weekday(date(year, 6, 19))] = "Juneteenth"
    return {day: days[day] for day in sorted(days) if day.isoweekday() < _SATURDAY}


CALENDARS: Final[Mapping[str, Rule]] = MappingProxyType({"nerc": nerc, "nymex": nymex})


def between(calendar: str, first: int, last: int) -> frozenset[date]:
    """The holidays of a calendar (`nerc`, `nymex`) in these years, both included."""
    return frozenset(day for year in range(first, last + 1) for day in CALENDARS[calendar](year))


def easter(year: int) -> date:
    """Easter Sunday: the Gregorian computus (Meeus, Astronomical Algorithms, chapter 8)."""
    century, of_century = divmod(year, 100)
    leaps, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - leaps - moon + 15) % 30
    weekday = (32 + 2 * rest + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _not_sunday(day: date) -> date:
    return day + _DAY if day.isoweekday() == _SUNDAY else day


def _weekday(day: date) -> date:
    return day - _DAY if day.isoweekday() == _SATURDAY else _not_sunday(day)


def _nth_monday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + _DAY * ((1 - first.isoweekday()) % 7 + 7 * (number - 1))


def _memorial(year: int) -> date:
    """The last Monday of May."""
    return date(year, 5, 31) - _DAY * (date(year, 5, 31).isoweekday() - 1)


def _labor(year: int) -> date:
    """The first Monday of September."""
    return _nth_monday(year, 9, 1)


def _thanksgiving(year: int) -> date:
    """The fourth Thursday of November."""
    return date(year, 11, 22) + _DAY * ((4 - date(year, 11, 22).isoweekday()) % 7)
