"""HTTP as uvicorn speaks it, but that what is none is answered as a problem, and who reads no answer is let go."""

import asyncio
import fcntl
import math
import termios
from array import array
from asyncio import Transport
from typing import Final
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problems import Problem, answer

STALL_S: Final = 60.0  # in which something of what waits has to be read
_LINE: Final = b"HTTP/1.1 400 Bad Request\r\n"


def unread(transport: Transport) -> int:
    """Bytes that wait here, and those that the system has taken and the other side has not."""
    taken = array("i", [0])
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, taken)
    return transport.get_write_buffer_size() + taken[0]


class Protocol(HttpToolsProtocol):
    """A connection."""

    _look: asyncio.TimerHandle | None = None

    def send_400_response(self, msg: str) -> None:
        """Answers and closes. No application sees such a request, so its id is made here."""
        request_id = uuid4().hex
        headers = {"X-Request-ID": request_id, "Connection": "close"}
        response = answer(Problem(400, "bad-request", msg, headers=headers), request_id)
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
        self.transport.write(_LINE + lines + b"\r\n" + bytes(response.body))
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._require_progress(math.inf)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def handle_websocket_upgrade(self) -> None:
        """From now on writing is another protocol's."""
        self._forget()
        super().handle_websocket_upgrade()

    def _require_progress(self, before: float) -> None:
        """To close alone would wait for ever behind what is not read."""
        left = unread(self.transport)
        if left >= before:
            self.transport.abort()
        else:
            self._look = asyncio.get_running_loop().call_later(STALL_S, lambda: self._require_progress(left))

    def _forget(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
