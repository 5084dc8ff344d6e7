"""What the routes share: one object on the application, handed in whole, so that tests hand in their own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from starlette.requests import HTTPConnection

from api.catalogue import Catalogue
from api.cursor import Cursors
from api.latest.kept import Kept
from api.latest.pages import Pages
from api.limits.accounts import Accounts, Quotas
from api.limits.usage import Usage
from api.live.live import Live
from api.ranges.settled import Settled
from api.ranges.streaming import Streams
from api.reads.ports import Reads
from api.references import References
from api.security.denials import Denials
from api.security.principal import Principals
from api.security.sight import Sight
from api.status.board import Board
from api.status.fresh import status
from api.status.leaders import Leaders
from api.wire.tags import Tags
from service.metrics import Metrics


@dataclass(frozen=True, slots=True)
class State:
    reads: Reads
    principals: Principals
    cursors: Cursors
    metrics: Metrics
    references: References
    pages: Pages
    catalogue: Catalogue
    sight: Sight
    tags: Tags
    accounts: Accounts
    denials: Denials
    board: Board
    streams: Streams
    exports: Streams
    settled: Settled
    live: Live


def make_state(
    reads: Reads,
    principals: Principals,
    cursors: Cursors,
    metrics: Metrics,
    kept: Kept,
    monotonic: Callable[[], float],
    quotas: Quotas,
) -> State:
    """The state over the given parts."""
    sight = Sight(reads.snapshot)
    references = References(reads.reference_version, reads.instruments_named, monotonic)
    return State(
        reads,
        principals,
        cursors,
        metrics,
        references,
        Pages(reads, kept, references),
        Catalogue(),
        sight,
        Tags(),
        Accounts(Usage(reads.add_usage), quotas, monotonic),
        denials=Denials(reads.append_audit, monotonic),
        board=Board(partial(status, reads, Leaders(reads, monotonic)), monotonic),
        streams=Streams(),
        exports=Streams(1, ""),
        settled=Settled(monotonic),
        live=Live(reads, sight, metrics, monotonic),
    )


def state_of(connection: HTTPConnection) -> State:
    """The state of the application that answers this request."""
    return cast("State", connection.app.state.gridtick)
