"""ClickHouse on this machine: the engine of `chdb` behind `local.clickhouse_server`."""

import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from local.paths import PROGRAM_ROOT, private_folder
from local.process import Program
from pipeline.errors import DataProcessingError


def program(data_dir: Path, port: int) -> Program:
    """The server on 127.0.0.1:`port`."""
    folder = private_folder(data_dir / "clickhouse")
    command = [sys.executable, "-m", "local.clickhouse_server", "--path", str(folder), "--port", str(port)]
    return Program(
        "clickhouse", command, PROGRAM_ROOT, data_dir / "logs" / "clickhouse.log",
        ready=lambda: answers(f"http://127.0.0.1:{port}"), ready_within=60, stop_within=20,
    )  # fmt: skip


def answers(url: str) -> bool:
    """Whether a ClickHouse answers there."""
    address = urlsplit(url)
    link = HTTPConnection(address.hostname or "127.0.0.1", address.port or 8123, timeout=5)
    try:
        link.request("GET", "/ping")
        return link.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        link.close()


def ensure_database(url: str, database: str) -> None:
    """Make the database of an embedded server if it is not there."""
    address = urlsplit(url)
    link = HTTPConnection(address.hostname or "127.0.0.1", address.port or 8123, timeout=30)
    try:
        link.request("POST", "/", f"CREATE DATABASE IF NOT EXISTS `{database}`")
        reply = link.getresponse()
        if reply.status != 200:
            raise DataProcessingError(f"ClickHouse refused its database: {reply.read(300)!r}", "local")
    finally:
        link.close()
