"""Business days, and the last days of trading of futures that follow from them.

Business days are Mondays to Fridays that are no holiday; the holidays are an argument (`pipeline.holidays`, or the
table `holidays`). Dates of real contracts are data (the table `contracts`): the rule here checks them, and makes those
that no list has yet. Of the dates listed for Henry Hub from February 2003 to December 2027 it misses six, because until
2010 the Friday after Thanksgiving, and New Year's Eve before a Saturday, were counted as no business days: NGZ04,
NGF05, NGZ08, NGZ09, NGZ10 and NGF11 ended a business day earlier.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

MONTH_LETTERS: Final = "FGHJKMNQUVXZ"  # January to December in codes of futures
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 6


def business_day_before(day: date, number: int, holidays: Collection[date]) -> date:
    """The `number`-th business day before a day, counted backwards."""
    while number:
        day -= _DAY
        number -= day.isoweekday() < _SATURDAY and day not in holidays
    return day


def last_trade_ng(delivery: date, holidays: Collection[date]) -> date:
    """The last day of trading of the Henry Hub contract that delivers in the month of a day: the third last business
    day of the month before (NYMEX rulebook, chapter 220)."""
    return business_day_before(delivery.replace(day=1), 3, holidays)


def last_trade_month(delivery: date, holidays: Collection[date]) -> date:
    """The last business day of the month of a day, on which PJM's monthly peak futures end (ice.com 53169017)."""
    following = (delivery.replace(day=28) + 4 * _DAY).replace(day=1)
    return business_day_before(following, 1, holidays)
