"""Bars in the engine against bars by hand: any split, order, repetition and correction gives the same ones."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from db.clickhouse import bars as engine
from db.clickhouse import rollup_ticks
from db.clickhouse.client import connect
from db.clickhouse.ticks import insert_ticks
from service.settings import Settings
from tests.db.clickhouse import brute
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic, land, stored_bars

pytestmark = pytest.mark.stack

CASES = 100  # of publications in any order, of streams and of documents
# They land together, for a pass takes seconds: a failing one is shown as it came.
NO_SHRINKING = (Phase.explicit, Phase.generate)

STREAM = ("1m", "5m", "15m", "1h", "1d")
FIVE = ("5m", "15m", "1h", "1d")
MINUTE = timedelta(minutes=1)
CALIFORNIA = "America/Los_Angeles"

_seconds = st.integers(0, 400).map(lambda n: n * 7 % 7300)
_price = st.sampled_from(["-5.5", "0", "20", "20.000000001", "100", "999999999.999999999"])
_volume = st.sampled_from([None, Decimal(1), Decimal("0.000000003"), Decimal("999999999.999999999")])
_flags = st.sampled_from([1, 1, 1, 3, 64])
# Grace is 0 for streams and five minutes for documents; the last two are later than any bar that holds the price.
_late = st.sampled_from([0, 5, 11, 70, 301, 1000, 7000, 90_000, 200_000])


Delivery = tuple[list[brute.Row], tuple[list[int], list[int]]]


@st.composite
def publications(draw: st.DrawFn, documents: bool) -> list[brute.Row]:
    """Publications of one instrument, many of them of the same identity; every one at a position of its own."""
    made = []
    for offset in range(draw(st.integers(1, 14))):
        at = (
            DAY
            + timedelta(hours=9)
            + timedelta(seconds=300 * draw(st.integers(0, 12)) if documents else draw(_seconds))
        )
        more: brute.Row = {
            "volume": draw(_volume), "flags": draw(_flags), "version": draw(st.integers(0, 2)), "offset": offset,
            "known_at": at + timedelta(seconds=draw(_late)), "congestion": draw(st.sampled_from([None, Decimal(1)])),
        }  # fmt: skip
        if documents:
            shift = timedelta(seconds=draw(st.sampled_from([0, 14, 120])))
            held = at + shift + timedelta(minutes=draw(st.sampled_from([2, 5, 30])))
            made.append(document("", at + shift, draw(_price), **more, hold_end=held))
        else:
            made.append(generic("", at, draw(_price), **more, event_id=draw(st.sampled_from("ab"))))
    return made


@st.composite
def deliveries(draw: st.DrawFn, documents: bool) -> Delivery:
    """Publications and two batches of their numbers: in any order, each once at least, some again."""
    made = draw(publications(documents))
    order = draw(st.permutations(range(len(made)))) + draw(st.lists(st.integers(0, len(made) - 1), max_size=4))
    cut = draw(st.integers(1, len(order)))
    return made, (order[:cut], order[cut:])


def drawn(documents: bool, count: int) -> list[Delivery]:
    """Examples to land together."""
    found: list[Delivery] = []

    @examples(max_examples=count, deadline=None, phases=NO_SHRINKING)
    @given(deliveries(documents))
    def draw(case: Delivery) -> None:
        found.append(case)

    draw()
    return found


def expect(client: Client, made: list[brute.Row], intervals: tuple[str, ...], zone: str, grace_s: int) -> None:
    """The stored bars of the rows' tenant are the brute-force ones: none missing, none extra, every field equal."""
    expect_all(client, [made], intervals, zone, grace_s)


def expect_all(
    client: Client, cases: list[list[brute.Row]], intervals: tuple[str, ...], zone: str, grace_s: int
) -> None:
    found = stored_bars(client, cases[0][0]["tenant"], intervals)
    expected = {
        (made[0]["instrument"], *key): bar
        for made in cases
        for key, bar in brute.bars(made, intervals, zone, grace_s).items()
    }
    assert found.keys() == expected.keys()
    for key, bar in expected.items():
        assert {name: found[key][name] for name in bar} == bar, key


def deliver(client: Client, cases: Sequence[Delivery]) -> list[list[brute.Row]]:
    """Land all cases side by side, each under an instrument of its own: first batches, then second ones."""
    tenant = fresh_tenant()
    made = [
        [row | {"tenant": tenant, "instrument": f"{row['instrument']}{case}"} for row in rows_]
        for case, (rows_, _) in enumerate(cases)
    ]
    for turn in range(2):
        if batch := [made[case][n] for case, (_, batches) in enumerate(cases) for n in batches[turn]]:
            land(client, batch)
    return made


def test_stream_bars_equal_brute_force(client: Client) -> None:
    expect_all(client, deliver(client, drawn(documents=False, count=CASES)), STREAM, "UTC", 0)


def test_document_bars_equal_brute_force(client: Client) -> None:
    expect_all(client, deliver(client, drawn(documents=True, count=CASES)), FIVE, CALIFORNIA, 300)


def test_the_twap_of_the_manual(client: Client) -> None:
    eleven = DAY + timedelta(hours=11)
    runs = [(14, "20"), (5 * 60 + 12, "100"), (10 * 60 + 15, "20")]
    tenant = fresh_tenant()
    land(client, [
        document(tenant, eleven + timedelta(seconds=s), price, minutes=30, offset=s) for s, price in runs
    ])  # fmt: skip
    bar = stored_bars(client, tenant, ("15m",))["caiso.rt_5min.NODE", "15m", eleven]
    assert round(bar["twap"], 4) == Decimal("47.3589")
    assert bar["covered_seconds"] == 886
    assert (bar["open"], bar["high"], bar["low"], bar["close"], bar["count"]) == (20, 100, 20, 20, 3)


def test_a_bar_that_loses_its_only_price_is_hidden_and_comes_back(client: Client) -> None:
    tenant = fresh_tenant()
    first = generic(tenant, DAY, "10")
    withdrawn = first | {"flags": 64, "offset": 1, "known_at": DAY + MINUTE}
    again = first | {"offset": 2, "known_at": DAY + 2 * MINUTE}
    land(client, [first])
    land(client, [withdrawn])
    assert stored_bars(client, tenant, STREAM) == {}
    land(client, [again])
    expect(client, [first, withdrawn, again], STREAM, "UTC", 0)


def test_a_stamp_at_the_end_of_its_interval_counts_where_it_starts(client: Client) -> None:
    tenant = fresh_tenant()
    midnight = DAY + timedelta(days=1)
    made = [
        document(tenant, midnight - 5 * MINUTE * n, str(n), ts=midnight - 5 * MINUTE * (n - 1), offset=n)
        for n in (1, 2, 3)
    ]
    for row in made:
        land(client, [row])
    expect(client, made, FIVE, CALIFORNIA, 300)


@pytest.mark.parametrize("seed", range(2))
def test_racing_passes_end_equal(client: Client, settings: Settings, seed: int) -> None:
    tenant = fresh_tenant()
    made = [
        generic(tenant, DAY + timedelta(seconds=(n * 7 + seed) % 60), str(n % 5), event_id="ab"[n % 2], offset=n,
                known_at=DAY + timedelta(seconds=n))
        for n in range(48)
    ]  # fmt: skip
    batches = [made[i::6] for i in range(6)]

    def work(mine: list[list[brute.Row]]) -> None:
        own = connect(settings.clickhouse)
        for batch in mine:
            land(own, batch)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, [batches[i::3] for i in range(3)]))
    expect(client, made, STREAM, "UTC", 0)


@pytest.mark.parametrize("documents", [True, False])
def test_a_repeat_that_comes_between_the_statements_leaves_no_bar_out(
    client: Client, monkeypatch: pytest.MonkeyPatch, documents: bool
) -> None:
    """The repeat's own pass may never come: the batch has landed with this one."""
    tenant = fresh_tenant()
    rows = [document(tenant, DAY, "10") if documents else generic(tenant, DAY, "10")]
    real = engine.made_table

    @contextmanager
    def after_a_repeat(client: Client) -> Generator[str]:
        insert_ticks(client, frame(rows))
        with real(client) as made:
            yield made

    monkeypatch.setattr(engine, "made_table", after_a_repeat)
    land(client, rows)
    intervals, zone, grace_s = (FIVE, CALIFORNIA, 300) if documents else (STREAM, "UTC", 0)
    expect(client, rows, intervals, zone, grace_s)


def test_one_batch_may_hold_many_months(client: Client) -> None:
    tenant = fresh_tenant()
    months = [DAY - timedelta(days=31 * n) for n in range(105)]
    made = [generic(tenant, at, "1", event_id=str(n), offset=n) for n, at in enumerate(months)]
    land(client, made)
    assert client.command("SELECT count() FROM ticks WHERE tenant = {t:String}", {"t": tenant}) == 105
    days = "SELECT count() FROM bars FINAL WHERE tenant = {t:String} AND interval = '1d'"
    assert client.command(days, {"t": tenant}) == 105


def slow_writer(client: Client, first: list[brute.Row], second: list[brute.Row]) -> None:
    """A pass that read only the first rows writes its bars after the pass of the second ones did."""
    copy = {"copy": f"copy_{first[0]['tenant']}", "tenant": first[0]["tenant"]}
    land(client, first)
    client.command(
        "CREATE TABLE {copy:Identifier} ENGINE = Memory AS SELECT * FROM bars FINAL WHERE tenant = {tenant:String}",
        copy,
    )
    land(client, second)
    client.command("INSERT INTO bars SELECT * FROM {copy:Identifier}", copy)
    client.command("DROP TABLE {copy:Identifier}", copy)


def corrected(tenant: str) -> list[brute.Row]:
    """Two prices of one instant, the later one by event id first; an overtaken and an equal correction; one late."""
    return [
        generic(tenant, DAY, "5", event_id="b", version=1, offset=0),
        generic(tenant, DAY, "8", event_id="a", offset=1, known_at=DAY + timedelta(days=2)),
        generic(tenant, DAY, "7", event_id="b", version=0, offset=2, known_at=DAY + MINUTE),
        generic(tenant, DAY, "5", event_id="b", version=1, offset=3, known_at=DAY + 2 * MINUTE),
        generic(tenant, DAY, "6", event_id="b", version=1, offset=4, known_at=DAY + 3 * MINUTE),
    ]


def test_a_pass_that_read_less_never_wins(client: Client) -> None:
    made = corrected(fresh_tenant())
    slow_writer(client, made[:2], made[2:])
    expect(client, made, STREAM, "UTC", 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max(version) OVER", "min(version) OVER"),
        ("content != lagInFrame(content)", "known_at != lagInFrame(known_at)"),
        ("first_known > bucket", "first_known > bucket + 1000000"),
        ("(start, source_rank, event_id, ts)", "(start, source_rank, ts)"),
        (" + seen", " + used"),
    ],
    ids=["first version", "every repeat", "never late", "ties by version", "prices counted"],
)
def test_known_wrong_variants_are_caught(client: Client, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    real = rollup_ticks.from_replay
    assert old in real("10s", one_each=False)

    def broken(interval: str, *, one_each: bool) -> str:
        return real(interval, one_each=one_each).replace(old, new)

    monkeypatch.setattr(rollup_ticks, "from_replay", broken)
    made = corrected(fresh_tenant())
    slow_writer(client, made[:2], made[2:])
    with pytest.raises(AssertionError):
        expect(client, made, STREAM, "UTC", 0)
