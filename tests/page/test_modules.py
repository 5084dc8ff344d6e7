"""The parts that decide, each by itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.page.desk import Desk

pytestmark = pytest.mark.stack
Ask = Callable[[str, str], Awaitable[Any]]


@pytest.fixture
async def ask(desk: Desk) -> Ask:
    """Evaluates an expression over `m`, a module of the page."""
    await desk.open()
    await desk.is_live()

    async def asked(module: str, expression: str) -> Any:
        return await desk.page.evaluate(
            f"""async () => {{
              const base = document.querySelector('script[type=module]').src.replace('main.js', '');
              const m = await import(base + '{module}.js');
              {expression}
            }}"""
        )

    return asked


async def test_a_chain(ask: Ask) -> None:
    found = await ask("chain", """
      const chain = new m.Chain();
      const part = (n) => chain.take({ type: "snapshot", seq: 5, prev_seq: null, part: n, parts: 2, resume: "a" });
      const told = [part(1), chain.seq, chain.resume, chain.beat({ seq: 5 }), part(2), chain.seq, chain.resume];
      const update = (prev, seq) => chain.take({ type: "update", seq, prev_seq: prev, resume: `t${seq}` });
      told.push(update(5, 9), chain.resume, update(8, 10), chain.seq, chain.beat({ seq: 9, resume: "b" }), chain.resume,
        chain.beat({ seq: 11 }));
      chain.skip({ to_seq: 20 });
      told.push(update(20, 21));
      return told;
    """)  # fmt: skip
    assert found == [True, None, None, True, True, 5, "a", True, "t9", False, 9, True, "b", False, True]


async def test_nothing_follows_half_a_snapshot_but_its_parts(ask: Ask) -> None:
    found = await ask("chain", """
      const chain = new m.Chain();
      const take = (type, seq, more) => chain.take({ type, seq, resume: `t${seq}`, ...more });
      const part = (n, seq) => take("snapshot", seq, { prev_seq: null, part: n, parts: 2 });
      const update = (prev, seq) => take("update", seq, { prev_seq: prev });
      const told = [part(1, 5), part(2, 5), update(5, 6)];
      chain.skip({ reason: "lost", to_seq: null });
      told.push(update(6, 7), chain.beat({ seq: 9, resume: "early" }), chain.resume);
      told.push(part(1, 8), part(1, 9), update(6, 7), chain.resume, part(2, 9), chain.resume, update(9, 10));
      chain.skip({ reason: "window", to_seq: 20 });
      chain.again();
      told.push(update(10, 11));
      return told;
    """)  # fmt: skip
    assert found == [True, True, True, False, True, "t6", True, True, False, "t6", True, "t9", True, True]


async def test_another_try_follows_the_token_and_not_what_came_behind_it(ask: Ask) -> None:
    found = await ask("chain", """
      const chain = new m.Chain();
      const update = (prev, seq) => chain.take({ type: "update", seq, prev_seq: prev, resume: `t${seq}` });
      const skip = () => chain.skip({ reason: "slow", to_seq: 14 });
      chain.take({ type: "snapshot", seq: 12, prev_seq: null, resume: "t12" });
      skip();
      chain.again();
      const told = [chain.resume, update(12, 13)];
      skip();
      chain.beat({ seq: 14, resume: "t14" });
      chain.again();
      told.push(chain.resume, update(13, 14), update(14, 15));
      chain.forget();
      chain.again();
      return [...told, chain.seq, chain.resume];
    """)  # fmt: skip
    assert found == ["t12", True, "t14", False, True, None, None]


async def test_notices_of_one_channel_stand_side_by_side(ask: Ask) -> None:
    numbers = await ask("stream", """
      const stream = new m.Stream({ onCondition: () => {} });
      return [1, 2].map(() => stream.subscribe({ channel: "prices" }, {}).number);
    """)  # fmt: skip
    assert len({*numbers}) == 2
    found = await ask("banner", """
      const banner = new m.Banner({ again: () => {} });
      const shown = () => [...document.getElementById("notice-text").children].map((each) => each.textContent);
      const [one, other] = [1, 2].map((number) => ({ number, what: { channel: "prices" } }));
      banner.later(one, "No store.");
      banner.later(other, "Too many.");
      const both = shown();
      banner.later(one, "");
      return [both, shown()];
    """)  # fmt: skip
    other = "prices: Too many. Trying again."
    assert found == [["prices: No store. Trying again.", other], [other]]


async def test_pauses_grow_are_random_and_bounded(ask: Ask) -> None:
    found = await ask("backoff", "return [0, 1, 2, 3, 9, 60].map((n) => [m.pause(n, () => 0), m.pause(n, () => 1)]);")
    assert found == [[0, 500], [0, 1000], [0, 2000], [0, 4000], [0, 30_000], [0, 30_000]]
    finals = await ask("backoff", "return [1000, 1006, 1012, 4399, 4400, 4499, 4503, 4508].map(m.isFinal);")
    assert finals == [False, False, False, False, True, True, False, False]
    passing = await ask(
        "backoff", "return ['store-away', 'too-many-replays', 'not-begun', 'bad-resume'].map(m.isPassing);"
    )
    assert passing == [True, True, False, False]


async def test_freshness(ask: Ask) -> None:
    found = await ask("freshness", """
      const row = { price: 1, live_until: "2026-07-01T00:00:10Z", late_until: "2026-07-01T00:00:20Z" };
      const at = (second) => Date.parse("2026-07-01T00:00:00Z") + second * 1000;
      return [9, 10, 19, 20].map((second) => m.freshness(row, at(second))).concat(
        m.freshness({ ...row, price: null }, at(0)), m.freshness({ ...row, live_until: null }, at(99)),
        m.freshness({ ...row, late_until: null }, at(99)), m.freshness({ price: 1, status: "late" }, at(0)));
    """)  # fmt: skip
    assert found == ["live", "late", "late", "stale", "none", "live", "late", "late"]


async def test_numbers_and_times_as_people_read_them(ask: Ask) -> None:
    prices = await ask(
        "numbers", "return [-12.4, -0.001, 1234.5, null].map((v) => m.price(v)).concat(m.change(1.005), m.exact(-0.5));"
    )
    assert prices == ["−12.40", "0.00", "1,234.50", "–", "+1.01", "−0.5"]
    spans = await ask("times", "return [999, 42e3, 245e3, 11_520e3, 187_200e3, -9000e3].map(m.age);")
    assert spans == ["0s", "42s", "4m 05s", "3h 12m", "2d 4h", "in 2h 30m"]
    twice = await ask("times", """
      const zone = "America/New_York";
      return ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"].map(Date.parse)
        .map((ms) => `${m.clockTime(ms, zone)} ${m.zoneName(zone, ms)}`);
    """)  # fmt: skip
    assert twice == ["01:30 EDT", "01:30 EST"]


async def test_the_clock_prefers_what_it_can_bound(ask: Ask) -> None:
    found = await ask("clock", """
      const at = m.steady();
      const server = new Date(at + 60_000).toISOString();
      m.learn(server, at + 40, at - 40);
      const near = m.now() - m.steady();
      m.learn(new Date(at + 10_000).toISOString(), at);
      return [near, m.now() - m.steady()];
    """)  # fmt: skip
    assert found[1] == pytest.approx(found[0], abs=50)


async def test_a_series_keeps_its_order_and_knows_corrections(ask: Ask) -> None:
    found = await ask("series", """
      const series = new m.Series();
      for (const [at, price] of [[3, 30], [1, 10], [2, 25], [2, 20], [9, null]]) series.put(at, price);
      return [series.points.map((p) => p.price), series.changeAt(3), series.changeAt(1)];
    """)  # fmt: skip
    assert found == [[10, 20, 30], 10, None]
