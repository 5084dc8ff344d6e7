"""The shapes of dead letters, for the OpenAPI document only."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


_State = Literal["waiting", "replayed", "landed"]


class DeadLetterCause(_Shape):
    """Dead letters that are alike but for numbers and quoted values."""

    cause: Annotated[str, Field(examples=["3f9a1b"])]
    stage: Annotated[str, Field(examples=["normalize"])]
    error: Annotated[str, Field(examples=["MessageRefused"])]
    market: str | None
    reason: Annotated[
        str, Field(description="`…` stands for a quoted value, `#` for a number", examples=["row #: MW … is odd"])
    ]
    letters: int
    waiting: int
    replayed: int
    landed: int
    first_seen: datetime
    last_seen: datetime
    example: Annotated[str, Field(description="the id of the newest", examples=["3f9a1b2c4d"])]
    name: Annotated[str | None, Field(description="what the newest is called: a file, or an instrument")]


class DeadLetter(_Shape):
    """A message that could not be read, in whole or in part."""

    id: Annotated[str, Field(description="the same over all attempts", examples=["3f9a1b2c4d"])]
    cause: Annotated[str, Field(examples=["3f9a1b"])]
    state: Annotated[_State, Field(description="`replayed`: sent again, and not landed yet")]
    stage: Annotated[str, Field(examples=["normalize"])]
    error: Annotated[str, Field(examples=["MessageRefused"])]
    reason: Annotated[str, Field(examples=["payload.market is absent"])]
    attempts: Annotated[int, Field(examples=[1])]
    market: str | None
    name: str | None
    topic: Annotated[
        str,
        Field(description="of its first message, as partition and offset are", examples=["ingestion.market.raw.v1"]),
    ]
    topic_id: Annotated[str, Field(description="Kafka's id of that topic", examples=["7nVdTt0PQ6-gtM6aJ2vLzA"])]
    partition: int
    offset: int
    bytes: int
    refused_rows: Annotated[int, Field(description="of a document that else lives; 0: the whole message is refused")]
    first_seen: Annotated[datetime, Field(description="when Kafka took its first message")]
    last_seen: Annotated[datetime, Field(description="when it was refused last")]


class _Listed(_Shape):
    next: str | None
    query: dict[str, Any]


class DeadLetterCauses(_Listed):
    data: list[DeadLetterCause]


class DeadLetters(_Listed):
    """With `cause`."""

    data: list[DeadLetter]


class Bytes(_Shape):
    """Null where there are none; `text` also where they are no UTF-8."""

    base64: str | None
    text: str | None


class DeadLetterHeader(Bytes):
    name: str


class DeadLetterValue(Bytes):
    size: int
    complete: Annotated[bool, Field(description="false: Kafka would not take it once more, and only this is kept")]
    advice: Annotated[str | None, Field(description="of a large one, which is only given as `format=raw`")]


class DeadLetterMessage(_Shape):
    """As its sender sent it."""

    key: Bytes
    headers: list[DeadLetterHeader]
    value: DeadLetterValue


class DeadLetterShown(DeadLetter):
    """With what it keeps."""

    attempt_asked: Annotated[int | None, Field(description="the newest attempt that it was sent again for")]
    labels: Annotated[dict[str, str], Field(description="what is read instead of the sender's own")]
    program_version: Annotated[str | None, Field(description="which version refused it")]
    replayed_at: Annotated[str | None, Field(description="where it was read last, of one that was sent again")]
    refused: Annotated[list[dict[str, Any]], Field(description="the first 100 refused rows of a document")]
    message: DeadLetterMessage


class NotSent(_Shape):
    id: Annotated[str, Field(examples=["3f9a1b2c4d"])]
    reason: Annotated[str, Field(examples=["it is no longer in the dead-letter topic"])]


class DeadLettersReplayed(_Shape):
    """What came of it; whether they land shows their state."""

    dry_run: bool
    chosen: Annotated[int, Field(description="letters that were named")]
    sent: Annotated[int, Field(description="letters that Kafka has taken; of a dry run: would be given")]
    bytes: int
    left_out: Annotated[int, Field(description="on the way already, or landed")]
    remaining: Annotated[int, Field(description="more than one request sends: post again, with a new Idempotency-Key")]
    topics: list[str]
    failed: list[NotSent]
