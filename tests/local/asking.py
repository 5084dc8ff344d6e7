"""Plain requests to the stand-in for ClickHouse."""

import http.client
from base64 import b64encode
from urllib.parse import urlsplit


def link(url: str) -> http.client.HTTPConnection:
    """A connection of its own to the server of that address."""
    return http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=20)


def login(url: str) -> str:
    """The `Authorization` of that address."""
    return "Basic " + b64encode(url.split("//")[1].split("@", maxsplit=1)[0].encode()).decode()


def raw(url: str, path: str, body: bytes, method: str = "POST", **headers: str) -> tuple[int, bytes]:
    """(status, body) of one request; a header given by name replaces the login of the address."""
    asking = link(url)
    given = {"Authorization": login(url), **{name.replace("_", "-"): value for name, value in headers.items()}}
    asking.request(method, path, body, given)
    reply = asking.getresponse()
    answer = reply.status, reply.read()
    asking.close()
    return answer
