"""A client of ClickHouse that records what it is asked, and the API's reads over it."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast

import polars as pl
import pyarrow as pa

from api.reads.away import Watch
from api.reads.known import Connections
from api.reads.stores import Stores
from db.clickhouse.client import NAMED
from pipeline.arrow import to_stream
from service.metrics import Metrics
from service.settings import load

_ABSENT: Final = cast("Any", None)


class Sent(NamedTuple):
    """A query's parameters, and its settings."""

    parameters: dict[str, object]
    settings: dict[str, str] | None


class Client:
    """Answers with one frame after another, the last one for ever; `walled`: it began with nobody named."""

    def __init__(self, *answers: pl.DataFrame, walled: bool = True) -> None:
        self.sent: list[Sent] = []
        self._answers = [*answers]
        self._begun = {NAMED: ""} if walled else {}

    @property
    def named(self) -> Sequence[str | None]:
        """Whom each query named."""
        return [None if sent.settings is None else sent.settings["log_comment"] for sent in self.sent]

    def get_client_setting(self, name: str) -> str | None:
        return self._begun.get(name)

    async def query_arrow(
        self, _sql: str, parameters: dict[str, object], settings: dict[str, str] | None = None
    ) -> pa.Table:
        self.sent.append(Sent(parameters, settings))
        return self._next().to_arrow()

    async def raw_query(self, _sql: str, parameters: dict[str, object], settings: dict[str, str], fmt: str) -> bytes:
        assert fmt == "ArrowStream"
        self.sent.append(Sent(parameters, settings))
        return to_stream(self._next())

    def _next(self) -> pl.DataFrame:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def stores_over(client: Client) -> Stores:
    """The reads; there is no other store."""
    settings = load({})
    return Stores(Connections(
        cast("Any", client), _ABSENT, _ABSENT, _ABSENT, Watch(Metrics("api")), topics=(), audit_secret="",
        peppers=settings.api.peppers, landed=_ABSENT, kafka=settings.kafka,
    ))  # fmt: skip
