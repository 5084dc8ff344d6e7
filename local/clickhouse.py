"""ClickHouse on this machine: the engine of `chdb` behind `local.clickhouse_server`."""

import sys
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from local.clickhouse_access import PASSWORD, USER
from local.paths import PROGRAM_ROOT, private_folder, secret
from local.process import Program
from pipeline.errors import DataProcessingError

_SECRET: Final = "clickhouse-password"  # noqa: S105  the name of a file
_SHOWN: Final = 300


def url(data_dir: Path, port: int) -> str:
    """The address with its password."""
    return f"http://{USER}:{quote(secret(data_dir, _SECRET), safe='')}@127.0.0.1:{port}"


def program(data_dir: Path, port: int) -> Program:
    """The server on 127.0.0.1:`port`."""
    folder = private_folder(data_dir / "clickhouse")
    command = [sys.executable, "-m", "local.clickhouse_server", "--path", str(folder), "--port", str(port)]
    return Program(
        "clickhouse", command, PROGRAM_ROOT, data_dir / "logs" / "clickhouse.log",
        ready=lambda: answers(url(data_dir, port)), ready_within=60, stop_within=20, ports=(port,),
        environ={PASSWORD: secret(data_dir, _SECRET)},
    )  # fmt: skip


def answers(address: str) -> bool:
    """Whether a ClickHouse lets us in there."""
    try:
        return _asked(address, "SELECT 1", 5)[0] == 200
    except (OSError, HTTPException):
        return False


def ensure_database(address: str, database: str) -> None:
    """Make the database of an embedded server if it is not there."""
    status, said = _asked(address, f"CREATE DATABASE IF NOT EXISTS `{database}`", 30)
    if status != 200:
        raise DataProcessingError(f"ClickHouse refused its database: {said!r}", "local")


def _asked(address: str, sql: str, within: float) -> tuple[int, bytes]:
    """(HTTP's status, the beginning of the answer)."""
    parts = urlsplit(address)
    secure = parts.scheme == "https"
    kind = HTTPSConnection if secure else HTTPConnection
    login = f"{unquote(parts.username or 'default')}:{unquote(parts.password or '')}"
    link = kind(parts.hostname or "127.0.0.1", parts.port or (8443 if secure else 8123), timeout=within)
    try:
        link.request("POST", "/", sql, {"Authorization": "Basic " + b64encode(login.encode()).decode()})
        reply = link.getresponse()
        return reply.status, reply.read(_SHOWN)
    finally:
        link.close()
