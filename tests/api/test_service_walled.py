"""The API as it runs with a user for reads in ClickHouse: what it answers behind the wall, and that it wants one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from db.clickhouse.client import connect
from db.clickhouse.migrate import ensure_database, migrate
from gridtick.client import Client
from local.stack import Stack
from service.settings import ClickHouse, Settings
from tests.api import running_api
from tests.db.clickhouse import walled

pytestmark = pytest.mark.stack
READ_URL = "DATA_PROC_CLICKHOUSE_READ_URL"
START = datetime(2026, 7, 1, 12, tzinfo=UTC)
TENANT, NAME = f"t-{uuid4().hex[:10]}", f"GAS_{uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def behind(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    folder = tmp_path_factory.mktemp("walled")
    with walled.serving(folder) as open_one:
        ensure_database(connect(open_one, database="default"), open_one.database)
        migrate(connect(open_one))
        for tenant in (TENANT, "another"):
            ticks = running_api.ticks(tenant, NAME, ["3.1", "3.3"], START)
            running_api.stored(replace(settings, clickhouse=open_one), ticks)
    with walled.serving(folder, walled.as_shipped) as closed:
        yield closed


def test_prices_come_through_the_wall(stack: Stack, settings: Settings, behind: ClickHouse) -> None:
    key = asyncio.run(running_api.access(settings, TENANT, (NAME, "henry_hub", "tick")))
    url = behind.read_url.get_secret_value()
    with running_api.serving(stack, DATA_PROC_CLICKHOUSE_READ_URL=url) as address, Client(address, key) as client:
        ticks = list(client.ticks(NAME, start=START))
        bars = list(client.bars(NAME, interval="1m", start=START))
        (latest,) = client.latest(
            NAME, as_of=START + timedelta(hours=1)
        )  # those of now are in Redis, if they came by Kafka
    assert [(row["tenant"], row["price"]) for row in ticks] == [(TENANT, Decimal("3.1")), (TENANT, Decimal("3.3"))]
    assert [(row["tenant"], row["count"]) for row in bars] == [(TENANT, 2)]
    assert latest["price"] == Decimal("3.3")


def test_a_user_for_reads_who_may_write_stops_the_start_with_a_sentence(stack: Stack) -> None:
    secrets = {"DATA_PROC_API_KEY_PEPPER": running_api.PEPPER, "DATA_PROC_API_CURSOR_SECRET": "a secret"}
    environ = {**os.environ, **stack.environ, **secrets, READ_URL: stack.environ["DATA_PROC_CLICKHOUSE_URL"]}
    command = [sys.executable, "-m", "api"]
    done = subprocess.run(
        command, cwd=running_api.ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert f"the user of {READ_URL} may write" in done.stderr
    assert "Traceback" not in done.stderr
