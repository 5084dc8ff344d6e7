"""No message brings a price of market `spread`, and a spread without a value is shown without a price."""

from decimal import Decimal

import pytest

from pipeline import products
from pipeline.bars import intervals
from pipeline.flags import Flag
from pipeline.normalize import normalize
from pipeline.schema import TICKS, conform
from pipeline.shown import shown
from pipeline.spreads.kinds import KINDS, MARKET
from tests.pipeline import making
from tests.pipeline.spreads.making import NOON, frame, published


def test_every_kind_is_a_product_of_its_interval() -> None:
    assert {name for market, name in products.PRODUCTS if market == MARKET} == set(KINDS)
    for kind in KINDS.values():
        product = products.product(MARKET, kind.name)
        assert product.interval == (kind.interval if kind.interval == "1h" else None)
        assert [each.name for each in intervals(MARKET, kind.name)] == ["1h", "1d"]


@pytest.mark.parametrize("product", ["dart", "tick", "any"])
def test_a_tick_of_the_market_is_refused(product: str) -> None:
    found = normalize(making.batch(making.tick(market="spread", product=product)), "public")
    assert found.ticks.is_empty()
    assert found.rejects["field"].to_list() == ["payload.market"]


def test_a_tick_of_another_market_cannot_take_the_name() -> None:
    found = normalize(making.batch(making.tick(instrument_id="spread.dart.pjm_western_hub")), "public")
    assert found.rejects["field"].to_list() == ["payload.instrument_id"]


def test_what_has_no_value_is_shown_without_a_price() -> None:
    rows = [published("spread.dart.a", NOON, "0", flags=flags) for flags in (int(Flag.NO_VALUE), int(Flag.VALID))]
    found = shown(conform(frame(rows).drop("parser_version"), TICKS).with_columns(revision=0))
    assert found.select("price", "flags").rows() == [(None, ["NO_VALUE"]), (Decimal(0), ["VALID"])]
