"""One client of the test run's ClickHouse."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse.client import connect
from service.settings import Settings


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[Client]:
    with_schema = connect(settings.clickhouse)
    yield with_schema
    with_schema.close()
