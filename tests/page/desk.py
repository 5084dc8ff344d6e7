"""What somebody at a desk does with the page, and sees of it."""

import re
from typing import Final

from playwright.async_api import ConsoleMessage, Locator, Page, Request, expect

from tests.page.fake_server import KEY

# The browser itself notes each answer that is no success, and each connection that breaks.
_ALLOWED: Final = re.compile(r"Failed to load resource|WebSocket connection to|net::ERR")


class Desk:
    """One page."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108  a builtin has no attributes

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _ALLOWED.search(message.text):
            self.complaints.append(message.text)

    def require_quiet(self) -> None:
        """No error, no warning, nothing that the content policy has refused."""
        assert self.complaints == []

    async def open(self, place: str = "") -> None:
        """Without a key."""
        await self.page.goto(f"{self.address}/{place}")

    async def enter(self, key: str = KEY, place: str = "") -> None:
        """With a key that is typed in."""
        await self.open(place)
        await self.give(key)
        await expect(self.page.locator("#key-dialog")).to_be_hidden()

    async def give(self, key: str) -> None:
        await self.page.locator("#key-open").click()
        await self.page.locator("#key-input").fill(key)
        await self.page.keyboard.press("Enter")

    def row(self, instrument: str) -> Locator:
        return self.page.locator(f'#rows tr[data-key^="{instrument}"]')

    async def sees(self, place: str, text: str | re.Pattern[str]) -> None:
        """Polls until the element shows that text."""
        await expect(self.page.locator(place)).to_contain_text(text)

    async def is_live(self) -> None:
        await self.sees("#feed", "Live")
