"""What is told of what cannot be sent: between which numbers and instants, and where to read it."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from api.live.selection import Selection
from api.live.tokens import Token
from service import clock

_AN_ADDRESS: Final = 100  # names in one address, so that it can be sent


class Lost(NamedTuple):
    """What lies after the frame of a number and its token, up to another one (None: nobody knows). `rows`: how many,
    where that is known. `curves`: those of a market of which something was to be sent so far."""

    from_seq: int
    to_seq: int | None
    token: str
    rows: int | None = None
    curves: Collection[str] = ()


def told(selection: Selection, lost: Lost) -> dict[str, Any]:
    """The fields of a `gap` frame."""
    token = Token.read(lost.token)
    since = None if token is None or not token.known_us else iso(token.known_us)
    return {
        "from_seq": lost.from_seq, "to_seq": lost.to_seq, "since": since, "until": iso(clock.now_us()),
        "skipped": lost.rows, "fill": addresses(selection, since, lost.curves),
    }  # fmt: skip


def addresses(selection: Selection, since: str | None, curves: Collection[str] = ()) -> list[str]:
    """Where what became known since an instant is to be read, if that is known; of latest prices and curves: how they
    are."""
    if selection.channel == "curves":
        return [f"/v1/curves/{quote(name, safe='')}/snapshots/latest" for name in sorted(selection.names or curves)]
    if since is None and selection.channel != "prices":
        return []
    fixed = {} if selection.channel == "prices" else {"channel": selection.channel, "since": since}
    path = "/v1/prices/latest" if selection.channel == "prices" else "/v1/changes"
    if selection.interval:
        fixed["interval"] = selection.interval
    return [f"{path}?{_query(fixed | which)}" for which in _which(selection)]


def _which(selection: Selection) -> Sequence[dict[str, Any]]:
    if selection.names is None:
        return [{"market": selection.market, "product": selection.product}]
    names = sorted(selection.names)
    return [{"instrument": names[at : at + _AN_ADDRESS]} for at in range(0, len(names), _AN_ADDRESS)]


def _query(parameters: dict[str, Any]) -> str:
    return urlencode({name: value for name, value in parameters.items() if value is not None}, doseq=True)


def iso(us: int) -> str:
    """An instant, in microseconds since 1970, as ISO 8601 in UTC."""
    return f"{clock.from_us(us):%Y-%m-%dT%H:%M:%S.%fZ}"
