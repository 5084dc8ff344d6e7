"""One client: who it is, what it has subscribed to, and what is told to it beside rows."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

from msgspec.structs import replace

from api.live.asked import Subscribe
from api.live.frames import Frame, plain
from api.live.gaps import iso
from api.live.hub import Hub
from api.live.meaning import Meaning, Meant, Refused
from api.live.pending import CLOSE_S, DEFAULT
from api.live.starting import Starting
from api.live.subscription import Outlet, Subscription
from api.live.tokens import Token
from api.security.principal import Principal
from service import clock

SUBSCRIPTIONS: Final = 50  # of one connection
HEARTBEAT_S: Final = 5.0


class Way(Outlet, Protocol):
    """The way to a client."""

    async def room(self) -> None: ...

    def send_away(self, code: int, reason: str) -> None: ...


class Connection:
    """`principal` None: nobody is known, and `demo` alone may be had. `version`: of the reference, by which was looked
    what it may see."""

    def __init__(self, hub: Hub, meaning: Meaning, way: Way) -> None:
        self.principal: Principal | None = None
        self.version = -1
        self.due = hub.monotonic()  # when a heartbeat is
        self.way = way
        self._hub = hub
        self._meaning = meaning
        self._subscriptions: dict[int, Subscription] = {}
        self._starting: dict[Subscription, asyncio.Task[None]] = {}
        self._asked: dict[int, Subscribe] = {}

    @property
    def is_used(self) -> bool:
        return bool(self._subscriptions)

    async def subscribe(self, asked: Subscribe) -> None:
        """Answers by `subscribed`, and begins. Raises `Refused`."""
        if asked.id in self._subscriptions:
            raise Refused("id-in-use", f"{asked.id} is a subscription of this connection. Unsubscribe it first.")
        if len(self._subscriptions) >= SUBSCRIPTIONS:
            raise Refused("too-many-subscriptions", f"A connection has at most {SUBSCRIPTIONS}. Unsubscribe some.")
        meant = await self._meaning.of(self.principal, asked)
        if meant.selection is not None:
            policy = asked.policy or DEFAULT[meant.selection.channel]
            made = Subscription(asked.id, meant.selection, policy, self.way, self._hub.monotonic)
            self._subscriptions[asked.id], self._asked[asked.id] = made, asked
        self._tell_all(asked.id, meant.errors)
        if meant.selection is not None:
            self._begin(self._subscriptions[asked.id], meant.token)

    def unsubscribe(self, number: int) -> None:
        if number not in self._subscriptions:
            raise Refused("not-subscribed", f"{number} is no subscription of this connection.")
        self._end(number)
        self._tell_all(number, [])

    def lost(self, subscription: Subscription) -> None:
        """The log was lost: what it has told is told as a gap, and it begins anew."""
        if subscription.token:
            subscription.write_gap("lost", None)
        self._begin(subscription, None)

    def owns(self, subscription: Subscription) -> bool:
        return self._subscriptions.get(subscription.id) is subscription

    def flush(self) -> None:
        """Sends what waits; who waits longer than its policy allows is sent away."""
        for each in self._subscriptions.values():
            each.flush()

    def look(self) -> None:
        """What is due as time goes by."""
        now = self._hub.monotonic()
        self.flush()
        for each in self._subscriptions.values():
            late = each.policy == "close" and each.since is not None and now - each.since > CLOSE_S
            if each.is_full or late:
                self._hub.metrics.count("stream_slow", policy="close")
                reason = f"Too slow for the policy close: subscription {each.id}. Come again with its resume token."
                self.way.send_away(4508, reason)
                return
        if now >= self.due:
            self.due = now + HEARTBEAT_S
            self.way.write(self.heartbeat())

    def heartbeat(self) -> Frame:
        places = {each.selection.shown_as: self._place(each) for each in self._subscriptions.values()}
        known_us = min((place.known_us for place in places.values()), default=0)
        return plain(
            type="heartbeat", server_time=iso(clock.now_us()), state=self._hub.state,
            known_until=iso(known_us) if known_us else None,
            channels={name: place.head for name, place in places.items()},
            subscriptions=[self._pulse(each) for each in self._subscriptions.values() if each.began],
        )  # fmt: skip

    def _pulse(self, of: Subscription) -> dict[str, Any]:
        token = of.token if of.waits else self._place(of).token(of.seq)
        return {"id": of.id, "channel": of.selection.shown_as, "seq": of.seq, "resume": token}

    def _place(self, of: Subscription) -> Any:
        return self._hub.places.of[of.selection.channel]

    async def changed(self, principal: Principal) -> None:
        """What may be seen is looked at again: what may not any more ends; where it is another selection, its sequence
        begins anew."""
        self.principal = principal
        for number, of in list(self._subscriptions.items()):
            try:
                meant = await self._meaning.of(principal, replace(self._asked[number], resume=None))
            except Refused as refused:
                self._end(number)
                self.refuse(number, refused)
            else:
                self._change(of, meant)

    def refuse(self, number: int | None, refused: Refused) -> None:
        """Tells why something is not done; the connection lives on."""
        self.way.write(plain(type="error", id=number, code=refused.code, detail=refused.detail, fatal=False))

    def dismiss(self, code: int, name: str, detail: str) -> None:
        """Says why, and closes."""
        self.way.write(plain(type="error", id=None, code=name, detail=detail, fatal=True))
        self.way.send_away(code, detail)
        self.close()

    def _change(self, of: Subscription, meant: Meant) -> None:
        if meant.selection == of.selection or not self.owns(of):
            return
        if meant.selection is None:
            self._end(of.id)
        else:
            self._hub.groups.remove(of)
            of.selection = meant.selection
            self._begin(of, None)
        self._tell_all(of.id, meant.errors)

    def close(self) -> None:
        """Nothing more is offered."""
        for number in list(self._subscriptions):
            self._end(number)

    def _begin(self, of: Subscription, token: Token | None) -> None:
        self._cancel(of)
        of.restart()
        self._hub.groups.add(of)
        self._starting[of] = asyncio.ensure_future(self._started(of, token))

    async def _started(self, of: Subscription, token: Token | None) -> None:
        await Starting(self._hub, of, self.way.room).begin(token)
        self._starting.pop(of, None)

    def _end(self, number: int) -> None:
        of = self._subscriptions.pop(number)
        self._asked.pop(number)
        self._cancel(of)
        self._hub.groups.remove(of)

    def _cancel(self, of: Subscription) -> None:
        if (task := self._starting.pop(of, None)) is not None and task is not asyncio.current_task():
            task.cancel()

    def _tell_all(self, number: int, errors: Sequence[dict[str, str | None]]) -> None:
        every = [self._described(each) for each in self._subscriptions.values()]
        self.way.write(plain(type="subscribed", id=number, subscriptions=every, errors=list(errors)))

    def _described(self, of: Subscription) -> dict[str, Any]:
        selection = of.selection
        wanted = None if selection.names is not None else {"market": selection.market, "product": selection.product}
        return {
            "id": of.id, "channel": selection.shown_as,
            "instruments": None if selection.names is None else sorted(selection.names), "filter": wanted,
            "interval": selection.interval or None, "policy": of.policy,
        }  # fmt: skip
