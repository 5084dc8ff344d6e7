"""What holds of every set of deliveries: means, order, repetition, scale, and that what is rejected moves nothing."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curves.bootstrap import Bootstrapped, bootstrap
from pipeline.curves.deliveries import PRECEDENCE, Input
from pipeline.curves.shape import fitted
from pipeline.curves.smooth import smooth
from tests.pipeline.curves.strips import CENT, days, flat, frame, mean

FIRST = date(2025, 1, 1)
LONG = (date(2025, 3, 9), date(2025, 11, 2))
# Hours of the days of a zone with clock changes, and of its weekdays alone.
HOURS = {day: 24 - (day == LONG[0]) + (day == LONG[1]) for day in days(FIRST, date(2026, 12, 31))}
PEAK = {day: 16 * (day.isoweekday() < 6) for day in HOURS}

borders = st.sampled_from([FIRST + timedelta(days=at) for at in (0, 7, 31, 59, 66, 67, 69, 90, 181, 304, 365, 430)])
prices = st.integers(-20_000, 20_000).map(lambda cents: Decimal(cents) / 100)


def delivers(start: date, end: date) -> bool:
    """Also on a weekday."""
    return any(PEAK[day] for day in days(start, end))


@st.composite
def deliveries(draw: st.DrawFn) -> Input:
    start, end = sorted(draw(st.tuples(borders, borders).filter(lambda both: delivers(*sorted(both)))))
    name = draw(st.sampled_from("ABCDEFGH"))
    return Input(name, start, end, draw(prices), draw(st.sampled_from(PRECEDENCE)), CENT)


sets = st.lists(deliveries(), min_size=1, max_size=8)
weights = st.sampled_from(["hours", "peak"])
WEIGHTS = {"hours": HOURS, "peak": PEAK}


def smoothed(made: Bootstrapped, by: dict[date, int], *, free: bool = False) -> dict[date, Decimal]:
    table = frame(made.pieces, by)
    values = smooth(table, shape=fitted(table), seasons=(4, 11), free=free)
    return dict(zip(table["day"].to_list(), values.to_list(), strict=True))


@given(sets, weights, st.booleans())
@settings(deadline=None, max_examples=25)
def test_the_mean_over_a_kept_delivery_is_its_price(inputs: list[Input], weight: str, free: bool) -> None:
    by = WEIGHTS[weight]
    made = bootstrap(inputs, by)
    for prices_of in (flat(made.pieces), smoothed(made, by, free=free)):
        for each in made.checked:
            missed = mean(prices_of, each.input.start, each.input.end, by) - Fraction(each.input.price - each.residual)
            assert abs(missed) < 1e-9
            assert each.standing == "rejected" or abs(each.residual) <= each.tolerance


@given(sets, weights)
@settings(deadline=None, max_examples=25)
def test_order_repetition_and_the_rejected_change_nothing(inputs: list[Input], weight: str) -> None:
    by = WEIGHTS[weight]
    made = bootstrap(inputs, by)
    assert bootstrap([*reversed(inputs), *inputs], by) == made
    kept = [each.input for each in made.checked if each.standing != "rejected"]
    fixing = [each.input for each in made.checked if each.standing == "fixes"]
    assert bootstrap(kept, by).pieces == made.pieces == bootstrap(fixing, by).pieces


@given(sets, weights, st.sampled_from([Decimal(-3), Decimal(2), Decimal("0.5")]), prices)
@settings(deadline=None, max_examples=25)
def test_scale_and_shift_go_through(inputs: list[Input], weight: str, scale: Decimal, shift: Decimal) -> None:
    by = WEIGHTS[weight]
    # By name alone, since prices order what is otherwise equal.
    distinct = list({(each.start, each.end, each.kind, each.name): each for each in inputs}.values())
    moved = [each._replace(price=each.price * scale + shift, tick=each.tick * abs(scale)) for each in distinct]
    one, other = bootstrap(distinct, by), bootstrap(moved, by)
    assert [each.standing for each in one.checked] == [each.standing for each in other.checked]
    assert [each.implausible for each in one.pieces] == [each.implausible for each in other.pieces]
    before, after = smoothed(one, by), smoothed(other, by)
    far = max(map(abs, after.values()))
    assert all(abs(before[day] * scale + shift - after[day]) <= Decimal("1e-9") * (1 + far) for day in before)


@given(sets)
@settings(deadline=None, max_examples=25)
def test_pieces_cover_what_is_delivered_once(inputs: list[Input]) -> None:
    made = bootstrap(inputs, HOURS)
    covered = [day for piece in made.pieces for day in days(piece.start, piece.end)]
    assert covered == sorted({day for each in inputs for day in days(each.start, each.end)})
    assert all(one.end <= two.start for one, two in zip(made.pieces, made.pieces[1:], strict=False))
