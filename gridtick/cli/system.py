"""The system that a command works on: the one that runs on the data folder, but for what the user sets himself."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridtick.cli.options import resolved
from local import state
from pipeline.errors import DataProcessingError
from service.settings import Settings, load

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

_ANSWERS_WITHIN_S: Final = 3.0


def settings_of(data_dir: Path) -> Settings:
    """The settings that reach it."""
    running = state.read(resolved(data_dir))
    found = running.variables() if running and running.ready else {}
    return load({**found, **os.environ})


def reached_kafka(settings: Settings, data_dir: Path) -> "AdminClient":
    """A client of its Kafka, which answers. Raises `DataProcessingError` soon where it does not."""
    from confluent_kafka import KafkaException

    from db.kafka.admin import make_admin

    admin = make_admin(settings.kafka.bootstrap)
    try:
        admin.list_topics(timeout=_ANSWERS_WITHIN_S)
    except KafkaException:
        raise DataProcessingError(
            f"Kafka does not answer at {settings.kafka.bootstrap}. Start a system with `gridtick up`; name the "
            f"folder of one that does not run on {resolved(data_dir)} with --data-dir (DATA_PROC_DATA_DIR), or set "
            "DATA_PROC_KAFKA_BOOTSTRAP to where your Kafka runs.",
            "cli",
        ) from None
    return admin
