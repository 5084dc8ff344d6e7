"""Limits of requests and rows, for each key and tenant, with the headers of draft-ietf-httpapi-ratelimit-headers."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from api.limits.quota import Left, Quota, Refused
from api.limits.usage import Usage
from api.problems import Problem
from api.security.principal import Principal
from db.postgres.usage import Whose

_DAY_S: Final = 86_400


class Quotas(NamedTuple):
    """What holds for a caller: requests a minute of the key and of its tenant, rows a day of the tenant."""

    key: int
    tenant: int
    rows: int


class Accounts:
    """Takes every request of a good key, and adds up what was answered."""

    def __init__(self, usage: Usage, defaults: Quotas, monotonic: Callable[[], float]) -> None:
        self.usage = usage
        self._defaults = defaults
        self._monotonic = monotonic
        self._quota = Quota()

    def quotas(self, caller: Principal) -> Quotas:
        """The tenant's own limits, else those of the installation; no key has more than its tenant."""
        tenant = caller.limits.requests_per_minute or self._defaults.tenant
        rows = caller.limits.rows_per_day or self._defaults.rows
        return Quotas(min(self._defaults.key, tenant), tenant, rows)

    def take(self, caller: Principal, now: datetime) -> dict[str, str]:
        """The headers of the answer to one more request. 429 where a limit is reached."""
        quotas, at = self.quotas(caller), self._monotonic()
        of_key = self._quota.take(f"k{caller.key_id}", quotas.key, at)
        if isinstance(of_key, Refused):
            raise _too_many("this key", of_key, quotas)
        of_tenant = self._quota.take(f"t{caller.tenant}", quotas.tenant, at)
        if isinstance(of_tenant, Refused):
            self._quota.give_back(f"k{caller.key_id}", quotas.key)
            raise _too_many("your tenant", of_tenant, quotas)
        return _headers(quotas, of_key, of_tenant, self.rows_left(caller, now), _left_of(now))

    def rows_left(self, caller: Principal, now: datetime) -> int:
        """How many rows more the tenant may have today."""
        return max(0, self.quotas(caller).rows - self.usage.rows(now.date(), caller.tenant))

    def require_rows(self, caller: Principal, now: datetime, rows: int = 1) -> None:
        """429 where so many rows more are too many for today."""
        if rows > (left := self.rows_left(caller, now)):
            limit, wait = self.quotas(caller).rows, _left_of(now)
            detail = (
                f"Your tenant has {left} of its {limit} rows a day left, and this needs {rows}. Ask for less, come "
                f"again after midnight UTC, in {wait} seconds, or ask the operator for more. `dry_run=true` counts."
            )
            raise Problem(429, "rows-exhausted", detail, headers={"Retry-After": str(wait)})

    def answered(self, caller: Principal, rows: int, now: datetime) -> None:
        """Counts an answer of so many rows."""
        self.usage.add(Whose(now.date(), caller.tenant, caller.key_id), 1, rows)


def _too_many(whose: str, refused: Refused, quotas: Quotas) -> Problem:
    detail = (
        f"That is more than the {refused.quota} requests a minute of {whose}. Come again in {refused.retry_s} seconds, "
        "and ask for many instruments in one request."
    )
    headers = {"Retry-After": str(refused.retry_s), "RateLimit-Policy": _policy(quotas)}
    return Problem(429, "rate-limited", detail, headers=headers)


def _headers(quotas: Quotas, of_key: Left, of_tenant: Left, rows: int, day_s: int) -> dict[str, str]:
    left = (
        f'"key";r={of_key.remaining};t={of_key.reset_s}, "tenant";r={of_tenant.remaining};t={of_tenant.reset_s}, '
        f'"rows";r={rows};t={day_s}'
    )
    return {"RateLimit-Policy": _policy(quotas), "RateLimit": left}


@lru_cache(maxsize=1024)
def _policy(quotas: Quotas) -> str:
    return f'"key";q={quotas.key};w=60, "tenant";q={quotas.tenant};w=60, "rows";q={quotas.rows};w={_DAY_S};qu="rows"'


def _left_of(now: datetime) -> int:
    """Seconds until the next day of UTC."""
    return _DAY_S - (now.hour * 3600 + now.minute * 60 + now.second)
