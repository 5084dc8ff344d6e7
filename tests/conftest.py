"""Shared by all tests: real servers for those that ask (mark `stack`), a closed door for those that do not."""

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from db.migrate import migrate
from local.stack import PARTITIONS, Stack, servers
from service.settings import PREFIX, Settings, load

# `make check` looks at a few examples of each property, `make test` at many.
for _profile, _examples in (("quick", 20), ("thorough", 60)):
    hypothesis_settings.register_profile(
        _profile,
        max_examples=_examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


class Systems(LoadFileScheduling):
    """The tests of a file run in one process; those of the whole system of a folder, which share one, too."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        folder = file.rpartition("/")[0]
        return folder if folder.startswith("tests/e2e/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Systems:
    return Systems(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: the tests of whole systems."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


@pytest.fixture(autouse=True)
def _doors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that opens a network connection fails there, so that it cannot lean on a server by accident."""
    if any(request.node.get_closest_marker(mark) for mark in ("stack", "e2e")):
        return
    real = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX:
            return real(self, address)
        raise AssertionError(f"a unit test connects to {address}: mark it `stack`, or give it a fake")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka, ClickHouse, PostgreSQL and Redis for the whole test run, with both schemas in place."""
    given = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    given.setdefault(PARTITIONS, "4")
    with servers(tmp_path_factory.mktemp("stack"), environ=given) as running:
        asyncio.run(migrate(load(running.environ)))
        yield running


@pytest.fixture(scope="session")
def settings(stack: Stack) -> Settings:
    """The settings that reach the servers of this test run."""
    return load({**stack.environ, "DATA_PROC_ENV": "test"})
