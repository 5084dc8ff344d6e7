"""A browser for all tests of the page, a server and a page of its own for each."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from socket import create_server
from typing import Final

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect
from starlette.types import ASGIApp

from tests.page.desk import Desk
from tests.page.fake_server import FakeServer

_FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_WAIT_MS: Final = 15_000


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """Chromium of the machine; GRIDTICK_CHROMIUM names another one."""
    path = os.environ.get("GRIDTICK_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no chromium: install it, or name one in GRIDTICK_CHROMIUM")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield running
        await running.close()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[str]:
    """Its address, while it is served on this machine."""
    listening = create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page]:
    expect.set_options(timeout=_WAIT_MS)
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    yield await context.new_page()
    await context.close()


@pytest.fixture
async def desk(page: Page, server: FakeServer) -> AsyncGenerator[Desk]:
    """The page over the fake; in the end nothing may have been complained of."""
    async with serving(server.app) as address:
        made = Desk(page, address)
        yield made
        made.require_quiet()
        await page.goto("about:blank")
