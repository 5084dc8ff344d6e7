"""The ClickHouse engine of the `chdb` package behind a bounded pool of connections."""

import queue
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import chdb

_CODE: Final = re.compile(rb"Code:\s*(\d+)")
_ERRORS: Final = (RuntimeError, UnicodeDecodeError, chdb.ChdbError)


class EngineError(Exception):
    """A refusal of the engine: `code` is ClickHouse's number, `text` its words (any bytes)."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text.decode(errors="backslashreplace"))
        found = _CODE.search(text)
        self.code = int(found[1]) if found else 1002
        self.text = text


def _refusal(error: Exception) -> EngineError:
    """The engine's text as it was; a text that is no UTF-8 arrives as the bytes that could not be decoded."""
    if isinstance(error, UnicodeDecodeError):
        return EngineError(error.object)
    return EngineError(str(error).encode())


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class EngineConnection:
    """One connection, used by one thread at a time. It keeps the settings of its last query, because most are equal."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: Any = chdb.connect(path)
        self._database = "default"
        self._settings: dict[str, str] = {}

    def prepare(self, database: str, settings: Mapping[str, str]) -> None:
        """Make the session exactly so: this database, these settings, every other one at its default."""
        if database != self._database:
            self._run(f"USE `{database.replace('`', '')}`")
            self._database = database
        if settings != self._settings:
            self._set(settings)

    def _set(self, settings: Mapping[str, str]) -> None:
        changes = [f"{k} = {_quoted(v)}" for k, v in settings.items() if self._settings.get(k) != v]
        changes += [f"{name} = DEFAULT" for name in self._settings.keys() - settings.keys()]
        try:
            self._run("SET " + ", ".join(changes))
            self._settings = dict(settings)
        except EngineError:
            self._renew()
            raise

    def _renew(self) -> None:
        """After a refused setting nobody knows which ones hold: begin with a fresh session."""
        old, self._connection = self._connection, chdb.connect(self._path)
        old.close()
        self._database, self._settings = "default", {}

    def select(self, sql: str, default_format: str, parameters: Mapping[str, str]) -> Any:
        """Run any statement but an insert with data. Returns the engine's result (`get_memview()`, `rows_read()`)."""
        return self._run(sql, default_format, parameters)

    def insert(self, head: str, data_format: str, chunks: Iterable[bytes]) -> int:
        """Feed `INSERT INTO …` with the bytes as they come; returns the rows written. Nothing is kept of a cut-off body
        beyond the blocks that the engine had already written."""
        try:
            with self._connection.send_insert(head, data_format) as stream:
                for chunk in chunks:
                    stream.append(chunk)
                return stream.finish().rows_written
        except _ERRORS as error:
            raise _refusal(error) from None

    def close(self) -> None:
        self._connection.close()

    def _run(self, sql: str, default_format: str = "TabSeparated", parameters: Mapping[str, str] | None = None) -> Any:
        try:
            return self._connection.query(sql, default_format, params=dict(parameters or {}))
        except _ERRORS as error:
            raise _refusal(error) from None


class EnginePool:
    """At most `size` connections side by side; the one used last is used first."""

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._idle: queue.LifoQueue[EngineConnection | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)
        self._opened: list[EngineConnection] = []
        self._opening = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[EngineConnection]:
        """A connection for one statement; waits while all are busy."""
        held = self._idle.get()
        try:
            if held is None:
                held = self._open()
            yield held
        finally:
            self._idle.put(held)

    def _open(self) -> EngineConnection:
        with self._opening:
            opened = EngineConnection(self._path)
            self._opened.append(opened)
            return opened

    def close(self) -> None:
        """Close every connection; the engine stops with the last one."""
        for opened in self._opened:
            opened.close()
