"""Every setting of Gridtick: frozen, strict, read once from `DATA_PROC_*`.

A setting's name is `DATA_PROC_` + group + field, e.g. `DATA_PROC_KAFKA_BOOTSTRAP`; the group `core` has no
word of its own (`DATA_PROC_ENV`). An unknown `DATA_PROC_*` name or a bad value stops the start with a sentence.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipeline import bands
from pipeline.errors import DataProcessingError

PREFIX = "DATA_PROC_"
MIB = 1024 * 1024
QUEUES = ("project", "aggregate", "enrich", "normalize")  # what is nearly done comes first

Port = Annotated[int, Field(ge=1, le=65535)]
Lane = Literal["live", "backfill"]
LANES: tuple[Lane, ...] = ("live", "backfill")


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Core(_Group):
    env: Literal["local", "dev", "staging", "production", "test"] = Field(
        "local", description="which kind of installation this is"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severe log line that is written"
    )
    data_dir: Path = Field(Path(".gridtick"), description="the one folder that holds all data of the embedded stack")
    lane: Lane = Field("live", description="what a bridge or a worker serves: live prices, or history that may wait")
    tenant_id: str = Field("public", pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="tenant of messages that name none")


class Kafka(_Group):
    bootstrap: str = Field("127.0.0.1:19092", description="Kafka bootstrap servers, host:port[,host:port]")
    raw_topic: str = Field("ingestion.market.raw.v1", description="topic that the bridge reads")
    backfill_topic: str = Field(
        "ingestion.market.backfill.v1",
        description="topic that the bridge of the lane `backfill` reads: raw messages too",
    )
    normalized_topic: str = Field(
        "normalized.market.ticks.v1", description="topic that takes every tick as read; empty: not written"
    )
    enriched_topic: str = Field(
        "enriched.market.ticks.v1",
        description="topic that takes every tick with its reference data; empty: not written",
    )
    bars_topic: str = Field("aggregation.bars.v1", description="topic that takes every changed bar; empty: not written")
    curves_topic: str = Field(
        "aggregation.curves.v1", description="topic that takes every changed snapshot of a curve; empty: not written"
    )
    deadletter_topic: str = Field("processing.deadletter.v1", description="topic that takes what could not be read")
    group_id: str = Field("gridtick-bridge", description="consumer group of the bridge")
    partitions: int = Field(4, ge=1, le=1024, description="partitions of a topic that Gridtick makes itself")
    message_max_bytes: int = Field(
        16 * MIB,
        ge=MIB,
        le=256 * MIB,
        description="largest message, for producer, topic, bridge and dead letters",
    )

    def topic_of(self, lane: Lane) -> str:
        """The topic that the bridge of a lane reads."""
        return self.raw_topic if lane == "live" else self.backfill_topic

    def group_of(self, lane: Lane) -> str:
        """The consumer group of the bridge of a lane."""
        return self.group_id if lane == "live" else f"{self.group_id}-{lane}"


class ClickHouse(_Group):
    url: SecretStr = Field(
        SecretStr("http://127.0.0.1:18123"), description="ClickHouse over HTTP, http://[user[:password]@]host:port"
    )
    database: str = Field(
        "gridtick", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="database that holds ticks and bars"
    )

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: SecretStr) -> SecretStr:
        # Refused here, where the value is not shown: what fails later would quote a part of the password.
        if not _is_http(url.get_secret_value()):
            raise ValueError("it is no http://user:password@host:port (write special characters of a password as %XX)")
        return url


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class Postgres(_Group):
    dsn: SecretStr = Field(
        SecretStr("postgresql://gridtick@127.0.0.1:15432/gridtick"), description="PostgreSQL address"
    )


class Redis(_Group):
    url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:16379/0"), description="Redis for latest prices, claim checks and acks"
    )


class Celery(_Group):
    broker_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:16379/1"), description="Redis that carries the Celery queues"
    )
    concurrency: int = Field(2, ge=1, le=256, description="worker processes of one worker")
    queues: str = Field("", description="which queues a worker serves, comma-separated; empty: all of its lane")
    max_memory_mib: int = Field(
        1024,
        ge=128,
        le=65_536,
        description="a worker process that has ever held more than this is replaced after its task",
    )

    @field_validator("queues")
    @classmethod
    def _are_queues(cls, queues: str) -> str:
        unknown = set(filter(None, queues.split(","))) - set(QUEUES)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is none of {', '.join(QUEUES)}")
        return queues


class Bridge(_Group):
    batch_messages: int = Field(20_000, ge=1, le=100_000, description="most messages of one batch")
    batch_bytes: int = Field(
        8 * MIB,
        ge=1024,
        le=256 * MIB,
        description="most payload bytes of one batch (one larger message is a batch)",
    )
    batch_age_ms: int = Field(20, ge=1, le=60_000, description="longest time a message waits for its batch")
    window_bytes: int = Field(
        32 * MIB,
        ge=MIB,
        le=1024 * MIB,
        description="compressed payload bytes on the way, over all partitions, before polling pauses",
    )
    resend_after_s: float = Field(
        30.0, gt=0, le=3600, description="a batch that has not landed after this long is sent again"
    )
    disk_reserve_mib: int = Field(
        1024,
        ge=0,
        le=1024 * 1024,
        description="intake stops while ClickHouse's disk has less than this free, history at twice this (0: never)",
    )
    breaker: Literal["on", "off"] = Field(
        "on",
        description="on stops the bridge when too many messages cannot be read; off after a person has looked",
    )


class Quality(_Group):
    bands: str = Field(
        "", description=f"prices outside which `OUT_OF_RANGE` is flagged, instead of the built-in ones: {bands.FORM}"
    )

    @field_validator("bands")
    @classmethod
    def _are_bands(cls, text: str) -> str:
        bands.read(text)
        return text


class Landed(_Group):
    keep_s: int = Field(3600, ge=60, le=604_800, description="seconds that the landed log is kept")
    keep_entries: int = Field(
        8_000, ge=100, le=1_000_000, description="most entries of the landed log, of at most 250 changes each"
    )


class Api(_Group):
    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: Port = Field(8080, description="port that the API listens on")
    key_pepper: SecretStr = Field(
        SecretStr(""),
        description="secret that API keys are HMACed with (made by `gridtick up` for the embedded stack)",
    )
    cursor_secret: SecretStr = Field(SecretStr(""), description="secret that page cursors are signed with")


class Flower(_Group):
    port: Port = Field(5555, description="port of the task monitor")


class MetricsShown(_Group):
    host: str = Field("127.0.0.1", description="address at which bridge and workers show their metrics")
    bridge_port: int = Field(0, ge=0, le=65535, description="port of the bridge's /metrics and /healthz (0: none)")
    workers_port: int = Field(0, ge=0, le=65535, description="port of the workers' /metrics and /healthz (0: none)")


@dataclass(frozen=True, slots=True)
class Settings:
    core: Core
    kafka: Kafka
    clickhouse: ClickHouse
    postgres: Postgres
    redis: Redis
    celery: Celery
    bridge: Bridge
    quality: Quality
    landed: Landed
    api: Api
    flower: Flower
    metrics: MetricsShown

    @property
    def lane_topic(self) -> str:
        """The topic that the bridge of this lane reads."""
        return self.kafka.topic_of(self.core.lane)

    @property
    def lane_group(self) -> str:
        """The consumer group of the bridge of this lane."""
        return self.kafka.group_of(self.core.lane)


_GROUPS: dict[str, type[_Group]] = {
    "core": Core, "kafka": Kafka, "clickhouse": ClickHouse, "postgres": Postgres, "redis": Redis,
    "celery": Celery, "bridge": Bridge, "quality": Quality, "landed": Landed, "api": Api, "flower": Flower,
    "metrics": MetricsShown,
}  # fmt: skip


def env_name(group: str, field: str) -> str:
    """The variable of one setting, e.g. `("kafka", "bootstrap")` -> `DATA_PROC_KAFKA_BOOTSTRAP`."""
    return PREFIX + (field if group == "core" else f"{group}_{field}").upper()


def described() -> Iterator[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, in order; secrets are masked."""
    for group, model in _GROUPS.items():
        for field, info in model.model_fields.items():
            yield env_name(group, field), str(info.default), info.description or ""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises `DataProcessingError` that names the variable, its value and the fix."""
    given = {k: v for k, v in (os.environ if environ is None else environ).items() if k.startswith(PREFIX)}
    known = {env_name(g, f): (g, f) for g, model in _GROUPS.items() for f in model.model_fields}
    for name in given:
        if name not in known:
            raise _unknown(name, list(known))
    values: dict[str, dict[str, str]] = {group: {} for group in _GROUPS}
    for name, value in given.items():
        group, field = known[name]
        values[group][field] = value
    return Settings(**{group: _read(group, values[group]) for group in _GROUPS})  # pyright: ignore[reportArgumentType]


def _read(group: str, values: dict[str, str]) -> _Group:
    try:
        return _GROUPS[group].model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = env_name(group, field)
        secret = _GROUPS[group].model_fields[field].annotation is SecretStr
        shown = "(hidden)" if secret else values.get(field, "")
        raise DataProcessingError(
            f"{name}={shown} cannot be used: {first['msg']}. Set another value or unset it.", "settings"
        ) from None


def _unknown(name: str, known: list[str]) -> DataProcessingError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return DataProcessingError(
        f"{name} is not a setting of Gridtick.{hint} `gridtick doctor --settings` lists them all.", "settings"
    )
