"""Made-up documents in the formats of Data Miner, and what is read of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pipeline import members
from pipeline.members import Reading
from tests.pipeline.markets.nyiso_files import NEW_YORK

HOUR, FIVE = timedelta(hours=1), timedelta(minutes=5)
NOON = datetime(2024, 6, 1, 16, tzinfo=UTC)  # in New York
DA, RT, FIVES = "da_hrl_lmps.csv", "rt_hrl_lmps.csv", "rt_fivemin_hrl_lmps.csv"
FAST, FAST_HOURS = "rt_unverified_fivemin_lmps.csv", "rt_unverified_hrl_lmps.csv"

Cells = dict[str, str]


def export_stamp(at: datetime) -> str:
    """`6/1/2024 4:00:00 PM`, as exports write it."""
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"


def times(at: datetime) -> Cells:
    """Both stamps of an instant."""
    return {
        "datetime_beginning_utc": export_stamp(at),
        "datetime_beginning_ept": export_stamp(at.astimezone(NEW_YORK)),
    }


def verified(at: datetime = NOON, side: str = "rt", **changes: str) -> Cells:
    """A row of a verified feed: 30.25 = 28.5 + 2.75 - 1."""
    return {
        **times(at), "pnode_id": "51217", "pnode_name": "EASTERN HUB", "voltage": "", "equipment": "", "type": "HUB",
        "zone": "", f"system_energy_price_{side}": "28.500000", f"total_lmp_{side}": "30.250000",
        f"congestion_price_{side}": "2.750000", f"marginal_loss_price_{side}": "-1.000000", "row_is_current": "True",
        "version_nbr": "1", **changes,
    }  # fmt: skip


def fast(at: datetime = NOON, **changes: str) -> Cells:
    """A row of the unverified five minutes."""
    return {
        **times(at), "pnode_id": "51217", "pnode_name": "EASTERN HUB", "type": "HUB", "total_lmp_rt": "30.250000",
        "congestion_price_rt": "2.750000", "marginal_loss_price_rt": "-1.000000", "occ_check": "1",
        "ref_caseid_used_multi_interval": "77", **changes,
    }  # fmt: skip


def fast_hour(at: datetime = NOON, name: str = "EASTERN HUB", **changes: str) -> Cells:
    """A row of the unverified hours, which have no id."""
    return {
        **times(at), "pnode_name": name, "type": "HUB", "total_lmp_rt": "30.250000", "congestion_price_rt": "2.750000",
        "marginal_loss_price_rt": "-1.000000", **changes,
    }  # fmt: skip


def without(row: Mapping[str, str], *names: str) -> Cells:
    return {name: cell for name, cell in row.items() if name not in names}


def export(*rows: Mapping[str, str], line_end: str = "\r\n") -> bytes:
    """The rows as CSV, under the names of the first one."""
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return (line_end.join(lines) + line_end).encode()


_NUMBERS = ("pnode_id", "version_nbr", "price", "lmp_")


def item(row: Mapping[str, str]) -> str:
    """One row as the API writes it: bare numbers and booleans, null for an empty cell, ISO stamps."""
    cells = [f"{json.dumps(name)}: {_value(name, cell)}" for name, cell in row.items()]
    return "{" + ", ".join(cells) + "}"


def _value(name: str, cell: str) -> str:
    if not cell:
        return "null"
    if name.startswith("datetime") and " " in cell:
        return f'"{datetime.strptime(cell, "%m/%d/%Y %I:%M:%S %p").isoformat()}"'  # noqa: DTZ007
    if cell in ("True", "False"):
        return cell.lower()
    return cell if any(part in name for part in _NUMBERS) else json.dumps(cell)


def answer(*rows: Mapping[str, str], feed: str | None = "rt_hrl_lmps", total: int = 325_176) -> bytes:
    """An answer of the API; `feed`: of its address."""
    links = [{"rel": "self", "href": f"https://api.pjm.com/api/v1/{feed}?RowCount=5"}] if feed else []
    items = ",".join(item(row) for row in rows)
    specification = (
        '{"rowCount": 5, "filters": [{"datetime_beginning_ept": "2024-06-01 00:00:00to2024-06-01 23:55:00"}]}'
    )
    return (
        f'{{"links": {json.dumps(links)}, "items": [{items}], "searchSpecification": {specification}, '
        f'"totalRows": {total}}}'
    ).encode()


def parse(data: bytes, name: str = "-", product: str | None = None, market: str | None = None) -> Reading:
    """The whole reading; the refusal of the only document is raised."""
    read = members.read(data, name, market, product)
    if read.refused:
        raise read.refused[0][1]
    return read


def problems(read: Reading) -> list[tuple[object, ...]]:
    return read.rejects.select("row", "field", "value").rows()


def every(step: timedelta, first: datetime, count: int) -> Sequence[datetime]:
    return [first + step * n for n in range(count)]
