"""What is no HTTP is answered as a problem too, and not in uvicorn's plain words."""

from typing import Final
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problems import Problem, answer

_LINE: Final = b"HTTP/1.1 400 Bad Request\r\n"


class Protocol(HttpToolsProtocol):
    """uvicorn's own protocol, with our answer to what it cannot read."""

    def send_400_response(self, msg: str) -> None:
        """Answers and closes. No application sees such a request, so its id is made here."""
        request_id = uuid4().hex
        headers = {"X-Request-ID": request_id, "Connection": "close"}
        response = answer(Problem(400, "bad-request", msg, headers=headers), request_id)
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
        self.transport.write(_LINE + lines + b"\r\n" + bytes(response.body))
        self.transport.close()
