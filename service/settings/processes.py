"""The settings of Gridtick's own processes."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from pipeline import bands
from service.settings.group import MIB, QUEUES, Group, Lane, Port


class Core(Group):
    env: Literal["local", "dev", "staging", "production", "test"] = Field(
        "local", description="which kind of installation this is"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severe log line that is written"
    )
    data_dir: Path = Field(Path(".gridtick"), description="the one folder that holds all data of the embedded stack")
    lane: Lane = Field("live", description="what a bridge or a worker serves: live prices, or history that may wait")
    tenant_id: str = Field("public", pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="tenant of messages that name none")


class Celery(Group):
    broker_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:16379/1"), description="Redis that carries the Celery queues"
    )
    concurrency: int = Field(
        2,
        ge=1,
        le=256,
        description="worker processes of one worker; where it serves all queues, half as many more make bars",
    )
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


class Bridge(Group):
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


class Quality(Group):
    bands: str = Field(
        "", description=f"prices outside which `OUT_OF_RANGE` is flagged, instead of the built-in ones: {bands.FORM}"
    )

    @field_validator("bands")
    @classmethod
    def _are_bands(cls, text: str) -> str:
        bands.read(text)
        return text


class Landed(Group):
    keep_s: int = Field(3600, ge=60, le=604_800, description="seconds that the landed log is kept")
    keep_entries: int = Field(
        8_000, ge=100, le=1_000_000, description="most entries of the landed log, of at most 250 changes each"
    )


class Flower(Group):
    port: Port = Field(5555, description="port of the task monitor")


class MetricsShown(Group):
    host: str = Field("127.0.0.1", description="address at which bridge and workers show their metrics")
    bridge_port: int = Field(0, ge=0, le=65535, description="port of the bridge's /metrics and /healthz (0: none)")
    workers_port: int = Field(0, ge=0, le=65535, description="port of the workers' /metrics and /healthz (0: none)")
