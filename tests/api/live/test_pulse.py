"""What a heartbeat and a gap say of what is sure."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from api.live import gaps, pulse
from api.live.gaps import Lost
from api.live.places import Place
from api.live.selection import Selection
from api.live.tokens import Token
from db.entitlements import EVERYTHING
from db.visible import Visible

NOON_US, LATER_US = 1_782_907_200_000_000, 1_782_907_260_000_000
SELECTION = Selection("ticks", Visible(("acme",), EVERYTHING), frozenset(["a"]))


def token(known_us: int) -> str:
    return Token("ticks", "0" * 32, 5, 5, "1-0", known_us).text()


def known_until(*subscriptions: Any) -> str | None:
    places = SimpleNamespace(of={"ticks": Place("ticks", "0" * 32, 9, "2-0", LATER_US)})
    hub: Any = SimpleNamespace(places=places, state="live")
    return msgspec.json.decode(pulse.heartbeat(hub, subscriptions).json)["known_until"]


def subscription(waits: bool, of: str) -> Any:
    return SimpleNamespace(id=1, selection=SELECTION, waits=waits, began=True, token=of, seq=9, past=None)


@pytest.mark.parametrize(
    ("waits", "of", "known"),
    [
        (False, token(NOON_US), "2026-07-01T12:01:00.000000Z"),
        (True, token(NOON_US), "2026-07-01T12:00:00.000000Z"),
        (True, "", None),
    ],
)
def test_what_waits_has_not_been_sent(waits: bool, of: str, known: str | None) -> None:
    assert known_until(subscription(waits, of)) == known
    assert known_until(subscription(waits, of), subscription(False, token(NOON_US))) == known


def test_where_nobody_knows_since_when_no_address_is_named() -> None:
    """It would be one that is refused."""
    assert gaps.told(SELECTION, Lost(1, None, token(0)))["fill"] == []
    [address] = gaps.told(SELECTION, Lost(1, None, token(NOON_US)))["fill"]
    assert "since=2026-07-01T12" in address
