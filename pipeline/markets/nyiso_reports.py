"""Which report of NYISO a file is: by its header, its name, what its sender says, and the steps of its stamps.

The public files of all products have one header; their names tell them apart: damlbmp (day-ahead), rtlbmp (real-time
hours), realtime (the dispatch of a day) and hamlbmp (the commitment). Custom exports say the product in their header.
"""

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline.documents import Document, refusal, refuse_unknown

DA: Final = "da_hourly"
HOURLY: Final = "rt_hourly"
RTD: Final = "rt_5min"
RTC: Final = "rtc_15min"
DAY: Final = "realtime"  # no product: a day's real-time file holds RTD, and RTC behind it while the day lasts
PRODUCTS: Final = (DA, HOURLY, RTD, RTC)
HOURS: Final = (DA, HOURLY)
FILES: Final = {"damlbmp": DA, "rtlbmp": HOURLY, "realtime": DAY, "hamlbmp": RTC}
EXPORTS: Final = {"DAM": DA, "TWI": HOURLY, "RTD": RTD, "RTC": RTC}

# The header's names by role. Some end early in older files; those of exports tell market and kind of location.
_NEEDED: Final = {
    "stamp": r"Time Stamp|Eastern Date Hour|RT[CD] End Time Stamp",
    "name": r"(?:Zone |Gen |Generator )?Name",
    "ptid": r"(?:Zone |Gen |Generator )?PTID",
    "price": r"LBMP.*|.* LBMP",
    "losses": r"Marginal Cost Loss.*|.* Losses",
    "congestion": r"Marginal Cost Cong.*|.* Congestion",
}
_OPTIONAL: Final = {"zone": r"(?:.* )?Time Zone", "version": r".* Price Version"}
_OURS: Final = re.compile(r"Time Stamp|Eastern Date Hour|RT[CD] .*", re.IGNORECASE)


def is_ours(names: list[str]) -> bool:
    """By the first column of a header: prices or not."""
    return _OURS.fullmatch(names[0]) is not None


def columns(names: list[str]) -> dict[str, str]:
    """The header's name of each role: stamp, name, ptid, price, losses, congestion, and zone, version where they are.

    Raises `DataProcessingError` where a file of prices would have one more.
    """
    found = {role: _matching(names, pattern) for role, pattern in (_NEEDED | _OPTIONAL).items()}
    wrong = [role for role, held in found.items() if len(held) != 1 and (held or role in _NEEDED)]
    if wrong:
        reason = f"this is no file of LBMP by NYISO: one column is expected for each of {', '.join(wrong)}"
        known = f"send {', '.join(FILES)} or an export of LBMP"
        raise refusal(f"{reason}; {known}", "header", ",".join(names))
    return {role: held[0] for role, held in found.items() if held}


def _matching(names: list[str], pattern: str) -> list[str]:
    return [name for name in names if re.fullmatch(pattern, name, re.IGNORECASE)]


def _named(held: Mapping[str, str], name: str) -> str | None:
    """The product, or `DAY`, by the columns of an export (`DAM Zonal LBMP`), else by the file's name."""
    told = [EXPORTS.get(held[role].partition(" ")[0].upper()) for role in ("price", "stamp")]
    files = [report for part, report in FILES.items() if part in name.lower()]
    return next((each for each in (*told, *files) if each), None)


def report(document: Document, held: Mapping[str, str], stamps: pl.Series) -> str:
    """The product of the rows, or `DAY`, by their naive stamps too.

    Raises `DataProcessingError` where it is in doubt, or what tells it contradicts itself.
    """
    wanted, distinct = document.product, stamps.unique().drop_nulls()
    refuse_unknown(wanted, PRODUCTS, "NYISO")
    found = _named(held, document.name) or _by_stamps(wanted, distinct)
    if found is None:
        reason = f"hours may be day-ahead or real-time: name the product ({DA}, {HOURLY}) or keep NYISO's file name"
        raise refusal(reason, "document", document.name)
    if wanted not in (None, found) and not (found == DAY and wanted in (RTD, RTC)):
        raise refusal(f"the file is of {found}, not of {wanted}", "product", str(wanted))
    _refuse_other_steps(found, distinct, document.name)
    return found


def _by_stamps(wanted: str | None, stamps: pl.Series) -> str | None:
    if wanted in HOURS:
        return wanted
    if wanted == RTC and not _off(stamps, 15):
        return RTC
    return DAY if wanted is not None or _steps_within_hours(stamps) else None


def _refuse_other_steps(found: str, stamps: pl.Series, name: str) -> None:
    """A file under another's name would be read as prices that nobody published."""
    within = _steps_within_hours(stamps)
    if found in HOURS and within:
        raise refusal(f"most stamps are off the hour: this is no file of {found}", "document", name)
    if found not in HOURS and not within and stamps.len() > 1 and not _off(stamps, 60):
        raise refusal(f"all stamps are on the hour: this is no file of {found}", "document", name)


def _steps_within_hours(stamps: pl.Series) -> bool:
    return 2 * _off(stamps, 60) >= max(stamps.len(), 1)


def _off(stamps: pl.Series, minutes: int) -> int:
    """How many stamps lie off the grid of so many minutes."""
    return int((stamps.to_physical() % (minutes * 60_000_000) != 0).sum())
