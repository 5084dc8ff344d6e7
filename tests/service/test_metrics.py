from datetime import UTC, datetime
from typing import get_args

import pytest

from service import clock
from service.metrics import DEFINITIONS, MetricName, Metrics


def test_every_name_has_a_meaning_and_no_other_exists() -> None:
    assert set(get_args(MetricName)) == set(DEFINITIONS)
    assert all(each.meaning for each in DEFINITIONS.values())


def test_counted_values_are_exposed_with_their_meaning() -> None:
    metrics = Metrics("api")
    metrics.count("http_requests", method="GET", route="/v1/me", status="200")
    text = metrics.exposition().decode()
    assert 'gridtick_http_requests_total{method="GET",route="/v1/me",status="200"} 1.0' in text
    assert "# HELP gridtick_http_requests_total answered requests" in text
    assert metrics.value("http_requests_total", method="GET", route="/v1/me", status="200") == 1


def test_a_metric_is_used_as_what_it_is() -> None:
    with pytest.raises(TypeError, match="bridge_paused is a gauge of the part bridge"):
        Metrics("bridge").count("bridge_paused")
    with pytest.raises(TypeError, match="ticks_stored is a counter of the part workers"):
        Metrics("api").count("ticks_stored")


def test_two_services_do_not_mix() -> None:
    one, other = Metrics("workers"), Metrics("workers")
    one.count("ticks_stored", 5)
    assert (one.value("ticks_stored_total"), other.value("ticks_stored_total")) == (5, 0)


def test_microseconds_are_exact() -> None:
    assert clock.to_us(datetime(2026, 7, 1, 0, 0, 0, 123457, tzinfo=UTC)) == 1_782_864_000_123_457
    assert clock.now().tzinfo is UTC
