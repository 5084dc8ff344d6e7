"""WebSockets as uvicorn serves them, with a way to write frames that are framed already, and to see who is slow."""

import asyncio
import logging
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any, Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.live.frames import Frame

EXTENSION: Final = "gridtick.wire"
MESSAGE_BYTES: Final = 64 * 1024  # of a client
_BUFFER: Final = 64 * 1024  # bytes that the system does not take: beyond it a client is slow
_CLOSING_S: Final = 8.0  # for who is sent away to read why
_BROKEN_S: Final = 0.25  # the same for who broke the protocol, whose closing is not heard any more


class Wire(WebSocketsSansIOProtocol):
    """A connection. Frames of ours and those of the protocol (pings, closing) are written whole."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.logger = logging.getLogger(__name__)  # uvicorn's would write addresses, and with them tickets
        self.logger.setLevel(logging.WARNING)
        self.conn.logger = self.logger
        self.resumed: Callable[[], None] = lambda: None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(_BUFFER)

    async def run_asgi(self) -> None:
        self.scope.setdefault("extensions", {})[EXTENSION] = {"wire": self}  # pyright: ignore[reportOptionalSubscript]
        await super().run_asgi()

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # refused: uvicorn would take it for a mistake of ours

    def send_receive_event_to_app(self) -> None:
        """Text that is none ends the connection: uvicorn would log it as a mistake of ours."""
        self.frames = [b"".join(self.frames)]
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_text(self.frames[0]):
            self.conn.send_close(1007)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Who breaks the protocol is told why, and what is still on its way is let go: to close at once would break the
        connection before the reason arrives."""
        if self.close_sent:
            return
        closing = self.conn.close_sent
        assert closing is not None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closing.code, "reason": closing.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._close_in(_BROKEN_S)

    def keepalive_timeout(self) -> None:
        """Who answers no ping may read nothing either: its closing would wait for ever behind what was written."""
        self.send_away(1011, "No answer to pings.")

    def resume_writing(self) -> None:
        super().resume_writing()
        self.resumed()

    @property
    def ready(self) -> bool:
        """Whether what is written leaves at once."""
        return self.writable.is_set() and self.is_open

    @property
    def is_open(self) -> bool:
        return not (self.close_sent or self.disconnected or self.transport.is_closing())

    def write(self, frame: Frame) -> None:
        if self.is_open:
            self.transport.write(frame.framed)

    async def room(self) -> None:
        """Returns once what is written leaves at once, or nobody is there any more."""
        await self.writable.wait()

    def send_away(self, code: int, reason: str) -> None:
        """Closes, without waiting for who does not read."""
        if not self.is_open:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._close_in(_CLOSING_S)

    def _close_in(self, seconds: float) -> None:
        self.close_sent = True
        if self.read_paused:  # the other side's closing is to be heard
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = asyncio.get_running_loop().call_later(seconds, self.transport.abort)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
