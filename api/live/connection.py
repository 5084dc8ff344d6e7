"""One client: who it is, what it has subscribed to, and what is told to it beside rows."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from api.live.asked import Subscribe
from api.live.frames import plain
from api.live.hub import Hub
from api.live.meaning import Meaning, Meant, Refused
from api.live.pending import CLOSE_S, DEFAULT
from api.live.pulse import heartbeat
from api.live.replaying import Replaying
from api.live.starting import Starting
from api.live.subscription import Outlet, Subscription
from api.live.summary import described
from api.live.tokens import Past, Token
from api.live.turn import Turn
from api.security.principal import Principal

log = logging.getLogger(__name__)
SUBSCRIPTIONS: Final = 50  # of one connection
REPLAYS: Final = 2  # of them
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
            if isinstance(meant.begin, Past):
                self._require_replay()
            policy = asked.policy or DEFAULT[meant.selection.channel]
            made = Subscription(asked.id, meant.selection, policy, self.way, self._hub.monotonic)
            self._subscriptions[asked.id], self._asked[asked.id] = made, asked
        self._tell_all(asked.id, meant.errors)
        if meant.selection is not None:
            self._begin(self._subscriptions[asked.id], meant.begin)

    def _require_replay(self) -> None:
        """Whether one more may be told history: it takes much of the stores."""
        own = sum(each.past is not None for each in self._subscriptions.values())
        if own >= REPLAYS or not self._hub.replays.has_room:
            most = f"at most {REPLAYS} subscriptions of a connection, and {self._hub.replays.most} of a process"
            raise Refused("too-many-replays", f"History is told to {most}. Try again when another has caught up.")

    def unsubscribe(self, number: int) -> None:
        if number not in self._subscriptions:
            raise Refused("not-subscribed", f"{number} is no subscription of this connection.")
        self._end(number)
        self._tell_all(number, [])

    def lost(self, subscription: Subscription) -> None:
        """The log was lost: what it has told is told as a gap, and it begins anew. Of history nothing is lost."""
        if subscription.past is not None:
            return
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
            self.way.write(heartbeat(self._hub, list(self._subscriptions.values())))

    async def changed(self, principal: Principal) -> None:
        """What may be seen is looked at again: what may not any more ends; where it is another selection, its sequence
        begins anew."""
        self.principal = principal
        for number, of in list(self._subscriptions.items()):
            if not self.owns(of):  # it ended while another one was looked at
                continue
            try:
                meant = await self._meaning.of(principal, _anew(self._asked[number]))
            except Refused as refused:
                if self.owns(of):
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
            self._begin(of, of.past and of.past._replace(told=False))
        self._tell_all(of.id, meant.errors)

    def close(self) -> None:
        """Nothing more is offered."""
        for number in list(self._subscriptions):
            self._end(number)

    def _begin(self, of: Subscription, begin: Token | Past | None) -> None:
        self._cancel(of)
        of.restart()
        if isinstance(begin, Past):
            of.past = begin
            self._hub.replays.add(of)
            work = self._replayed(of, begin)
        else:
            self._hub.groups.add(of)
            if begin is not None:  # known at once: the log may be lost before anything is sent
                of.resumed(begin.seq, begin.text())
            work = self._started(of, begin)
        self._starting[of] = asyncio.ensure_future(work)

    def _turn(self, of: Subscription) -> Turn:
        task = asyncio.current_task()
        return Turn(self.way.room, lambda: self._starting.get(of) is task)

    async def _started(self, of: Subscription, token: Token | None) -> None:
        try:
            await Starting(self._hub, of, self._turn(of)).begin(token)
        except Exception:
            log.exception("a subscription cannot be begun")
            self._end(of.id)
            self.refuse(of.id, Refused("not-begun", "This cannot be told. Subscribe anew, without a token."))
            return
        self._starting.pop(of, None)

    async def _replayed(self, of: Subscription, past: Past) -> None:
        """Nobody waits in vain: a history that cannot be told ends the subscription."""
        try:
            await Replaying(self._hub, of, self._turn(of), past).begin()
        except Exception:
            log.exception("history cannot be told")
            self._end(of.id)
            self.refuse(of.id, Refused("replay-failed", "This history cannot be told. Ask for less of it."))
            return
        self._starting.pop(of, None)
        self._hub.replays.remove(of)

    def _end(self, number: int) -> None:
        of = self._subscriptions.pop(number)
        self._asked.pop(number)
        self._cancel(of)
        self._hub.groups.remove(of)

    def _cancel(self, of: Subscription) -> None:
        self._hub.replays.remove(of)
        if (task := self._starting.pop(of, None)) is not None and task is not asyncio.current_task():
            task.cancel()

    def _tell_all(self, number: int, errors: Sequence[dict[str, str | None]]) -> None:
        every = [described(each) for each in self._subscriptions.values()]
        self.way.write(plain(type="subscribed", id=number, subscriptions=every, errors=list(errors)))


def _anew(asked: Subscribe) -> Subscribe:
    """The same, from now on."""
    return replace(asked, resume=None, from_=None, speed=None)
