"""`/metrics` and `/healthz` of a part that serves nothing else, on a port of its own."""

import asyncio
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from pipeline.errors import DataProcessingError
from service.base import AsyncService
from service.metrics import CONTENT_TYPE

Reasons = Callable[[], tuple[str, ...]]
_JSON: Final = "application/json"
_HEALTH_S: Final = 5.0


class Exposition:
    """Answers in a thread of its own until it is closed."""

    def __init__(self, host: str, port: int, metrics: Callable[[], bytes], unready: Reasons) -> None:
        """`metrics` gives the text, `unready` the reasons against work. `DataProcessingError` for a taken port."""
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(metrics, unready))
        except OSError as error:
            message = (
                f"metrics cannot be shown at {host}:{port}: {error.strerror}. Set another DATA_PROC_METRICS_* port."
            )
            raise DataProcessingError(message, "settings") from None
        self._server.daemon_threads = True
        self.port: Final = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="exposition", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def exposed(service: AsyncService, port: int) -> Exposition | None:
    """A service's metrics and health; nothing for port 0. Call it in the service's loop."""
    if port == 0:
        return None
    loop = asyncio.get_running_loop()

    def unready() -> tuple[str, ...]:
        health = asyncio.run_coroutine_threadsafe(service.health(), loop).result(_HEALTH_S)
        return () if health.ready else health.reasons or ("it stops",)

    return Exposition(service.settings.metrics.host, port, service.metrics.exposition, unready)


def _handler(metrics: Callable[[], bytes], unready: Reasons) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE, metrics())
            elif self.path == "/healthz":
                reasons = unready()
                body = {"status": "unavailable" if reasons else "alive", "reasons": reasons}
                self._answer(503 if reasons else 200, _JSON, json.dumps(body).encode())
            else:
                self._answer(404, "text/plain", b"/metrics or /healthz\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that is called
            """A scrape every few seconds is no news."""

    return Handler
