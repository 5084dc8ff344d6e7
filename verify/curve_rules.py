"""Which curves of whose ticks are checked, and what the reference says of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from typing import Any, Final, NamedTuple

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from verify.curves import Contract, Rules

Row = Mapping[str, Any]
Tables = Mapping[str, pl.DataFrame]
_INSTRUMENTS: Final = """
    SELECT DISTINCT tenant, instrument FROM ticks WHERE market = {market:String} AND product = {product:String}"""


class Whose(NamedTuple):
    """A curve (a row of the table `curves`) of the ticks of a tenant."""

    tenant: str
    curve: Row
    instruments: Sequence[str]
    rules: Rules


def every(client: Client, reference: Tables) -> Iterator[Whose]:
    """Every curve, for each tenant that has ticks of it."""
    rows = reference["curves"].to_dicts()
    for curve in rows:
        given = {"market": curve["market"], "product": curve["product"]}
        held: dict[str, list[str]] = defaultdict(list)
        for tenant, instrument in fetch(client, Query(_INSTRUMENTS, given)).iter_rows():
            held[tenant].append(instrument)
        own = {row["tenant"] for row in rows if row["curve"] == curve["curve"]}
        tenants = [
            name for name in held if name == curve["tenant"] or (curve["tenant"] == "public" and name not in own)
        ]
        yield from (Whose(name, curve, held[name], _rules(curve, reference)) for name in tenants)


def _rules(curve: Row, reference: Tables) -> Rules:
    holidays = reference["holidays"].filter(calendar="nymex", tenant="public")["day"].to_list()
    listed = [
        row
        for row in reference["contracts"].to_dicts()
        if (row["market"], row["root"]) == (curve["market"], curve["root"])
        and row["tenant"] in {"public", curve["tenant"]}
    ]
    ordered = sorted(listed, key=lambda row: row["tenant"] == curve["tenant"])  # its own stand last, and stay
    names = ("contract", "delivery_start", "delivery_end", "last_trade")
    contracts = {row["contract"]: Contract(*(row[name] for name in names)) for row in ordered}
    ends = time.fromisoformat(curve["session_end"])
    prefix = f"{curve['market']}.{curve['product']}."
    age = curve["max_age"]
    return Rules(prefix, curve["root"] or "", curve["session_zone"], ends, age, frozenset(holidays), contracts)
