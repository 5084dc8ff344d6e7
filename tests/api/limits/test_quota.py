"""Requests a minute: as many at once as there may be, then one by one."""

from hypothesis import given
from hypothesis import strategies as st

from api.limits.quota import WINDOW_S, Left, Quota, Refused


def test_a_quota_at_once_and_then_one_by_one() -> None:
    quota = Quota()
    assert [quota.take("a", 3, 100.0) for _ in range(3)] == [Left(3, 2, 20), Left(3, 1, 40), Left(3, 0, 60)]
    assert quota.take("a", 3, 100.0) == Refused(3, 20)
    assert quota.take("a", 3, 119.9) == Refused(3, 1)
    assert quota.take("a", 3, 120.0) == Left(3, 0, 60)
    assert quota.take("a", 3, 120.0) == Refused(3, 20)


def test_subjects_do_not_share() -> None:
    quota = Quota()
    assert isinstance(quota.take("a", 1, 0.0), Left)
    assert isinstance(quota.take("a", 1, 0.0), Refused)
    assert isinstance(quota.take("b", 1, 0.0), Left)


def test_what_is_given_back_may_be_taken_again() -> None:
    quota = Quota()
    quota.take("a", 1, 0.0)
    quota.give_back("a", 1)
    assert isinstance(quota.take("a", 1, 0.0), Left)


@given(st.integers(1, 50), st.lists(st.floats(0, 30), max_size=200))
def test_no_window_has_more_than_twice_the_quota_and_no_pause_none(quota: int, waits: list[float]) -> None:
    taking, now, taken = Quota(), 0.0, list[float]()
    for wait in waits:
        now += wait
        if isinstance(taking.take("a", quota, now), Left):
            taken.append(now)
    for start in taken:
        assert sum(start <= each < start + WINDOW_S for each in taken) <= 2 * quota
    assert isinstance(taking.take("a", quota, now + WINDOW_S), Left)


@given(st.integers(1, 100_000))
def test_a_whole_quota_is_there_after_a_quiet_window(quota: int) -> None:
    taking = Quota()
    some = min(quota, 50)
    for start in (0.0, WINDOW_S + 1):
        left = [taking.take("a", quota, start) for _ in range(some)]
        assert [each.remaining for each in left if isinstance(each, Left)] == [quota - n - 1 for n in range(some)]
