"""The columns of Data Miner's LMP feeds, found by their names: any order, any others between them."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.documents import refusal

_SIDES: Final = {"da": "da_hourly", "rt": "rt_hourly"}  # of a feed that has both, each is hourly
ID: Final = "pnode_id"
_LMP: Final = re.compile(r"total_lmp_(da|rt)")
_PRICE: Final = "total_lmp_{}"
_OPTIONAL: Final = {"utc": "datetime_beginning_utc", "ept": "datetime_beginning_ept", "type": "type",
                    "energy": "system_energy_price_{}", "congestion": "congestion_price_{}",
                    "loss": "marginal_loss_price_{}", "version": "version_nbr"}  # fmt: skip
_NAMES: Final = ("pnode_name", "name")
_VERIFIED: Final = {"energy", "version"}


def columns(names: Sequence[str], wanted: str | None) -> dict[str, str]:
    """The column of each role: pnode, price, utc or ept, and name, type, energy, congestion, loss, version where they
    are (who asks the API may leave columns out). Raises `DataProcessingError` for a feed without LMP, or with both
    markets' and none of them wanted."""
    side = _side(names, wanted)
    optional = {role: form.format(side) for role, form in _OPTIONAL.items()}
    found = {"price": _PRICE.format(side)} | {role: name for role, name in optional.items() if name in names}
    if not found.keys() & {"utc", "ept"}:
        raise refusal(f"the feed has no column {optional['utc']}", "header", ",".join(names))
    return found | _place(names, found, side)


def _side(names: Sequence[str], wanted: str | None) -> str:
    sides = sorted({found[1] for each in names if (found := _LMP.fullmatch(each))})
    if not sides:
        reason = "this is no LMP feed of PJM: a column total_lmp_da or total_lmp_rt is expected"
        raise refusal(f"{reason}; send da_hrl_lmps, rt_hrl_lmps or rt_fivemin_hrl_lmps", "header", ",".join(names))
    chosen = sides if len(sides) == 1 else [side for side in sides if _SIDES[side] == wanted]
    if not chosen:
        known = ", ".join(_SIDES.values())
        reason = f"the feed holds day-ahead and real-time prices in one row: name the product to read ({known})"
        raise refusal(reason, "header", ",".join(names))
    return chosen[0]


def _place(names: Sequence[str], found: Mapping[str, str], side: str) -> dict[str, str]:
    """`pnode`, and `name` beside it. rt_unverified_hrl_lmps alone has no id: its names stand for it."""
    named = next((name for name in _NAMES if name in names), None)
    if ID in names:
        return {"pnode": ID} if named is None else {"pnode": ID, "name": named}
    if named is None or side == "da" or found.keys() & _VERIFIED:
        raise refusal(f"the feed has no column {ID}", "header", ",".join(names))
    return {"pnode": named}


def market(names: Sequence[str], held: Mapping[str, str]) -> str | None:
    """The product, as far as columns tell it: of real-time prices alone they do not."""
    side = held["price"].rpartition("_")[2]
    return _SIDES[side] if side == "da" or "total_lmp_da" in names else None


def first_version(held: Mapping[str, str]) -> int:
    """The version of a row that gives none: 0 in the unverified feeds, whose mark is that they have neither version
    nor energy; in verified ones 1, which is how they count their first."""
    return 1 if held.keys() & _VERIFIED or held["price"].endswith("_da") else 0
