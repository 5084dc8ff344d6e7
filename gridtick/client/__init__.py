"""The client of Gridtick's API; it needs httpx and websockets, and for data frames what those are made with.

from gridtick.client import Client
with Client("http://127.0.0.1:8080", "gt_live_…") as client:
    for bar in client.bars("NG_HH_BALMO", interval="1h"):
        print(bar["start"], bar["close"])
"""

from gridtick.client.admin_keys import AsyncKeys, Key, Keys, MadeKey
from gridtick.client.audit import AsyncAudit, Audit, AuditRecord
from gridtick.client.clients import AsyncClient, Client
from gridtick.client.curves import AsyncCurves, Curve, CurvePoint, Curves, Snapshot
from gridtick.client.errors import (
    ApiError,
    Forbidden,
    GridtickError,
    InvalidRequest,
    NotFound,
    NotInstalled,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from gridtick.client.explain import BarExplained, BarPrice, BarPublication
from gridtick.client.letters import (
    AsyncDeadLetters,
    DeadLetter,
    DeadLetterCause,
    DeadLetters,
    DeadLetterShown,
    Replayed,
)
from gridtick.client.listed import AsyncRows, Rows
from gridtick.client.markets import Market, Status
from gridtick.client.rows import Bar, Instrument, LatestPrice, Me, Tick
from gridtick.client.spreads import AsyncSpreads, Basis, Explained, Spread, Spreads
from gridtick.client.stream.engine import AsyncStream
from gridtick.client.stream.errors import (
    KeyRefused,
    SequenceBroken,
    StreamError,
    StreamRefused,
    StreamStalled,
    TooManyConnections,
)
from gridtick.client.stream.messages import (
    CaughtUp,
    Complaint,
    Filled,
    Gap,
    Heartbeat,
    IntervalClosed,
    LivePrice,
    Message,
    Reconnecting,
    StreamSnapshot,
    Subscribed,
    Unknown,
    Update,
    Welcome,
)
from gridtick.client.stream.threaded import Stream
from gridtick.client.tables import AsyncTable, Table
from gridtick.client.tenants import AsyncTenants, Exported, Tenant, Tenants

__all__ = [
    "ApiError",
    "AsyncAudit",
    "AsyncClient",
    "AsyncCurves",
    "AsyncDeadLetters",
    "AsyncKeys",
    "AsyncRows",
    "AsyncSpreads",
    "AsyncStream",
    "AsyncTable",
    "AsyncTenants",
    "Audit",
    "AuditRecord",
    "Bar",
    "BarExplained",
    "BarPrice",
    "BarPublication",
    "Basis",
    "CaughtUp",
    "Client",
    "Complaint",
    "Curve",
    "CurvePoint",
    "Curves",
    "DeadLetter",
    "DeadLetterCause",
    "DeadLetterShown",
    "DeadLetters",
    "Explained",
    "Exported",
    "Filled",
    "Forbidden",
    "Gap",
    "GridtickError",
    "Heartbeat",
    "Instrument",
    "IntervalClosed",
    "InvalidRequest",
    "Key",
    "KeyRefused",
    "Keys",
    "LatestPrice",
    "LivePrice",
    "MadeKey",
    "Market",
    "Me",
    "Message",
    "NotFound",
    "NotInstalled",
    "Reconnecting",
    "Replayed",
    "Rows",
    "SequenceBroken",
    "Snapshot",
    "Spread",
    "Spreads",
    "Status",
    "Stream",
    "StreamError",
    "StreamRefused",
    "StreamSnapshot",
    "StreamStalled",
    "Subscribed",
    "Table",
    "Tenant",
    "Tenants",
    "Tick",
    "TooManyConnections",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "Unknown",
    "Unreachable",
    "Update",
    "Welcome",
]
