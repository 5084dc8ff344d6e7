"""The heartbeat of a connection: where each of its subscriptions is."""

from collections.abc import Sequence
from typing import Any

from api.live.frames import Frame, plain
from api.live.gaps import iso
from api.live.hub import Hub
from api.live.places import Place
from api.live.subscription import Subscription
from api.live.tokens import Token
from service import clock


def heartbeat(hub: Hub, subscriptions: Sequence[Subscription]) -> Frame:
    """Of those that have not begun, or are told history, it tells no place."""
    places = {each.selection.shown_as: _place(hub, each) for each in subscriptions}
    known_us = min((_known_us(hub, each) for each in subscriptions), default=0)
    return plain(
        type="heartbeat", server_time=iso(clock.now_us()), state=hub.state,
        known_until=iso(known_us) if known_us else None,
        channels={name: place.head for name, place in places.items()},
        subscriptions=[_pulse(hub, each) for each in subscriptions if each.began],
    )  # fmt: skip


def _pulse(hub: Hub, of: Subscription) -> dict[str, Any]:
    place = _place(hub, of)
    behind = of.waits or place.head < of.seq  # a snapshot is ahead of what is handed out
    token = of.token if behind else place.token(of.seq)
    return {"id": of.id, "channel": of.selection.shown_as, "seq": of.seq, "resume": token}


def _known_us(hub: Hub, of: Subscription) -> int:
    """All that was published before it has been sent; 0 where nothing was."""
    if of.past is not None:
        return clock.to_us(of.past.at)
    if not of.waits:
        return _place(hub, of).known_us
    sent = Token.read(of.token)
    return 0 if sent is None else sent.known_us


def _place(hub: Hub, of: Subscription) -> Place:
    return hub.places.of[of.selection.channel]
