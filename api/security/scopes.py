"""Scopes, and the roles that are sets of them."""

from typing import Final

PRICES: Final = "prices:read"
BARS: Final = "bars:read"
CURVES: Final = "curves:read"
STREAM: Final = "stream:read"
KEYS: Final = "keys:admin"
TENANTS: Final = "tenants:admin"
AUDIT: Final = "audit:read"
DEAD_LETTERS: Final = "dlq:write"

SCOPES: Final = {
    PRICES: "ticks, latest prices and instruments",
    BARS: "bars",
    CURVES: "curves, basis and spreads",
    STREAM: "the live stream",
    KEYS: "making and revoking keys",
    TENANTS: "making tenants and their entitlements, and reference data",
    AUDIT: "the audit record",
    DEAD_LETTERS: "dead letters: reading and sending again",
}
READS: Final = frozenset({PRICES, BARS, CURVES})  # what gives rows of prices
_ANALYST: Final = READS | {STREAM}
_OPERATOR: Final = _ANALYST | {AUDIT, DEAD_LETTERS}

ROLES: Final = {
    "viewer": READS,
    "analyst": _ANALYST,
    "operator": _OPERATOR,
    "admin": frozenset(SCOPES),
}


def granted(role: str, narrowed: frozenset[str] | None) -> frozenset[str]:
    """The scopes of a key: those of its role, or only the named ones of them. An unknown role has none."""
    of_role = ROLES.get(role, frozenset())
    return of_role if narrowed is None else of_role & narrowed
