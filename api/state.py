"""What the routes share: one object on the application, handed in whole, so that tests hand in their own."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from api.cursor import Cursors
from api.ports import Reads
from api.security.principal import Principals
from service.metrics import Metrics


@dataclass(frozen=True, slots=True)
class State:
    reads: Reads
    principals: Principals
    cursors: Cursors
    metrics: Metrics


def state_of(connection: HTTPConnection) -> State:
    """The state of the application that answers this request."""
    return cast("State", connection.app.state.gridtick)
