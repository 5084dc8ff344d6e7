"""The settings of the servers that hold data."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from service.settings.group import MIB, Group, Lane


class Kafka(Group):
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


class ClickHouse(Group):
    url: SecretStr = Field(
        SecretStr("http://127.0.0.1:18123"), description="ClickHouse over HTTP, http://[user[:password]@]host:port"
    )
    read_url: SecretStr = Field(
        SecretStr(""),
        description="the same server with a user who may only read, for the API (docs/access.md); empty: that of url",
    )
    database: str = Field(
        "gridtick", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="database that holds ticks and bars"
    )

    @field_validator("url", "read_url")
    @classmethod
    def _is_address(cls, url: SecretStr, of: ValidationInfo) -> SecretStr:
        # Refused here, where the value is not shown: what fails later would quote a part of the password.
        absent = of.field_name == "read_url" and not url.get_secret_value()
        if not absent and not _is_http(url.get_secret_value()):
            raise ValueError("it is no http://user:password@host:port (write special characters of a password as %XX)")
        return url

    @property
    def has_reader(self) -> bool:
        """Whether the API reads as a user of its own."""
        return bool(self.read_url.get_secret_value())


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class Postgres(Group):
    dsn: SecretStr = Field(
        SecretStr("postgresql://gridtick@127.0.0.1:15432/gridtick"), description="PostgreSQL address"
    )


class Redis(Group):
    url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:16379/0"), description="Redis for latest prices, claim checks and acks"
    )
