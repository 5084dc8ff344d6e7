"""When intake stops for lack of room, and when it goes on; through the loop too."""

from dataclasses import dataclass

from service.settings import MIB
from tests.workers.fakes import Bench, FakeSource, log_of
from workers.bridge.room import LOOK_S, DiskRoom


@dataclass
class _Disk:
    free: int
    away: bool = False
    asked: int = 0

    def __call__(self) -> int:
        self.asked += 1
        if self.away:
            raise OSError("away")
        return self.free


class _Asked:
    def __init__(self, free_mib: int, reserve_mib: int = 1000) -> None:
        self.now, self.disk = 0.0, _Disk(free_mib * MIB)
        self.room = DiskRoom(self.disk, reserve_mib * MIB, lambda: self.now)

    def later(self, free_mib: int) -> str:
        self.now += LOOK_S
        self.disk.free = free_mib * MIB
        return self.room.lacking()


def test_below_the_reserve_it_says_so_and_goes_on_above_it() -> None:
    bench = _Asked(1000)
    assert bench.room.lacking() == ""
    assert "has 999 MiB left and 1000 MiB are kept free" in bench.later(999)
    assert bench.later(1063)
    assert bench.later(1064) == ""


def test_the_disk_is_asked_every_few_seconds_only() -> None:
    bench = _Asked(5000)
    for _ in range(10):
        bench.room.lacking()
    assert bench.disk.asked == 1


def test_where_nobody_tells_the_last_answer_stands() -> None:
    bench = _Asked(10)
    said = bench.room.lacking()
    bench.disk.away = True
    assert bench.later(5000) == said != ""


def test_without_a_reserve_nobody_is_asked() -> None:
    bench = _Asked(0, reserve_mib=0)
    assert bench.room.lacking() == ""
    assert bench.disk.asked == 0


def test_a_full_disk_stops_intake_and_room_lets_it_go_on() -> None:
    bench = Bench(FakeSource({0: log_of(10)}))
    bench.assign()
    bench.steps(2)
    bench.room.words = "the disk is full"
    bench.source.logs[0] += log_of(30)[10:]
    bench.steps(3)
    assert bench.source.paused
    assert bench.tally.metrics.value("bridge_disk_full") == 1
    [sent] = bench.sends()
    bench.land(sent)  # what was taken in before may end
    bench.steps(3)
    assert bench.source.committed == {0: 10}
    assert bench.sends() == [sent]
    bench.room.words = ""
    bench.steps(3)
    assert [(f.first, f.next) for f in bench.sends()] == [(0, 10), (10, 20), (20, 30)]
    assert bench.tally.metrics.value("bridge_disk_full") == 0
