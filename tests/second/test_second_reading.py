"""Every document of the shared folder: the program's ticks are exactly those of the second reading."""

from collections import defaultdict
from fnmatch import fnmatch

import pytest

from pipeline import members
from tests.second.common import COLUMNS, IDENTITY, distinct
from tests.second.kinds import EVERY, KINDS, NO_PRICES, OTHERS, PRICES, SHARED, kind_of

SHOWN = 5  # differences that a failure tells

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the exchanges' documents are not here (../shared/data/iso)"
)


def _read(document: str, market: str | None, product: str | None) -> members.Reading:
    path = SHARED / document
    return members.read(path.read_bytes(), path.name, market, product)


def test_every_document_is_known() -> None:
    assert EVERY
    assert sorted(PRICES + OTHERS) == EVERY, "a document here is of no kind, or of two: tell KINDS or NO_PRICES"
    assert [name for name in PRICES if len([each for each in KINDS if fnmatch(name, each)]) != 1] == []


@pytest.mark.parametrize("document", PRICES)
def test_ticks_are_those_of_the_second_reading(document: str) -> None:
    kind = kind_of(document)
    reading = _read(document, *kind.asked)
    assert reading.refused == []
    mine, theirs = set(distinct(kind.reader(SHARED / document, kind.product))), reading.ticks.select(COLUMNS).rows()
    assert mine
    assert _differences(mine, set(theirs)) == []
    assert len(theirs) == len(mine), "the program gives a price twice"
    assert reading.rejects["row"].to_list() == kind.refused(SHARED / document)


@pytest.mark.parametrize("named", [True, False], ids=["market-named", "no-market"])
@pytest.mark.parametrize("document", OTHERS)
def test_what_holds_no_price_is_refused(document: str, named: bool) -> None:
    """As a whole, whether its market is named or not."""
    market = next(market for pattern, market in NO_PRICES.items() if fnmatch(document, pattern))
    reading = _read(document, market if named else None, None)
    assert (reading.ticks.height, reading.rejects.height, len(reading.refused)) == (0, 0, 1)


Tuple = tuple[object, ...]


def _differences(mine: set[Tuple], theirs: set[Tuple]) -> list[str]:
    """The first prices that only one reading has; of one identity, what of it differs."""
    here, there = _by_identity(mine - theirs), _by_identity(theirs - mine)
    told = [_difference(key, here.get(key, []), there.get(key, [])) for key in [*here, *(there.keys() - here.keys())]]
    return told[:SHOWN] + ([f"and {len(told) - SHOWN} more"] if len(told) > SHOWN else [])


def _by_identity(rows: set[Tuple]) -> dict[Tuple, list[Tuple]]:
    found = defaultdict[Tuple, list[Tuple]](list)
    for row in rows:
        found[tuple(row[COLUMNS.index(column)] for column in IDENTITY)].append(row)
    return found


def _difference(identity: Tuple, here: list[Tuple], there: list[Tuple]) -> str:
    shown = " ".join(map(str, identity))
    if len(here) == len(there) == 1:
        cells = zip(COLUMNS, here[0], there[0], strict=True)
        return f"{shown}: " + ", ".join(f"{name} {a} (program: {b})" for name, a, b in cells if a != b)
    return f"{shown}: {len(here)} only in the second reading, {len(there)} only in the program: {here + there}"
