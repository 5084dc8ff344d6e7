"""How far back a caller sees public prices: from a midnight (UTC) on, so that the bound stands while pages are read."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import chain

from api.problems import Problem
from db.visible import Visible
from pipeline.generic import DERIVED
from pipeline.schema import PUBLIC


def sources(instruments: Iterable[tuple[str, str]]) -> set[str]:
    """The tenants whose prices instruments (tenant and market of each) tell of: what is derived is made of public
    ones, too."""
    pairs = [(tenant, PUBLIC) if market == DERIVED else (tenant,) for tenant, market in instruments]
    return set(chain.from_iterable(pairs))


def earliest(visible: Visible, tenants: Collection[str], now: datetime) -> datetime | None:
    """The first instant of which these tenants' prices may be seen; None: they all may."""
    depth = visible.entitled.history
    if depth is None or PUBLIC not in tenants:
        return None
    return (now - depth).replace(hour=0, minute=0, second=0, microsecond=0)


def require_history(visible: Visible, tenants: Collection[str], since: datetime, now: datetime) -> None:
    """403 where these tenants' prices are asked for from before the time that the caller may see."""
    first = earliest(visible, tenants, now)
    if first is not None and since < first:
        detail = f"Your tenant sees public prices from {first:%Y-%m-%dT%H:%M:%SZ} on. Ask for a later instant."
        raise Problem(403, "history-limit", detail)


def begun(default: datetime, visible: Visible, tenants: Collection[str], now: datetime) -> datetime:
    """Where a range begins whose start was left open."""
    first = earliest(visible, tenants, now)
    return default if first is None else max(default, first)
