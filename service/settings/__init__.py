"""Every setting of Gridtick: frozen, strict, read once from `DATA_PROC_*`.

A setting's name is `DATA_PROC_` + group + field, e.g. `DATA_PROC_KAFKA_BOOTSTRAP`; the group `core` has no
word of its own (`DATA_PROC_ENV`). A secret may be in a file: `DATA_PROC_REDIS_URL_FILE=/run/secrets/redis` reads it.
An unknown `DATA_PROC_*` name or a bad value stops the start with a sentence.
"""

import difflib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr, ValidationError

from pipeline.errors import DataProcessingError
from service.settings.api import Api
from service.settings.group import LANES, MIB, QUEUES, Group, Lane
from service.settings.processes import Bridge, Celery, Core, Flower, Landed, MetricsShown, Quality
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
FILE: Final = "_FILE"  # after the name of a secret: the file that holds it


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
            more = f" ({env_name(group, field)}{FILE}: a file that holds it)" if _is_secret(group, field) else ""
            yield env_name(group, field), str(info.default), f"{info.description or ''}{more}"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises `DataProcessingError` that names the variable, its value and the fix."""
    given = {k: v for k, v in (os.environ if environ is None else environ).items() if k.startswith(PREFIX)}
    known = {env_name(g, f): (g, f) for g, model in _GROUPS.items() for f in model.model_fields}
    given = _with_files(given, {name for name, place in known.items() if _is_secret(*place)})
    for name in given:
        if name not in known:
            raise _unknown(name, list(known))
    values: dict[str, dict[str, str]] = {group: {} for group in _GROUPS}
    for name, value in given.items():
        group, field = known[name]
        values[group][field] = value
    return Settings(**{group: _read(group, values[group]) for group in _GROUPS})  # pyright: ignore[reportArgumentType]


def _is_secret(group: str, field: str) -> bool:
    return _GROUPS[group].model_fields[field].annotation is SecretStr


def _with_files(given: Mapping[str, str], secrets: Collection[str]) -> dict[str, str]:
    """The variables, those that name a secret's file replaced by what it holds."""
    named = {name: name.removesuffix(FILE) for name in given if name.endswith(FILE)}
    files = {name: secret for name, secret in named.items() if secret in secrets}
    plain = {name: value for name, value in given.items() if name not in files}
    return plain | {secret: _held(name, given[name], secret in plain) for name, secret in files.items()}


def _held(name: str, path: str, is_given: bool) -> str:  # noqa: FBT001
    if is_given:
        raise DataProcessingError(f"{name} and {name.removesuffix(FILE)} are both set. Unset one of them.", "settings")
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataProcessingError(f"{name}={path} cannot be read ({type(error).__name__}).", "settings") from None


def _read(group: str, values: dict[str, str]) -> Group:
    try:
        return _GROUPS[group].model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = env_name(group, field)
        shown = "(hidden)" if _is_secret(group, field) else values.get(field, "")
        raise DataProcessingError(
            f"{name}={shown} cannot be used: {first['msg']}. Set another value or unset it.", "settings"
        ) from None


def _unknown(name: str, known: list[str]) -> DataProcessingError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return DataProcessingError(
        f"{name} is not a setting of Gridtick.{hint} `gridtick doctor --settings` lists them all.", "settings"
    )
