"""A small client of Gridtick's API; it needs nothing but httpx.

from gridtick.client import Client
with Client("http://127.0.0.1:8080", "gt_live_…") as client:
    for bar in client.bars("NG_HH_BALMO", interval="1h"):
        print(bar["start"], bar["close"])
"""

from gridtick.client.errors import (
    ApiError,
    Forbidden,
    GridtickError,
    InvalidRequest,
    NotFound,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from gridtick.client.http import Client
from gridtick.client.listed import Rows
from gridtick.client.rows import Bar, Instrument, LatestPrice, Me, Tick

__all__ = [
    "ApiError",
    "Bar",
    "Client",
    "Forbidden",
    "GridtickError",
    "Instrument",
    "InvalidRequest",
    "LatestPrice",
    "Me",
    "NotFound",
    "Rows",
    "Tick",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
]
