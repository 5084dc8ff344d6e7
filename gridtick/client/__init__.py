"""A small client of Gridtick's API; it needs nothing but httpx.

from gridtick.client import Client
with Client("http://127.0.0.1:8080", "gt_live_…") as client:
    for bar in client.bars("NG_HH_BALMO", interval="1h"):
        print(bar["start"], bar["close"])
"""

from gridtick.client.admin import Exported, Key, Keys, MadeKey, Tenant, Tenants
from gridtick.client.audit import Audit, AuditRecord
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
from gridtick.client.explain import BarExplained, BarPrice, BarPublication
from gridtick.client.letters import DeadLetter, DeadLetterCause, DeadLetters, DeadLetterShown, Replayed
from gridtick.client.listed import Rows
from gridtick.client.markets import Market, Status
from gridtick.client.reads import Client
from gridtick.client.rows import Bar, Instrument, LatestPrice, Me, Tick
from gridtick.client.spreads import Basis, Explained, Spread, Spreads

__all__ = [
    "ApiError",
    "Audit",
    "AuditRecord",
    "Bar",
    "BarExplained",
    "BarPrice",
    "BarPublication",
    "Basis",
    "Client",
    "Curve",
    "CurvePoint",
    "Curves",
    "DeadLetter",
    "DeadLetterCause",
    "DeadLetterShown",
    "DeadLetters",
    "Explained",
    "Exported",
    "Forbidden",
    "GridtickError",
    "Instrument",
    "InvalidRequest",
    "Key",
    "Keys",
    "LatestPrice",
    "MadeKey",
    "Market",
    "Me",
    "NotFound",
    "Replayed",
    "Rows",
    "Snapshot",
    "Spread",
    "Spreads",
    "Status",
    "Tenant",
    "Tenants",
    "Tick",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
]
