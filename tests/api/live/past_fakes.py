"""History in memory: a tick a minute, and how clients ask for it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.api.fakes import GAS, START
from tests.api.live.streaming import Client, Frame

PRICES: dict[str, Any] = {"channel": "prices", "instruments": [GAS]}
TICKS: dict[str, Any] = {"channel": "ticks", "instruments": [GAS]}
BARS: dict[str, Any] = {"channel": "bars", "instruments": [GAS], "interval": "5m"}
EVERY_TICK = [Decimal(f"{100 + n}.5") for n in range(5)]  # one a minute is in the stores


def minute(number: float) -> str:
    return (START + timedelta(minutes=number)).isoformat()


def data(client: Client) -> list[Frame]:
    return client.of("snapshot") + client.of("update")
