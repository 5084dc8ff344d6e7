"""A small client of Gridtick's API; it needs nothing but httpx.

from gridtick.client import Client
with Client("http://127.0.0.1:8080", "gt_live_…") as client:
    for bar in client.bars("NG_HH_BALMO", interval="1h"):
        print(bar["start"], bar["close"])
"""

from gridtick.client.curves import Curve, CurvePoint, Curves, Snapshot
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
from gridtick.client.listed import Rows
from gridtick.client.reads import Client
from gridtick.client.rows import Bar, Instrument, LatestPrice, Me, Tick
from gridtick.client.spreads import Basis, Explained, Spread, Spreads

__all__ = [
    "ApiError",
    "Bar",
    "Basis",
    "Client",
    "Curve",
    "CurvePoint",
    "Curves",
    "Explained",
    "Forbidden",
    "GridtickError",
    "Instrument",
    "InvalidRequest",
    "LatestPrice",
    "Me",
    "NotFound",
    "Rows",
    "Snapshot",
    "Spread",
    "Spreads",
    "Tick",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
]
