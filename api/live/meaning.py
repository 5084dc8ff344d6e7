"""What a subscription that is asked for means to who asks: a selection, and what of it cannot be had."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import polars as pl

from api import shapes
from api.live.asked import Subscribe
from api.live.row import Channel
from api.live.selection import Selection
from api.live.snapshots import instruments
from api.live.tokens import Past, Token
from api.reads.ports import Reads
from api.security.history import require_history, sources
from api.security.principal import Principal
from api.security.scopes import BARS, CURVES, PRICES, STREAM
from api.security.sight import Sight
from db.entitlements import EVERYTHING
from db.visible import Visible
from pipeline.curves.definitions import curves_of, for_tenant
from pipeline.schema import EARLIEST, PUBLIC
from pipeline.spreads.definitions import of_row
from service import clock

SCOPE_OF: Final[dict[Channel, str]] = {"prices": PRICES, "ticks": PRICES, "bars": BARS, "curves": CURVES}
FASTEST: Final = 86_400  # seconds of history in a second
_PAST_CHANNELS: Final[tuple[Channel, ...]] = ("prices", "bars", "ticks")
_UNKNOWN: Final = "There is no such instrument for this key. /v1/instruments lists them."
_UNKNOWN_CURVE: Final = "There is no such curve of contracts for this key. /v1/curves lists them."


class Refused(Exception):
    """`code` names it for programs, `detail` says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Meant(NamedTuple):
    """`selection` None: nothing of it can be had. `begin`: from where on."""

    selection: Selection | None
    errors: Sequence[dict[str, str | None]]
    begin: Token | Past | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """`demo`: the instruments that everybody may have."""

    reads: Reads
    sight: Sight
    demo: Collection[str] = ()

    async def of(self, principal: Principal | None, asked: Subscribe) -> Meant:
        """Raises `Refused`."""
        begin = _begin(asked)
        if asked.channel == "demo":
            return Meant(self._demo(asked), [], begin)
        if principal is None:
            raise Refused("unauthorized", 'Send {"op":"auth","key":…} first, or subscribe to the channel demo.')
        _require_scopes(principal, asked.channel)
        _require_whole(asked)
        wanted = await self._selection(principal, asked, asked.channel)
        meant = await self._curves(wanted) if asked.channel == "curves" else await self._instruments(wanted)
        if isinstance(begin, Past) and meant.selection is not None:
            await self._require_past(meant.selection, begin)
        return meant._replace(begin=begin)

    async def _require_past(self, selection: Selection, past: Past) -> None:
        """Raises `Refused`, or a 403 problem, where what was known then may not be seen, or is to come."""
        now = clock.now()
        if past.at > now:
            raise Refused("bad-from", "That instant lies in the future. Leave out `from` for what is live.")
        found = await instruments(self.reads, selection)
        of = sources(found.select("tenant", "market").unique().iter_rows())
        require_history(selection.visible, of, past.at, now)

    def _demo(self, asked: Subscribe) -> Selection:
        if not self.demo:
            raise Refused("demo-off", "This installation shows no instruments without a key: send one.")
        if asked.instruments is not None or asked.filter is not None or asked.interval is not None:
            raise Refused("bad-message", "The channel demo has instruments of its own: leave out which.")
        return Selection("prices", Visible((PUBLIC,)), frozenset(self.demo), label="demo")

    async def _selection(self, principal: Principal, asked: Subscribe, channel: Channel) -> Selection:
        visible = await self.sight.of(principal, principal.readable)
        names = None if asked.instruments is None else frozenset(asked.instruments)
        market, product = (asked.filter.market, asked.filter.product) if asked.filter else (None, None)
        spreads = frozenset[str]() if visible.entitled == EVERYTHING else await self._spreads(visible)
        return Selection(channel, visible, names, market, product, asked.interval or "", spreads=spreads)

    async def _spreads(self, visible: Visible) -> frozenset[str]:
        """Public ones that are known, and not known to be of hidden legs."""
        rows = (await self.reads.snapshot()).tables["spreads"].filter(pl.col("tenant").is_in(visible.tenants))
        return frozenset(of_row(row).instrument for row in rows.iter_rows(named=True)) - visible.hidden

    async def _instruments(self, wanted: Selection) -> Meant:
        found = await instruments(self.reads, wanted)
        if wanted.names is None:
            return Meant(wanted, [] if found.height else [_nothing(wanted)])
        errors = [
            _error(name, "unknown-instrument", _UNKNOWN) for name in sorted(wanted.names - {*found["instrument"]})
        ]
        fine = found.filter(pl.Series(_is_fine(wanted, found), dtype=pl.Boolean))
        errors += [_too_fine(row) for row in found.join(fine, on=["tenant", "instrument"], how="anti").to_dicts()]
        return _narrowed(wanted, {*fine["instrument"]}, errors)

    async def _curves(self, wanted: Selection) -> Meant:
        every = curves_of((await self.reads.snapshot()).tables["curves"])
        found = {
            curve.curve
            for tenant in wanted.visible.tenants
            for curve in for_tenant(every, tenant)
            if wanted.is_of(tenant, curve.curve, curve.market, curve.product)
        }
        if wanted.names is None:
            return Meant(wanted, [] if found else [_nothing(wanted)])
        missing = sorted(wanted.names - found)
        return _narrowed(wanted, found, [_error(name, "unknown-curve", _UNKNOWN_CURVE) for name in missing])


def _begin(asked: Subscribe) -> Token | Past | None:
    if asked.speed is not None and asked.from_ is None:
        raise Refused("bad-message", "The speed is that of history: give `from`, too.")
    if asked.from_ is not None:
        if asked.resume is not None:
            raise Refused("bad-message", "Give either `resume` or `from`.")
        return Past(_past(asked.channel), max(asked.from_, EARLIEST), asked.speed or 0)
    return None if asked.resume is None else _token(asked.channel, asked.resume)


def _past(channel: str) -> Channel:
    """The channel, which has a history."""
    for each in _PAST_CHANNELS:
        if each == channel:
            return each
    names = ", ".join(_PAST_CHANNELS)
    raise Refused("no-history", f"The channel {channel} cannot begin in the past; these can: {names}.")


def _token(channel: str, text: str) -> Token | Past:
    token = Token.read(text) or Past.read(text)
    if isinstance(token, Past):
        token = token if _past(channel) and token.speed <= FASTEST else None
    if token is None or token.channel != ("prices" if channel == "demo" else channel):
        raise Refused("bad-resume", "This is no resume token of the channel. Send one as it was given, or none.")
    return token


def _require_scopes(principal: Principal, channel: Channel) -> None:
    for scope in (STREAM, SCOPE_OF[channel]):
        if scope not in principal.scopes:
            raise Refused("scope-missing", f"This key lacks the scope {scope}. Use one whose role has it.")


def _require_whole(asked: Subscribe) -> None:
    if (asked.instruments is None) == (asked.filter is None):
        raise Refused("bad-message", "Give either instruments or a filter.")
    if asked.interval is not None and asked.channel != "bars":
        raise Refused("bad-message", f"The channel {asked.channel} has no interval: leave it out.")


def _is_fine(wanted: Selection, found: pl.DataFrame) -> list[bool]:
    """Of each instrument whether it has bars as fine as are wanted."""
    finest = [shapes.finest_bar(*pair) for pair in found.select("market", "product").iter_rows()]
    return [not wanted.interval or not shapes.is_finer(wanted.interval, each) for each in finest]


def _too_fine(row: dict[str, str]) -> dict[str, str | None]:
    finest = shapes.finest_bar(row["market"], row["product"])
    return _error(row["instrument"], "interval-too-fine", f"Its finest bars are {finest}: subscribe to those.")


def _narrowed(wanted: Selection, found: set[str], errors: list[dict[str, str | None]]) -> Meant:
    assert wanted.names is not None
    names = wanted.names & found
    return Meant(replace(wanted, names=names) if names else None, errors)


def _nothing(wanted: Selection) -> dict[str, str | None]:
    of = wanted.market if wanted.product is None else f"{wanted.market} {wanted.product}"
    return _error(None, "nothing-yet", f"There is nothing of {of} for this key yet. /v1/markets lists what there is.")


def _error(name: str | None, code: str, detail: str) -> dict[str, str | None]:
    return {"instrument": name, "code": code, "detail": detail}
