"""The vocabulary of the taxonomy: what rules, facts and locations may say. `docs/taxonomy.md` says what each means.

A region is free text: an ISO 3166-2 code where one state holds it (`US-TX`), else the name of a footprint (`PJM`).
"""

from typing import Final

"""The tenant whose reference rows are everybody's."""

ATTRIBUTES: Final = ("commodity", "region", "tier")

COMMODITIES: Final = frozenset({"power", "gas", "oil", "cross"})
TIERS: Final = frozenset({"real_time", "intraday", "day_ahead", "spot", "futures", "derived"})
MATCHES: Final = frozenset({"word", "prefix", "suffix", "pattern"})
FIELDS: Final = frozenset({"instrument", "location", "name"})
KINDS: Final = frozenset({
    "trading_hub", "hub_average", "load_zone", "dlap", "interface", "proxy", "aggregate", "node", "reserve_zone", "rto",
})  # fmt: skip
"""Kinds of locations."""
