"""What has one cause, and how a person names it."""

import pytest

from db.letters.causes import Dead, by_cause, shape
from db.letters.held import Bounds, TooMany, held, within
from db.letters.named import Choice, Unclear, with_cause, with_ids
from db.letters.states import State
from db.postgres.replays import Sent
from pipeline.errors import DataProcessingError
from pipeline.replay import Labels
from tests.db.letters.making import letter


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("payload.market '9x' is not a market name", "payload.market 'no such' is not a market name"),
        ("12 rows refused, the first (row 7): MW 'abc' is odd", "3 rows refused, the first (row 1,204): MW 'x' is odd"),
        ("20240311_zone.csv: the file is cut off", "20250101_zone.csv: the file is cut off"),
        (r"name 'it\'s' is odd", """name "it's" is odd"""),
    ],
)  # fmt: skip
def test_numbers_and_values_make_no_cause_of_their_own(one: str, other: str) -> None:
    assert shape(one) == shape(other)


def test_words_do() -> None:
    assert shape("payload.market is absent") != shape("payload.product is absent")
    assert shape("is a product of caiso's documents: not 'x'") == "is a product of caiso's documents: not …"


def test_causes_are_told_by_market_with_what_waits_first() -> None:
    letters = [
        letter(origin=f"t/0/{n}", market=market, message=f"row {n} is bad", written_ms=n)
        for n, market in enumerate(["miso", "CAISO", "caiso", "pjm"])
    ]
    dead = held(letters, {"t/0/0": Sent(2, read=True, landed=True), "t/0/3": Sent(2, read=True, landed=False)})
    groups = by_cause(dead)
    assert [(cause.market, [each.state for each in group]) for cause, group in groups] == [
        ("caiso", [State.waiting, State.waiting]), ("miso", [State.landed]), ("pjm", [State.replayed]),
    ]  # fmt: skip
    assert [each.letter.origin for each in groups[0][1]] == ["t/0/2", "t/0/1"], "the newest first"
    assert len({cause.id for cause, _ in groups}) == 3


def test_a_market_that_was_set_right_is_the_causes() -> None:
    ((cause, _),) = by_cause(held([letter(market="caiso", labels=Labels(market="nyiso"))], {}))
    assert cause.market == "nyiso"


def test_of_one_message_the_newest_attempt_counts_whatever_the_order() -> None:
    letters = [letter(attempts=2, message="b"), letter(attempts=1, message="a"), letter(attempts=2, message="c")]
    (dead,) = held(letters, {"tid/0/7": Sent(2, read=True, landed=True)})
    assert (dead.letter.message, dead.state) == ("c", State.waiting), "attempt 2 is the letter itself"


def _dead(*origins: str) -> list[Dead]:
    return held([letter(origin=each) for each in origins], {})


def test_an_id_may_be_cut_short_and_named_twice() -> None:
    one, other = _dead("t/0/1", "t/0/2")
    assert with_ids([one, other], [one.id[:6], one.id, "t/0/2"]) == [one, other]
    assert with_ids([one, other], [one.id.upper()]) == [one]


@pytest.mark.parametrize("wanted", ["zzzz", "", "a", "t/0/9"])
def test_an_id_that_means_none_is_refused(wanted: str) -> None:
    with pytest.raises(DataProcessingError, match="gridtick dlq ls"):
        with_ids(_dead("t/0/1"), [wanted])


def test_an_id_that_means_two_is_refused_with_both() -> None:
    many = _dead(*(f"t/0/{n}" for n in range(20_000)))
    seen: dict[str, str] = {}
    for each in many:
        if each.id[:3] in seen:
            with pytest.raises(DataProcessingError, match=f"{each.id}|{seen[each.id[:3]]}"):
                with_ids(many, [each.id[:3]])
            return
        seen[each.id[:3]] = each.id


def test_a_cause_is_named_by_its_beginning() -> None:
    dead = held([letter(origin="t/0/1", message="a"), letter(origin="t/0/2", message="b")], {})
    assert with_cause(dead, dead[1].cause[:4]) == [dead[1]]
    with pytest.raises(DataProcessingError, match="--cause ffffff"):
        with_cause(dead, "ffffff")


def test_what_is_meant_is_named_in_one_way_or_is_all() -> None:
    dead = held([letter(origin="t/0/1", message="a"), letter(origin="t/0/2", message="b")], {})
    assert Choice().of(dead) == dead
    assert Choice([dead[1].id]).of(dead) == [dead[1]]
    assert Choice(cause=dead[0].cause).of(dead) == [dead[0]]
    with pytest.raises(Unclear) as refused:
        Choice(["zzzz"]).of(dead)
    assert (refused.value.what, refused.value.wanted, refused.value.found) == ("letters", "zzzz", [])


def test_no_more_letters_are_read_than_the_bounds_allow() -> None:
    letters = [letter(origin=f"t/0/{n}") for n in range(3)]
    assert list(within(letters, Bounds(letters=3))) == letters
    with pytest.raises(TooMany, match="--since"):
        list(within(letters, Bounds(letters=2)))
    ticks = iter([0.0, 1.0, 2.5, 9.0])
    read = within(letters, Bounds(seconds=2), lambda: next(ticks))
    assert next(read) == letters[0]
    with pytest.raises(TooMany):
        next(read)
