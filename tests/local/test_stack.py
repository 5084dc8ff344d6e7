"""The four servers, really started."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
import redis as redis_client
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
)

from local import ports, postgres, redis, state
from local.stack import ANSWERING, PEPPER_BEFORE, Stack, servers
from local.state import DataDirLock
from pipeline.errors import DataProcessingError
from service.settings import load
from tests.local.test_process import gone
from tests.polling import until


def _never(_: str) -> bool:
    return False


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with servers(tmp_path_factory.mktemp("da ta") / "of it", environ={PEPPER_BEFORE: "an old pepper"}) as running:
        yield running


def test_a_wrong_setting_starts_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(DataProcessingError, match="DATA_PROC_KAFKA_BOOTSTRAP"),
        servers(tmp_path, {"DATA_PROC_KAFKA_BOTSTRAP": "x"}),
    ):
        pass
    assert not (tmp_path / "postgres").exists()


def test_a_full_disk_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.stack._ROOM", 2**62)
    with pytest.raises(DataProcessingError, match=r"disk of .* MiB left"), servers(tmp_path, {}):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataProcessingError, match="Choose another --data-dir"), servers(tmp_path / "file" / "d", {}):
        pass


def test_the_users_own_server_must_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("KAFKA_BOOTSTRAP", "CLICKHOUSE_URL", "POSTGRES_DSN", "REDIS_URL")
    absent = ["127.0.0.1:1", "http://127.0.0.1:1", "postgresql://x@127.0.0.1:1/x", "redis://127.0.0.1:1/0"]
    given = {f"DATA_PROC_{name}": address for name, address in zip(names, absent, strict=True)}
    monkeypatch.setitem(ANSWERING, "DATA_PROC_KAFKA_BOOTSTRAP", _never)
    with pytest.raises(DataProcessingError, match="Nothing usable answers at DATA_PROC_"), servers(tmp_path, given):
        pass


@pytest.mark.stack
def test_topics_are_as_the_bridge_needs_them(stack: Stack) -> None:
    settings = load(stack.environ).kafka
    admin = AdminClient({"bootstrap.servers": settings.bootstrap})
    topics = admin.list_topics(timeout=10).topics
    assert len(topics[settings.raw_topic].partitions) == settings.partitions
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in (settings.raw_topic, settings.deadletter_topic)]
    raw, dead = (answer.result(10) for answer in admin.describe_configs(resources).values())
    assert raw["message.timestamp.type"].value == "LogAppendTime"
    assert int(raw["max.message.bytes"].value) == settings.message_max_bytes < int(dead["max.message.bytes"].value)


@pytest.mark.stack
def test_redis_refuses_rather_than_forgets(stack: Stack) -> None:
    client: Any = redis_client.Redis.from_url(stack.environ["DATA_PROC_REDIS_URL"])
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("bind")["bind"] == "127.0.0.1"
    client.close()


@pytest.mark.stack
def test_postgres_asks_for_its_password(stack: Stack) -> None:
    address = stack.environ["DATA_PROC_POSTGRES_DSN"]
    password = address.split(":")[2].split("@")[0]
    assert postgres.answers(address)
    assert not postgres.answers(address.replace(password, "wrong"))
    assert asyncio.run(_value(address, "SHOW listen_addresses")) == "127.0.0.1"


async def _value(address: str, sql: str) -> Any:
    link: Any = await asyncpg.connect(address)
    try:
        return await link.fetchval(sql)
    finally:
        await link.close()


@pytest.mark.stack
def test_redis_asks_for_its_password_and_nobody_sees_it(stack: Stack) -> None:
    address = stack.environ["DATA_PROC_REDIS_URL"]
    password = address.split(":")[2].split("@")[0]
    assert redis.answers(address)
    assert redis.answers(stack.environ["DATA_PROC_CELERY_BROKER_URL"])
    assert not redis.answers(address.replace(password, "wrong"))
    assert not redis.answers(address.replace(f":{password}@", ""))
    line = psutil.Process(stack.supervisor.pids()["redis"]).cmdline()
    assert not any(password in word for word in line)


@pytest.mark.stack
def test_what_holds_data_is_open_to_its_owner_only(stack: Stack) -> None:
    for name in ("clickhouse", "kafka", "redis", "secrets", "logs", "postgres/cluster"):
        assert (stack.data_dir / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.stack
def test_two_stacks_at_the_same_ports_both_run(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = json.loads((stack.data_dir / "ports.json").read_text())
    chosen = [{name: first[name] for name in ("kafka", "kafka_controller", "clickhouse", "postgres", "redis")}]
    choose = ports.choose

    def offered(data_dir: Path, wanted: Mapping[str, int | None]) -> dict[str, int]:
        return chosen.pop() if chosen else choose(data_dir, wanted)

    monkeypatch.setattr(ports, "choose", offered)
    said: list[str] = []
    with servers(tmp_path, {}, said.append) as second:
        assert any("starting again at other ports" in line for line in said)
        assert not set(stack.environ.values()) & {second.environ[name] for name in ANSWERING}
        assert all(answers(second.environ[name]) for name, answers in ANSWERING.items())


@pytest.mark.stack
def test_no_secret_is_readable_by_others(stack: Stack) -> None:
    stack.publish()
    shown = (stack.data_dir / "stack.json").read_text()
    for each in (
        "CLICKHOUSE_URL",
        "POSTGRES_DSN",
        "REDIS_URL",
        "CELERY_BROKER_URL",
        "API_KEY_PEPPER",
        "API_KEY_PEPPER_BEFORE",
        "API_CURSOR_SECRET",
        "API_AUDIT_SECRET",
    ):
        name = f"DATA_PROC_{each}"
        assert stack.environ[name] not in shown
        assert stack.secret_files[name].stat().st_mode & 0o077 == 0
    running = state.read(stack.data_dir)
    assert running is not None
    assert running.variables() == dict(stack.environ)


@pytest.mark.stack
def test_a_second_stack_on_the_folder_is_refused_and_the_first_lives_on(stack: Stack) -> None:
    with pytest.raises(DataProcessingError, match="Another stack runs"), servers(stack.data_dir, {}):
        pass
    assert redis.answers(stack.environ["DATA_PROC_REDIS_URL"])
    assert state.read(stack.data_dir) is not None


@pytest.mark.stack
def test_servers_that_the_user_has_are_used(stack: Stack, tmp_path: Path) -> None:
    names = ("KAFKA_BOOTSTRAP", "CLICKHOUSE_URL", "POSTGRES_DSN", "REDIS_URL")
    given = {f"DATA_PROC_{name}": stack.environ[f"DATA_PROC_{name}"] for name in names}
    with servers(tmp_path, given) as second:
        assert second.supervisor.pids() == {}
        assert second.environ["DATA_PROC_KAFKA_BOOTSTRAP"] == given["DATA_PROC_KAFKA_BOOTSTRAP"]
        assert second.environ["DATA_PROC_CELERY_BROKER_URL"] == given["DATA_PROC_REDIS_URL"].removesuffix("/0") + "/1"
    assert redis.answers(given["DATA_PROC_REDIS_URL"])


@pytest.mark.stack
def test_data_and_addresses_stay_and_a_killed_stack_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATA_PROC_")}
    run = [sys.executable, "-m", "local", "servers", "--data-dir", str(folder)]
    seen = [_once(run, environ, folder, ending) for ending in (signal.SIGKILL, signal.SIGINT)]
    assert seen[0] == seen[1]
    assert json.loads((folder / "ports.json").read_text()).keys() >= {"kafka", "redis"}
    assert all(ports.is_free(port) for port in json.loads((folder / "ports.json").read_text()).values())


def _once(run: list[str], environ: dict[str, str], folder: Path, ending: signal.Signals) -> dict[str, str]:
    """Start, leave something in the database, end by the signal; the variables that the stack gave."""
    parent = subprocess.Popen(run, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: bool((found := state.read(folder)) and found.ready), 90)
        running = state.read(folder)
        assert running is not None
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 4
        variables = running.variables()
        made = "CREATE TABLE kept (a int)" if ending == signal.SIGKILL else "SELECT * FROM kept"
        asyncio.run(_value(variables["DATA_PROC_POSTGRES_DSN"], made))
        parent.send_signal(ending)
        parent.wait(30)
    finally:
        parent.kill()
        parent.wait(10)
    until(lambda: all(gone(process.pid) for process in family), 30)
    assert not DataDirLock(folder).is_held()
    return variables
