"""ClickHouse's HTTP protocol, as far as clickhouse-connect speaks it, in front of the engine of `chdb`.

A stand-in for one machine: one user, no sessions, results held whole in memory. Inserts go
by way of a file, so their memory does not grow with the body. It listens on 127.0.0.1 only and asks for the
password that it was given:

    GRIDTICK_CLICKHOUSE_PASSWORD=… python -m local.clickhouse_server --path DIR --port N
"""

import argparse
import email
import json
import os
import re
import signal
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import lz4.frame

from local.clickhouse_access import PASSWORD, Access, Refusal
from local.clickhouse_engine import EngineError, EnginePool
from service import zstd

CONNECTIONS: Final = 16
PIECE: Final = 1024 * 1024
HEAD_LIMIT: Final = 256 * 1024
IDLE_SECONDS: Final = 3600
STOP_SECONDS: Final = 15.0

# What belongs to HTTP and not to the engine's settings.
_TRANSPORT: Final = frozenset(
    {
        "query",
        "database",
        "default_format",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "wait_end_of_query",
        "compress",
        "decompress",
        "buffer_size",
        "enable_http_compression",
        "stacktrace",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "client_protocol_version",
        "cancel_http_readonly_queries_on_client_close",
        "user",
        "password",
        "role",
        "quota_key",
    }
)  # fmt: skip
_INSERT: Final = re.compile(rb"\s*(INSERT\s+INTO\s.*?)\s+FORMAT\s+(\w+)[ \t]*;?\r?\n", re.IGNORECASE | re.DOTALL)
_NO_DATA: Final = re.compile(rb"\b(?:SELECT\b|VALUES\s*\(|INFILE\b)", re.IGNORECASE)
_FORMAT: Final = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_NOT_FOUND: Final = frozenset({46, 60, 81})  # unknown function, table, database: ClickHouse answers 404


def _decompress(encoding: str) -> Callable[[bytes], bytes]:
    if encoding in ("", "identity"):
        return bytes
    makers: dict[str, Callable[[], Any]] = {
        "lz4": lz4.frame.LZ4FrameDecompressor,
        "zstd": zstd.ZstdDecompressor,
        "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
        "deflate": zlib.decompressobj,
    }
    if encoding not in makers:
        raise EngineError(f"Code: 48. Content-Encoding {encoding} is not read here. (NOT_IMPLEMENTED)".encode())
    return makers[encoding]().decompress


@dataclass(frozen=True, slots=True)
class _Request:
    """The parts of one request: `arguments` from the address (and form), `body` still to be read."""

    arguments: dict[str, str]
    body: Iterator[bytes]

    @property
    def settings(self) -> dict[str, str]:
        return {k: v for k, v in self.arguments.items() if k not in _TRANSPORT and not k.startswith("param_")}

    @property
    def parameters(self) -> dict[str, str]:
        return {k.removeprefix("param_"): v for k, v in self.arguments.items() if k.startswith("param_")}

    def statement(self) -> tuple[bytes, Iterator[bytes]]:
        """(the beginning of the statement, what follows). An insert's data stay unread in the second part."""
        head = self.arguments.get("query", "").encode()
        if head:
            head += b"\n"
        for piece in self.body:
            head += piece
            if _INSERT.match(head) or (len(head) >= HEAD_LIMIT and head[:64].lstrip()[:6].upper() == b"INSERT"):
                break
        return head, self.body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    rbufsize = PIECE
    server: "ClickHouseServer"  # pyright: ignore[reportIncompatibleVariableOverride]  set by the base class

    def parse_request(self) -> bool:
        """Of a request that may not be here the body is not read and nothing runs."""
        if not super().parse_request():
            return False
        is_open = self.command == "GET" and self.path == "/ping"
        refusal = self.server.access.refusal(self.headers, is_open)
        if refusal is not None:
            self._turn_away(refusal)
        return refusal is None

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/ping" or not address.query:
            self._reply(200, b"Ok.\n", {})
        else:
            self._answer(address.query)

    def do_POST(self) -> None:
        self._answer(urlsplit(self.path).query)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Requests are not logged: they hold data."""

    def _turn_away(self, refusal: Refusal) -> None:
        self.close_connection = True  # its body would be taken for the next request
        headers = {"X-ClickHouse-Exception-Code": str(refusal.code), "Connection": "close"}
        self._reply(refusal.status, refusal.text + b"\n", headers)

    def _answer(self, query_string: str) -> None:
        raw = self._raw_body()
        try:
            self._run(self._request(query_string, raw))
        except EngineError as error:
            self._refuse(error, raw)
        except (ValueError, RuntimeError, zlib.error, zstd.ZstdError) as error:
            self._refuse(EngineError(f"Code: 33. The request cannot be read: {error}".encode()), raw)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _refuse(self, error: EngineError, unread: Iterator[bytes]) -> None:
        for _ in unread:  # what the client still sends must be read before the next request
            pass
        status = 404 if error.code in _NOT_FOUND else 500 if error.code >= 1000 else 400
        self._reply(status, error.text + b"\n", {"X-ClickHouse-Exception-Code": str(error.code)})

    def _request(self, query_string: str, raw: Iterator[bytes]) -> _Request:
        arguments = dict(parse_qsl(query_string, keep_blank_values=True))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            arguments |= _form(kind, b"".join(raw))
        decompress = _decompress(self.headers.get("Content-Encoding", ""))
        return _Request(arguments, (decompress(piece) for piece in raw))

    def _run(self, request: _Request) -> None:
        began = time.monotonic_ns()
        head, rest = request.statement()
        with self.server.pool.connection() as connection:
            connection.prepare(request.arguments.get("database", "default"), request.settings)
            insert = _INSERT.match(head)
            if insert and not _NO_DATA.search(insert[1]):
                chunks = _chain(head[insert.end() :], rest)
                result = connection.insert(insert[1].decode(), insert[2].decode(), chunks)
                body, counts, shown = b"", {"written_rows": str(result.rows_written())}, "TabSeparated"
            else:
                sql = head + b"".join(rest)
                wanted = request.arguments.get("default_format", "TabSeparated")
                result = connection.select(sql, wanted, request.parameters)
                named = _FORMAT.search(sql)
                body, shown = result.get_memview().view(), named[1].decode() if named else wanted
                counts = {"read_rows": str(result.rows_read()), "read_bytes": str(result.bytes_read())}
            summary = json.dumps({**counts, "elapsed_ns": str(time.monotonic_ns() - began)})
            # The result's memory is the engine's: it is sent before the connection is given back.
            self._reply(200, body, {
                "X-ClickHouse-Summary": summary, "X-ClickHouse-Format": shown, "X-ClickHouse-Timezone": "UTC",
                "X-ClickHouse-Query-Id": request.arguments.get("query_id", ""),
            })  # fmt: skip

    def _raw_body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                yield self._exactly(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self._exactly(min(left, PIECE))
            left -= len(piece)
            yield piece

    def _exactly(self, size: int) -> bytes:
        piece = self.rfile.read(size)
        if len(piece) < size:
            raise ConnectionError("the client closed before its body ended")
        return piece

    def _reply(self, status: int, body: "bytes | memoryview", headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain; charset=UTF-8" if status != 200 else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _form(content_type: str, body: bytes) -> dict[str, str]:
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts: Any = message.get_payload()
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True).decode()
        for part in parts
    }


class ClickHouseServer(ThreadingHTTPServer):
    """The server of one data folder. `serve_forever()` answers until `shutdown()`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, path: str, access: Access) -> None:
        self.access: Final = access
        self.pool = EnginePool(path, CONNECTIONS)
        with self.pool.connection() as connection:
            connection.select(b"SELECT 1", "TabSeparated", {})
        super().__init__(("127.0.0.1", port), _Handler)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = argparse.ArgumentParser(prog="local.clickhouse_server")
    options.add_argument("--path", required=True)
    options.add_argument("--port", required=True, type=int)
    given = options.parse_args()
    password = os.environ.pop(PASSWORD, "")
    if not password:
        sys.exit(f"{PASSWORD} is empty. Set it to a long random text: whoever knows it may ask this server.")
    # The engine reads a `?` in its path as options: a relative path has none.
    os.makedirs(given.path, mode=0o700, exist_ok=True)
    os.chdir(given.path)
    server = ClickHouseServer(given.port, "./store", Access(password))
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        server.pool.close(STOP_SECONDS)


if __name__ == "__main__":
    main()
