"""Frames of one subscription: none larger than what libraries take, and gaps that say where to read."""

import json
from typing import Any

import pytest

from api.live.frames import Frame
from api.live.overlap import Overlap
from api.live.pending import Policy
from api.live.row import Row
from api.live.selection import Selection
from api.live.subscription import Subscription
from api.live.tokens import Token
from api.live.update import Update
from db.visible import Visible

MIB = 2**20


class Outlet:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.ready = True
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(frame.json) for frame in self.frames if frame.type == kind]


def token(seq: int) -> str:
    return Token("curves", "0" * 32, seq, seq, f"{seq}-1", 0).text()


def curve(number: int, size: int = 200_000) -> Row:
    return Row("public", f"curve.{number}", "henry_hub", "", "", 0, 0, 0, json.dumps([number, "x" * size]).encode())


def begun(outlet: Outlet, policy: Policy) -> Subscription:
    selection = Selection("curves", Visible(("public",)), None, "henry_hub")
    made = Subscription(1, selection, policy, outlet, lambda: 0.0)
    made.snapshot(1, 1, [curve(0, 1)], 1, token(1))
    made.live(Overlap(lambda: 0.0))
    return made


@pytest.mark.parametrize("policy", ["conflate", "close"])
@pytest.mark.parametrize("ready", [True, False])
def test_few_rows_that_are_large_come_in_several_frames(policy: Policy, ready: bool) -> None:
    outlet = Outlet()
    of = begun(outlet, policy)
    outlet.ready = ready
    of.offer(Update([curve(number) for number in range(12)], 2, token(2)))
    outlet.ready = True
    of.flush()
    updates = outlet.of("update")
    assert max(len(frame.json) for frame in outlet.frames) < MIB
    assert [row[0] for each in updates for row in each["data"]] == [*range(12)]
    assert [each["seq"] for each in updates] == [*[1] * (len(updates) - 1), 2]
    assert all(_resumes(updates, at, policy) for at in range(len(updates)))


def _resumes(updates: list[dict[str, Any]], at: int, policy: Policy) -> bool:
    """Whether a token stands for all that was sent up to it; where the newest of each wait, for the change before."""
    found = Token.read(updates[at]["resume"])
    assert found is not None
    if at == len(updates) - 1:
        return (found.seq, found.rows) == (2, 0)
    sent = sum(len(each["data"]) for each in updates[: at + 1])
    return (found.seq, found.rows) == (1, sent) or (policy == "conflate" and found.rows == 0)


def test_of_curves_of_a_market_a_gap_names_those_that_were_sent_or_missed() -> None:
    outlet = Outlet()
    of = begun(outlet, "skip")
    outlet.ready = False
    of.offer(Update([curve(number) for number in range(1, 9)], 2, token(2)))
    outlet.ready = True
    of.flush()
    [gap] = outlet.of("gap")
    assert gap["fill"] == [f"/v1/curves/curve.{number}/snapshots/latest" for number in range(9)]


def test_a_gap_names_no_curve_of_before_it_began_anew() -> None:
    """What may be seen may be less by then."""
    outlet = Outlet()
    of = begun(outlet, "skip")
    of.restart()
    of.write_gap("lost", None)
    [gap] = outlet.of("gap")
    assert gap["fill"] == []


def test_a_large_change_is_encoded_once_for_all_who_get_it() -> None:
    first, second = Outlet(), Outlet()
    update = Update([curve(number) for number in range(4)], 2, token(2))
    for outlet in (first, second):
        begun(outlet, "close").offer(update)
    mine, others = ([frame for frame in outlet.frames if frame.type == "update"] for outlet in (first, second))
    assert len(mine) > 1
    assert all(frame is same for frame, same in zip(mine, others, strict=True))
