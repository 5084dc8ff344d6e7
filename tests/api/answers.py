"""What answers hold, with every digit."""

import json
from decimal import Decimal
from typing import Any, Final

import httpx

from tests.api import fakes

LATEST: Final = "/v1/prices/latest"
GAS: Final = f"{LATEST}?instrument={fakes.GAS}"


def data(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)["data"]


def prices(answer: httpx.Response) -> list[object]:
    return [row["price"] for row in data(answer)]


def without_ages(answer: httpx.Response) -> object:
    body = json.loads(answer.content, parse_float=Decimal)
    for row in body["data"]:
        del row["age_seconds"]
    return body
