"""A lane that is stopped stays so over starts and outages, until a person lets it go on."""

from dataclasses import dataclass

import pytest

from workers.bridge.brake import SAY_AGAIN_S, Brake
from workers.bridge.ports import Outage


@dataclass
class FakeStops:
    """The row of one lane, on a server that may be away."""

    row: str = ""
    away: bool = False

    def _reach(self) -> None:
        if self.away:
            raise Outage("PostgreSQL: away")

    def stop(self, reason: str) -> None:
        self._reach()
        self.row = self.row or reason

    def reason(self) -> str:
        self._reach()
        return self.row

    def resume(self) -> None:
        self._reach()
        self.row = ""


def test_a_stop_outlives_the_bridge_and_ends_when_a_person_says_so() -> None:
    stops = FakeStops()
    Brake(stops, lambda: 0.0).pull("too many")
    again = Brake(stops, lambda: 0.0)
    assert again.holds()
    assert again.reason == "too many"
    stops.row = ""
    assert not again.holds()
    assert again.reason == ""


def test_without_the_server_nothing_is_read_until_it_tells() -> None:
    stops = FakeStops(away=True)
    brake = Brake(stops, lambda: 0.0)
    assert brake.holds()
    assert "PostgreSQL does not tell" in brake.reason
    stops.away = False
    assert not brake.holds()


def test_a_stop_that_could_not_be_stored_is_stored_later_and_holds_meanwhile() -> None:
    stops = FakeStops(away=True)
    brake = Brake(stops, lambda: 0.0)
    brake.pull("too many")
    assert brake.holds()
    assert brake.reason == "too many"
    stops.away = False
    assert brake.holds()
    assert stops.row == "too many"
    stops.row = ""
    assert not brake.holds(), "it is stored once: what a person has lifted stays lifted"


def test_release_that_postgresql_does_not_hear_is_none() -> None:
    stops = FakeStops("too many", away=True)
    brake = Brake(stops, lambda: 0.0)
    assert not brake.release()
    stops.away = False
    assert brake.release()
    assert not brake.holds()


def test_release_lifts_a_stored_stop() -> None:
    stops = FakeStops("too many")
    brake = Brake(stops, lambda: 0.0)
    brake.release()
    assert (stops.row, brake.reason) == ("", "")


def test_it_says_why_at_once_and_then_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    brake = Brake(FakeStops("too many"), lambda: now[0])
    for _ in range(3):
        brake.holds()
    assert caplog.messages == ["too many"]
    now[0] = SAY_AGAIN_S
    brake.holds()
    assert caplog.messages == ["too many"] * 2
