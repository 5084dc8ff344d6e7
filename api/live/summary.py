"""A subscription as its client is told of it."""

from typing import Any

from api.live.subscription import Subscription


def described(of: Subscription) -> dict[str, Any]:
    """What it is of, as it was asked for."""
    selection = of.selection
    wanted = None if selection.names is not None else {"market": selection.market, "product": selection.product}
    return {
        "id": of.id, "channel": selection.shown_as,
        "instruments": None if selection.names is None else sorted(selection.names), "filter": wanted,
        "interval": selection.interval or None, "policy": of.policy,
    }  # fmt: skip
