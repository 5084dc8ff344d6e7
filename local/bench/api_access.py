"""What it costs a request to be let in: key found, limits taken, scope looked at; microseconds, in this process."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from typing import Final

from api.limits.accounts import Accounts, Quotas
from api.limits.usage import Usage
from api.security.principal import Principals
from api.security.scopes import PRICES
from db.postgres.access import StoredKey
from db.postgres.usage import Used, Whose
from service import apikey, clock
from service.apikey import Peppers

_CALLS: Final = 2_000
_ROUNDS: Final = 7


def measure() -> float:
    """The median over rounds of many requests with one key that is remembered."""
    return round(median(asyncio.run(_round()) for _ in range(_ROUNDS)), 1)


async def _round() -> float:
    key, peppers = apikey.make(), Peppers("a pepper of the benchmark")
    stored = StoredKey(key.id, "public", "bench", "viewer", None, key.digest(peppers.present), None, None)

    async def find(_: str) -> StoredKey | None:
        return stored

    principals = Principals(find, lambda _: None, peppers, time.monotonic, _rehash)
    accounts = Accounts(Usage(_write), Quotas(10**9, 10**9, 10**12), time.monotonic)
    text = key.text()
    began = time.perf_counter()
    for _ in range(_CALLS):
        caller = await principals.of(text)
        assert caller is not None
        accounts.take(caller, clock.now())
        assert PRICES in caller.scopes
        accounts.answered(caller, 1, clock.now())
    return (time.perf_counter() - began) / _CALLS * 1e6


def _rehash(_key: str, _old: bytes, _new: bytes, _pepper: str) -> None:
    """Nothing hangs on another pepper here."""


async def _write(_: Sequence[tuple[Whose, Used]]) -> Mapping[tuple[date, str], int]:
    return {}
