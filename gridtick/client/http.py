"""How the API is asked: one answer, or page after page."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, cast

import httpx

from gridtick.client.errors import OF_STATUS, ApiError, GridtickError, Unreachable
from gridtick.client.given import Parameters
from gridtick.client.listed import Page

PAGE: Final = 1000


class Api:
    """The API at an address, over an HTTP client that has the key."""

    def __init__(self, http: httpx.Client, url: str) -> None:
        self._http = http
        self._url = url

    def get(self, path: str, given: Parameters) -> dict[str, Any]:
        """The object that is answered. Raises an `ApiError` for a refusal."""
        answer = self._answer("GET", path, {name: value for name, value in given.items() if value is not None})
        if answer.status_code != 200:
            raise _refusal(answer)
        return self._read(answer.content)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Changes something; the object that is answered. Raises an `ApiError` for a refusal."""
        answer = self._answer(method, path, parameters or {}, json=body, headers=headers)
        if not answer.is_success:
            raise _refusal(answer)
        return self._read(answer.content)

    def lines(self, path: str) -> Iterator[dict[str, Any]]:
        """The objects of an answer of JSON lines, as they come. Raises an `ApiError` for a refusal."""
        try:
            with self._http.stream("GET", path) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise _refusal(answer)
                yield from map(self._read, answer.iter_lines())
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._url} ended its answer ({type(error).__name__}). Ask again.") from error

    def _read(self, text: bytes | str) -> dict[str, Any]:
        try:
            body = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise self._strange() from error
        if not isinstance(body, dict):
            raise self._strange()
        return cast("dict[str, Any]", body)

    def pages(self, path: str, given: Parameters, limit: int | None, most: int | None = None) -> Iterator[Page]:
        """Pages of at most `most` (default: `PAGE`) rows of a list until its end, or until `limit` rows."""
        left, cursor, most = limit, None, most or PAGE
        while left is None or left > 0:
            size = most if left is None else min(left, most)
            page = self.get(path, {**given, "limit": size, "cursor": cursor})
            rows, cursor = self._page(page)
            yield Page(rows, page.get("complete"))
            left = None if left is None else left - len(rows)
            if cursor is None:
                return

    def _page(self, page: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        rows, following = page.get("data"), page.get("next")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[object]", rows)):
            raise self._strange()
        if following is not None and not isinstance(following, str):
            raise self._strange()
        return cast("list[dict[str, Any]]", rows), following

    def _answer(self, method: str, path: str, parameters: Mapping[str, Any], **more: Any) -> httpx.Response:
        if self._http.is_closed:
            raise GridtickError("This client is closed: make a new one.")
        try:
            return self._http.request(method, path, params=parameters, **more)
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._url} does not answer ({type(error).__name__}). Is Gridtick running?") from error
        except (httpx.InvalidURL, ValueError) as error:  # too long for an address, or no text at all
            raise GridtickError(f"The parameters of {path} cannot be sent: {error}. Ask for less.") from error

    def _strange(self) -> GridtickError:
        return GridtickError(f"{self._url} answers, but not as Gridtick does. Is it the address of Gridtick's API?")


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        said = None
    problem = cast("dict[str, Any]", said) if isinstance(said, dict) else {"title": answer.reason_phrase}
    wait = answer.headers.get("retry-after", "")
    kind = OF_STATUS.get(answer.status_code, ApiError)
    return kind(answer.status_code, problem, float(wait) if wait.isdecimal() else None)
