"""A server that is wrong is seen: the same checker over the real loop, with one thing of it broken at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from api.live.frames import Frame
from api.live.groups import Group, Groups
from api.live.overlap import Overlap
from api.live.row import Change
from api.live.selection import Selection
from api.live.subscription import Outlet, Subscription
from api.live.update import Update
from tests.api.live.streaming import World
from tests.stream.checker import violations
from tests.stream.play import KEEP, played

Patch = Callable[[pytest.MonkeyPatch], None]


def drops(patch: pytest.MonkeyPatch) -> None:
    """Every fourth change is offered to nobody; the chain shows nothing of it."""
    real, count = Groups.dispatch, list[int]()

    def dispatch(self: Groups, change: Change, token: str) -> None:
        count.append(1)
        if len(count) % 4:
            real(self, change, token)

    patch.setattr(Groups, "dispatch", dispatch)


def doubles(patch: pytest.MonkeyPatch) -> None:
    real = Group.offer

    def offer(self: Group, update: Update) -> None:
        real(self, update)
        real(self, replace(update))

    patch.setattr(Group, "offer", offer)


def is_late(patch: pytest.MonkeyPatch) -> None:
    """`caught_up` comes after the first live update."""
    live, send, held = Subscription.live, Subscription.send, list[Frame]()

    def later(self: Subscription, overlap: Overlap) -> None:
        outlet = self._outlet  # pyright: ignore[reportPrivateUsage]
        self._outlet = _Swallowing(outlet, held)  # pyright: ignore[reportPrivateUsage]
        live(self, overlap)
        self._outlet = outlet  # pyright: ignore[reportPrivateUsage]

    def sent(self: Subscription, update: Update) -> None:
        send(self, update)
        if not update.replayed:
            for frame in held:
                self._outlet.write(frame)  # pyright: ignore[reportPrivateUsage]
            held.clear()

    patch.setattr(Subscription, "live", later)
    patch.setattr(Subscription, "send", sent)


class _Swallowing:
    """Keeps what is written."""

    def __init__(self, outlet: Outlet, held: list[Frame]) -> None:
        self.ready = outlet.ready
        self._held = held

    def write(self, frame: Frame) -> None:
        self._held.append(frame)


def names_another_before(patch: pytest.MonkeyPatch) -> None:
    real = Update.frame

    def frame(self: Update, of: Subscription, prev_seq: int) -> Frame:
        return real(self, of, max(0, prev_seq - 1))

    patch.setattr(Update, "frame", frame)


def does_not_mark(patch: pytest.MonkeyPatch) -> None:
    real = Subscription.replay

    def replay(self: Subscription, update: Update) -> Sequence[Update]:
        return [replace(each, replayed=False) for each in real(self, update)]

    patch.setattr(Subscription, "replay", replay)


def swallows_gaps(patch: pytest.MonkeyPatch) -> None:
    def write_gap(self: Subscription, *_: object) -> None:
        return

    patch.setattr(Subscription, "write_gap", write_gap)


def shows_other_tenants(patch: pytest.MonkeyPatch) -> None:
    """Rows that are handed out are looked at by their name alone."""

    def sees(self: Selection, *_: str) -> bool:
        return True

    patch.setattr(Selection, "sees", sees)


def leaves_out_what_was_missed(patch: pytest.MonkeyPatch) -> None:
    """What was missed is left out: the sequence goes on at its end."""

    def replay(self: Subscription, update: Update) -> Sequence[Update]:
        return []

    patch.setattr(Subscription, "replay", replay)


WRONG: list[Patch] = [
    drops, doubles, names_another_before, does_not_mark, swallows_gaps, shows_other_tenants, leaves_out_what_was_missed,
]  # fmt: skip


@pytest.mark.parametrize("channel", ["prices", "bars", "ticks"])
async def test_the_server_as_it_is_is_right(world: World, channel: str) -> None:
    recording = await played(world, channel)
    assert violations(recording.log, recording.frames, recording.wanted, KEEP) == []


@pytest.mark.parametrize("wrong", [*WRONG, is_late], ids=lambda each: each.__name__)
async def test_a_server_that_is_wrong_is_seen(world: World, monkeypatch: pytest.MonkeyPatch, wrong: Patch) -> None:
    wrong(monkeypatch)
    recording = await played(world, "prices")
    assert violations(recording.log, recording.frames, recording.wanted, KEEP) != []
