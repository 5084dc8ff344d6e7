"""The reference that is kept: as new as its version, and of those alone who asked."""

import asyncio
from collections.abc import Callable

import polars as pl
import pytest

from api import references
from api.problems import Problem
from api.reads.ports import Names
from api.references import LOOK_S, References
from db.visible import Visible
from tests.api import fakes
from tests.api.held_reads import turns


class Reads(fakes.FakeReads):
    """Counts what is read; looks wait for `gate`, names for `names_gate`."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.named: list[tuple[list[str], list[str]]] = []
        self.gate, self.names_gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.names_gate.set()

    async def reference_version(self) -> int:
        self.looks += 1
        await self.gate.wait()
        return await super().reference_version()

    async def instruments_named(self, tenants: Names, names: Names) -> pl.DataFrame:
        self.named.append((list(tenants), list(names)))
        await self.names_gate.wait()
        return await super().instruments_named(tenants, names)


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def known(reads: Reads, ticking: Callable[[], float]) -> References:
    return References(reads.reference_version, reads.instruments_named, ticking)


async def test_the_version_is_looked_at_once_a_second(reads: Reads, known: References, ticking: fakes.Ticking) -> None:
    assert [await known.look(), await known.look(), known.present] == [1, 1, 1]
    reads.version = 2
    ticking.now += LOOK_S
    assert await known.look() == 1
    ticking.now += 0.001
    assert await known.look() == 2
    assert reads.looks == 2


async def test_a_look_that_took_long_is_as_old_as_its_beginning(
    reads: Reads, known: References, ticking: fakes.Ticking
) -> None:
    reads.gate.clear()
    looking = asyncio.ensure_future(known.look())
    await turns()
    ticking.now += LOOK_S + 0.1
    reads.gate.set()
    assert await looking == 1
    reads.version = 2
    assert await known.look() == 2


async def test_all_who_wait_share_one_look_also_where_it_fails(reads: Reads, known: References) -> None:
    reads.gate.clear()
    reads.gone = {"postgres": "refused"}
    waiting = [asyncio.ensure_future(known.look()) for _ in range(3)]
    await turns()
    waiting[0].cancel()
    await turns()
    reads.gate.set()
    failed = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in failed] == [asyncio.CancelledError, Problem, Problem]
    assert reads.looks == 1
    reads.gone = {}
    assert await known.look() == 1


async def test_names_are_read_once_while_the_version_stands(
    reads: Reads, known: References, ticking: fakes.Ticking
) -> None:
    first = await known.named(Visible(("public",)), [fakes.GAS, fakes.NODE])
    again = await known.named(Visible(("public",)), [fakes.GAS, fakes.NODE])
    assert first["instrument"].to_list() == again["instrument"].to_list() == [fakes.GAS, fakes.NODE]
    assert len(reads.named) == 1
    ticking.now += 1.1
    await known.named(Visible(("public",)), [fakes.GAS, fakes.NODE])
    assert len(reads.named) == 1, "its version stands"
    reads.reference[0] |= {"unit": "USD/MMBtu"}
    reads.version -= 1
    ticking.now += 1.1
    assert (await known.named(Visible(("public",)), [fakes.GAS, fakes.NODE]))["unit"][0] == "USD/MMBtu"
    assert len(reads.named) == 2


async def test_tenants_do_not_share(reads: Reads, known: References) -> None:
    reads.reference.append(fakes.instrument(fakes.GAS, "other"))
    for _ in range(2):
        for tenants in (("public",), ("other",), ("other", "public")):
            found = await known.named(Visible(tenants), [fakes.GAS])
            assert set(found["tenant"]) == set(tenants)
    assert len(reads.named) == 3


async def test_a_name_that_is_not_there_is_always_asked_for(reads: Reads, known: References) -> None:
    for _ in range(2):
        assert (await known.named(Visible(("public",)), [fakes.GAS, "NEW"]))["instrument"].to_list() == [fakes.GAS]
    reads.reference.append(fakes.instrument("NEW"))
    assert (await known.named(Visible(("public",)), [fakes.GAS, "NEW"])).height == 2


async def test_names_read_while_the_version_changes_are_not_kept(
    reads: Reads, known: References, ticking: fakes.Ticking
) -> None:
    reads.names_gate.clear()
    asking = asyncio.ensure_future(known.named(Visible(("public",)), [fakes.GAS]))
    await turns()
    reads.version = 2
    ticking.now += 1.1
    assert await known.look() == 2
    reads.names_gate.set()
    await asking
    await known.named(Visible(("public",)), [fakes.GAS])
    assert len(reads.named) == 2


async def test_so_many_names_are_kept_and_the_oldest_go(
    reads: Reads, known: References, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "MOST", 28)
    lists = [[fakes.GAS], [fakes.NODE], [fakes.GAS, fakes.NODE], [fakes.NODE, fakes.GAS]]
    for names in lists:
        await known.named(Visible(("public",)), names)
    for names in reversed(lists):
        await known.named(Visible(("public",)), names)
    assert [names for _, names in reads.named[4:]] == [lists[1], lists[0]], "8 for a list and 1 for each name"
