"""HTTPS with the certificate that the settings name."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.service import http as served
from service.settings import load
from tests.api import fakes

_MAKE = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    name = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *_MAKE.split(), *name], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
async def port(reads: fakes.FakeReads, made: tuple[Path, Path]) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    names = ("DATA_PROC_API_TLS_CERTIFICATE", "DATA_PROC_API_TLS_KEY")
    given = {name: str(path) for name, path in zip(names, made, strict=True)} | {"DATA_PROC_API_PORT": str(number)}
    server = uvicorn.Server(served(create_app(fakes.state(reads)), load(given).api))
    serving = asyncio.ensure_future(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    yield number
    server.should_exit = True
    await serving


async def test_https_alone_is_spoken_and_browsers_are_told_to_stay(port: int, made: tuple[Path, Path]) -> None:
    trusted = ssl.create_default_context(cafile=str(made[0]))
    async with httpx.AsyncClient(verify=trusted) as client:
        answer = await client.get(f"https://127.0.0.1:{port}/healthz")
        assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await client.get(f"https://127.0.0.1:{port}/healthz")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"http://127.0.0.1:{port}/healthz")
