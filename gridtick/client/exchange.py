"""A request and its answer, without the sending: both clients drive the same steps."""

import json
from collections.abc import Generator, Mapping
from decimal import Decimal
from itertools import count
from typing import Any, TypeAlias, cast

import httpx

from gridtick.client.asked import Ask
from gridtick.client.errors import OF_STATUS, ApiError, GridtickError, Unreachable
from gridtick.client.keys import Secret
from gridtick.client.retrying import Retries, seconds
from gridtick.client.warned import Warned

# A request is to be sent, or so many seconds to be waited; at the end there is an answer.
Steps: TypeAlias = Generator[httpx.Request | float, httpx.Response | None, httpx.Response]
Http: TypeAlias = httpx.Client | httpx.AsyncClient


class Exchange:
    """What is the same of every request to an address."""

    def __init__(self, url: str, secret: Secret, retries: Retries) -> None:
        self.url = url
        self.secret = secret
        self._retries = retries
        self._warned = Warned()

    def steps(self, http: Http, ask: Ask) -> Steps:
        """The answer, a success. Raises `Unreachable` and `ApiError`."""
        request = self._request(http, ask)
        for turn in count():
            try:
                answer = yield request
                assert answer is not None, "a request is followed by its answer"
            except httpx.HTTPError as error:
                wait = self._retries.after_failure(ask, turn, error)
                if wait is None:
                    raise self.unreachable(error) from error
            else:
                if answer.is_success:
                    self._warned.look(ask, answer)
                    return answer
                wait = self._retries.after_refusal(ask, turn, answer)
                if wait is None:
                    raise self.refusal(answer.status_code, answer.reason_phrase, answer.headers, answer.content)
            yield wait
        raise AssertionError("turns do not end")

    def _request(self, http: Http, ask: Ask) -> httpx.Request:
        if http.is_closed:
            raise GridtickError("This client is closed: make a new one.")
        given = {name: value for name, value in ask.given.items() if value is not None}
        try:
            return http.build_request(ask.method, ask.path, params=given, json=ask.body, headers=ask.headers)
        except (httpx.InvalidURL, ValueError) as error:  # too long for an address, or no text at all
            raise GridtickError(f"The parameters of {ask.path} cannot be sent: {error}. Ask for less.") from error

    def read(self, text: bytes | str) -> dict[str, Any]:
        """The object of an answer, with its decimals exact."""
        try:
            body = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise self.strange() from error
        if not isinstance(body, dict):
            raise self.strange()
        return cast("dict[str, Any]", body)

    def rows(self, page: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        """The rows of a page, and the cursor of the next one."""
        rows, following = page.get("data"), page.get("next")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[object]", rows)):
            raise self.strange()
        if following is not None and not isinstance(following, str):
            raise self.strange()
        return cast("list[dict[str, Any]]", rows), following

    def refusal(self, status: int, reason: str, headers: Mapping[str, str], content: bytes) -> ApiError:
        """A refusal as the error of its type."""
        try:
            said = json.loads(self.secret.without(content))
        except (ValueError, RecursionError):
            said = None
        problem = cast("dict[str, Any]", said) if isinstance(said, dict) else {"title": reason}
        kind = OF_STATUS.get(status, ApiError)
        return kind(status, problem, seconds(headers.get("retry-after")))

    def unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"{self.url} does not answer ({type(error).__name__}). Is Gridtick running?")

    def ended(self, error: Exception) -> Unreachable:
        return Unreachable(f"{self.url} ended its answer ({type(error).__name__}). Ask again.")

    def strange(self) -> GridtickError:
        return GridtickError(f"{self.url} answers, but not as Gridtick does. Is it the address of Gridtick's API?")
