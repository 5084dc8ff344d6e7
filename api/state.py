"""What the routes share: one object on the application, handed in whole, so that tests hand in their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from api.catalogue import Catalogue
from api.cursor import Cursors
from api.kept import Kept
from api.pages import Pages
from api.ports import Reads
from api.references import References
from api.security.principal import Principals
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


def make_state(
    reads: Reads,
    principals: Principals,
    cursors: Cursors,
    metrics: Metrics,
    kept: Kept,
    monotonic: Callable[[], float],
) -> State:
    """The state over the given parts."""
    references = References(reads.reference_version, reads.instruments_named, monotonic)
    return State(reads, principals, cursors, metrics, references, Pages(reads, kept, references), Catalogue())


def state_of(connection: HTTPConnection) -> State:
    """The state of the application that answers this request."""
    return cast("State", connection.app.state.gridtick)
