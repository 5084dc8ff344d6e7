"""Scopes, and the roles that are sets of them."""

from typing import Final

PRICES: Final = "prices:read"
BARS: Final = "bars:read"
CURVES: Final = "curves:read"
TENANTS: Final = "tenants:admin"

SCOPES: Final = {
    PRICES: "ticks, latest prices and instruments",
    BARS: "bars",
    CURVES: "curves, basis and spreads",
    "stream:read": "the live stream",
    "keys:admin": "making and revoking keys",
    TENANTS: "making tenants and their entitlements, and reference data",
    "audit:read": "the audit record",
    "dlq:write": "dead letters: reading and sending again",
}
_READ: Final = frozenset({PRICES, BARS, CURVES})
_ANALYST: Final = _READ | {"stream:read"}
_OPERATOR: Final = _ANALYST | {"audit:read", "dlq:write"}

ROLES: Final = {
    "viewer": _READ,
    "analyst": _ANALYST,
    "operator": _OPERATOR,
    "admin": frozenset(SCOPES),
}


def granted(role: str, narrowed: frozenset[str] | None) -> frozenset[str]:
    """The scopes of a key: those of its role, or only the named ones of them. An unknown role has none."""
    of_role = ROLES.get(role, frozenset())
    return of_role if narrowed is None else of_role & narrowed
