"""Every setting of Gridtick: frozen, strict, read once from `DATA_PROC_*`.

A setting's name is `DATA_PROC_` + group + field, e.g. `DATA_PROC_KAFKA_BOOTSTRAP`; the group `core` has no
word of its own (`DATA_PROC_ENV`). An unknown `DATA_PROC_*` name or a bad value stops the start with a sentence.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr, ValidationError

from pipeline.errors import DataProcessingError
from service.settings.group import LANES, MIB, QUEUES, Group, Lane
from service.settings.processes import Api, Bridge, Celery, Core, Flower, Landed, MetricsShown, Quality
from service.settings.stores import ClickHouse, Kafka, Postgres, Redis

__all__ = [
    "LANES",
    "MIB",
    "PREFIX",
    "QUEUES",
    "ClickHouse",
    "Kafka",
    "Lane",
    "Settings",
    "described",
    "env_name",
    "load",
]

PREFIX: Final = "DATA_PROC_"


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


_GROUPS: dict[str, type[Group]] = {
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


def _read(group: str, values: dict[str, str]) -> Group:
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
