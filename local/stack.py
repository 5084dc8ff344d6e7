"""The four servers of one data folder: started, connected to what the user has already, stopped.

`with servers(Path("data")) as stack:` gives tests and tools real servers; `stack.environ` holds the
DATA_PROC_* variables that reach them. A server whose address is set in the environment is used as it is.
"""

import os
import shutil
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local import clickhouse, kafka, kafka_jars, ports, postgres, redis, starting, state
from local.paths import private_folder, secret, write_secret
from local.process import Program
from local.supervisor import Say, Supervisor
from pipeline.errors import DataProcessingError
from service.settings import PREFIX, load

KAFKA: Final = "DATA_PROC_KAFKA_BOOTSTRAP"
CLICKHOUSE: Final = "DATA_PROC_CLICKHOUSE_URL"
POSTGRES: Final = "DATA_PROC_POSTGRES_DSN"
REDIS: Final = "DATA_PROC_REDIS_URL"
BROKER: Final = "DATA_PROC_CELERY_BROKER_URL"
PEPPER: Final = "DATA_PROC_API_KEY_PEPPER"
PEPPER_BEFORE: Final = "DATA_PROC_API_KEY_PEPPER_BEFORE"
CURSOR: Final = "DATA_PROC_API_CURSOR_SECRET"
AUDIT: Final = "DATA_PROC_API_AUDIT_SECRET"
API_HOST: Final = "DATA_PROC_API_HOST"
API_PORT: Final = "DATA_PROC_API_PORT"
FLOWER_PORT: Final = "DATA_PROC_FLOWER_PORT"
BRIDGE_METRICS: Final = "DATA_PROC_METRICS_BRIDGE_PORT"
PARTITIONS: Final = "DATA_PROC_KAFKA_PARTITIONS"
WORKERS_METRICS: Final = "DATA_PROC_METRICS_WORKERS_PORT"
# How to tell that a server of that address can be used.
ANSWERING: Final = {
    KAFKA: kafka.answers, CLICKHOUSE: clickhouse.answers, POSTGRES: postgres.answers, REDIS: redis.answers,
}  # fmt: skip
_SERVER_PORTS: Final = ("kafka", "kafka_controller", "clickhouse", "postgres", "redis")
_ROOM: Final = 2 * 1024**3
_LEAST_ROOM: Final = 64 * 1024**2  # a server that died of a full disk would die again


@dataclass(frozen=True, slots=True)
class Stack:
    """Running servers: how to reach them, and who watches them."""

    data_dir: Path
    environ: Mapping[str, str]
    secret_files: Mapping[str, Path]
    supervisor: Supervisor

    def publish(self, ready: bool = True) -> None:  # noqa: FBT001
        """Write `<data_dir>/stack.json` as things are now; secrets only by their paths."""
        plain = {name: value for name, value in self.environ.items() if name not in self.secret_files}
        files = {name: str(path) for name, path in self.secret_files.items()}
        pids, restarts = self.supervisor.pids(), self.supervisor.restarts()
        state.write(state.StackState(os.getpid(), str(self.data_dir), ready, plain, files, pids, restarts))


@contextmanager
def servers(data_dir: Path, environ: Mapping[str, str] | None = None, say: Say = lambda _: None) -> Generator[Stack]:
    """Kafka, ClickHouse, PostgreSQL and Redis, ready to use, with Gridtick's topics and empty databases.

    Call it from the main thread. Raises `DataProcessingError` with a sentence on how to mend it.
    """
    given = {k: v for k, v in (os.environ if environ is None else environ).items() if k.startswith(PREFIX)}
    folder = _prepared(data_dir)
    given["DATA_PROC_DATA_DIR"] = str(folder)
    load(given)  # a wrong setting must stop the start before anything runs
    supervisor = Supervisor(say, room=lambda: shutil.disk_usage(folder).free > _LEAST_ROOM)
    with state.DataDirLock(folder):
        state.clear(folder)
        try:
            stack = _started(folder, given, supervisor, say)
            stack.publish(ready=False)
            yield stack
        finally:
            supervisor.stop()
            state.clear(folder)


def _prepared(data_dir: Path) -> Path:
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        private_folder(folder / "logs")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise DataProcessingError(
            f"{folder} cannot be used: {error.strerror}. Choose another --data-dir.", "local"
        ) from None
    if free < _ROOM:
        raise DataProcessingError(
            f"The disk of {folder} has {free // 1024**2} MiB left and 2048 are needed. "
            "Free some, or choose another --data-dir.",
            "local",
        )
    return folder


def _started(folder: Path, given: dict[str, str], supervisor: Supervisor, say: Say) -> Stack:
    if KAFKA not in given and not kafka_jars.present():
        say("fetching Kafka (43 MB, once)")
    chosen = starting.start(
        supervisor,
        lambda: ports.choose(folder, dict.fromkeys(_SERVER_PORTS)),
        lambda chosen: _programs(folder, given, chosen),
        say,
    )
    stack = _connected(folder, given, chosen, supervisor)
    _furnish(stack, given)
    return stack


def _programs(folder: Path, given: Mapping[str, str], chosen: Mapping[str, int]) -> list[Program]:
    """The servers that the user does not have."""
    settings = load(given).kafka
    makers = {
        KAFKA: lambda: kafka.program(folder, chosen["kafka"], chosen["kafka_controller"], settings),
        CLICKHOUSE: lambda: clickhouse.program(folder, chosen["clickhouse"]),
        POSTGRES: lambda: postgres.program(folder, chosen["postgres"]),
        REDIS: lambda: redis.program(folder, chosen["redis"]),
    }
    with ThreadPoolExecutor() as together:  # the first start makes a cluster and formats a log: side by side
        making = [together.submit(make) for name, make in makers.items() if name not in given]
        return [made.result() for made in making]


def _connected(folder: Path, given: Mapping[str, str], chosen: Mapping[str, int], supervisor: Supervisor) -> Stack:
    redis_url = given.get(REDIS) or redis.url(folder, chosen["redis"])
    own = {
        KAFKA: f"127.0.0.1:{chosen['kafka']}",
        CLICKHOUSE: clickhouse.url(folder, chosen["clickhouse"]),
        POSTGRES: postgres.dsn(folder, chosen["postgres"]),
        REDIS: redis_url,
        BROKER: redis_url.rpartition("/")[0] + "/1" if redis_url.count("/") > 2 else redis_url + "/1",
        PEPPER: secret(folder, PEPPER),
        CURSOR: secret(folder, CURSOR),
        AUDIT: secret(folder, AUDIT),
    }
    if KAFKA not in given:
        own[PARTITIONS] = "1"  # one bridge reads them: what comes at once is one batch, and not one for each
    hidden = {CLICKHOUSE, POSTGRES, REDIS, BROKER, PEPPER, CURSOR, AUDIT}
    environ = {**own, **given}
    if PEPPER_BEFORE in given:  # while the pepper is being replaced
        hidden.add(PEPPER_BEFORE)
    files = {name: folder / "secrets" / name for name in hidden}
    for name, path in files.items():
        write_secret(path, environ[name])
    return Stack(folder, environ, files, supervisor)


def _furnish(stack: Stack, given: Mapping[str, str]) -> None:
    """Make topics and databases, and see that the user's own servers answer."""
    for name, answers in ANSWERING.items():
        if name in given and not answers(given[name]):
            raise DataProcessingError(f"Nothing usable answers at {name}. Start that server, or unset {name}.", "local")
    settings = load(stack.environ)
    kafka.ensure_topics(settings.kafka.bootstrap, settings.kafka)
    if POSTGRES not in given:
        postgres.ensure_database(stack.environ[POSTGRES])
    if CLICKHOUSE not in given:
        clickhouse.ensure_database(stack.environ[CLICKHOUSE], settings.clickhouse.database)
