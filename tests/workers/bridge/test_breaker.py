from workers.bridge.breaker import Breaker, Landed
from workers.header import Runs


def _some(messages: int, invalid: int, runs: Runs | None = None, partition: int = 0) -> Landed:
    return Landed(partition, messages, invalid, runs or Runs())


def test_a_share_needs_enough_messages() -> None:
    breaker = Breaker()
    assert breaker.add(_some(1000, 90)) is None
    assert "9.0 % of the last 2000 messages" in str(breaker.add(_some(1000, 90)))


def _parted(parts: list[int], messages: int) -> Landed:
    return _some(messages, sum(parts), Runs(parts=tuple(parts)))


def test_of_a_batch_larger_than_what_counts_the_last_of_it_do() -> None:
    """600 of its last 10,000 messages are 6 %, of all 20,000 only 3 %."""
    assert "of the last 10000 messages" in str(Breaker().add(_parted([0] * 20 + [30] * 20, 20_000)))
    assert Breaker().add(_parted([0] * 20 + [25] * 20, 20_000)) is None


def test_a_burst_inside_a_batch_is_seen_though_good_messages_follow() -> None:
    breaker = Breaker()
    assert breaker.add(_some(20_000, 0)) is None
    assert "messages could not be read" in str(breaker.add(_parted([0] * 10 + [300, 300] + [0] * 28, 20_000)))


def test_a_large_good_batch_before_does_not_dilute() -> None:
    breaker = Breaker()
    assert breaker.add(_some(20_000, 0)) is None
    assert all(breaker.add(_parted([50], 500)) is None for _ in range(10))
    assert breaker.add(_parted([50], 500)) is not None, "550 of the last 10,000"


def test_five_percent_is_allowed() -> None:
    breaker = Breaker()
    assert all(breaker.add(_some(1000, 50)) is None for _ in range(30))


def test_only_the_recent_count() -> None:
    breaker = Breaker()
    assert breaker.add(_some(1000, 400)) is None
    # 400 of 10,000 recent would still be fine; once they are old, 450 new ones are too.
    breaker = Breaker()
    for _ in range(10):
        breaker.add(_some(1000, 45))
    assert all(breaker.add(_some(1000, 45)) is None for _ in range(20))
    assert breaker.add(_some(1000, 200)) is not None


def test_rows_of_refusals_join_over_batches_of_one_partition() -> None:
    breaker = Breaker()
    assert breaker.add(_some(500, 60, Runs(0, 60, 60))) is None
    assert breaker.add(_some(500, 60, Runs(39, 0, 39), partition=1)) is None
    assert "100 messages in a row of partition 0" in str(breaker.add(_some(500, 40, Runs(40, 0, 40))))


def test_single_refused_messages_add_up() -> None:
    breaker = Breaker()
    assert all(breaker.add(_some(1, 1, Runs(1, 1, 1))) is None for _ in range(99))
    assert breaker.add(_some(1, 1, Runs(1, 1, 1))) is not None


def test_a_good_message_ends_a_row() -> None:
    breaker = Breaker()
    for _ in range(5):
        assert all(breaker.add(_some(1, 1, Runs(1, 1, 1))) is None for _ in range(60))
        assert breaker.add(_some(5000, 0)) is None
