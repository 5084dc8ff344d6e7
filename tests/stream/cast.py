"""Twenty clients: every channel, every policy, by name and by market, of two tenants and of nobody."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from websockets.asyncio.client import connect

from tests.stream.client import Client
from tests.stream.recipe import Recipe
from tests.stream.truth import Wanted

DEFAULT: Final = {"prices": "conflate", "bars": "close", "ticks": "close", "demo": "conflate"}
COUNT: Final = 20


def wanted(recipe: Recipe) -> Iterator[tuple[str, Wanted]]:
    """Tenant (empty: nobody) and what it subscribes to."""
    one, two, shared, heavy = recipe.one, recipe.two, [recipe.shared], [recipe.heavy]
    every, other = {"filter": {"market": recipe.market}}, {"filter": {"market": recipe.other, "product": "tick"}}
    several = {"instruments": [recipe.shared, recipe.demo, recipe.burst]}
    for tenant, asked in (
        (one, {"channel": "prices", "instruments": shared}),
        (one, {"channel": "prices", "policy": "skip", **every}),
        (two, {"channel": "prices", "policy": "close", **every}),
        (two, {"channel": "prices", **other}),
        (one, {"channel": "prices", "policy": "close", **several}),
        (one, {"channel": "bars", "interval": "5m", "instruments": shared}),
        (one, {"channel": "bars", "policy": "conflate", **every}),
        (two, {"channel": "bars", "policy": "skip", "interval": "1m", **every}),
        (two, {"channel": "bars", "interval": "1d", **other}),
        (one, {"channel": "bars", "policy": "conflate", "interval": "1h", **several}),
        (one, {"channel": "ticks", "instruments": heavy}),
        (one, {"channel": "ticks", "policy": "conflate", "instruments": heavy}),
        (one, {"channel": "ticks", "policy": "skip", "instruments": heavy}),
        (one, {"channel": "ticks", "policy": "close", **every}),
        (one, {"channel": "ticks", "policy": "skip", **every}),
        (one, {"channel": "ticks", "policy": "conflate", **every}),
        (two, {"channel": "ticks", **every}),
        (two, {"channel": "ticks", "policy": "skip", **other}),
        ("", {"channel": "demo"}),
        ("", {"channel": "demo", "policy": "close"}),
    ):
        yield tenant, _meant(recipe, tenant, asked)


def _meant(recipe: Recipe, tenant: str, asked: dict[str, Any]) -> Wanted:
    if asked["channel"] == "demo":
        names = frozenset({recipe.demo})
    else:
        names = frozenset(asked.get("instruments", ())) or recipe.names(asked["filter"]["market"])
    policy = str(asked.get("policy") or DEFAULT[asked["channel"]])
    return Wanted(asked, frozenset({tenant, "public"} - {""}), names, policy)


def clients(recipe: Recipe, keys: Mapping[str, str], addresses: list[str]) -> list[Client]:
    """One by address."""
    every = list(wanted(recipe))
    picked = [every[number % len(every)] for number in range(len(addresses))]
    return [
        Client(partial(connect, address), keys.get(tenant), each, seed)
        for seed, (address, (tenant, each)) in enumerate(zip(addresses, picked, strict=True))
    ]
