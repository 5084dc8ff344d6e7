"""Gridtick's own topics: which there are, with their settings, and making the ones that are missing."""

from collections.abc import Mapping
from concurrent.futures import Future
from itertools import product
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from db.kafka.admin import ANSWER_S, HEADER_ROOM
from pipeline.errors import DataProcessingError
from pipeline.events import Kind
from service.settings import LANES, Kafka, env_name

_OUTGOING: Final[Mapping[Kind, str]] = {
    "normalized": "normalized_topic", "enriched": "enriched_topic", "bar": "bars_topic",
    "curve": "curves_topic",
}  # fmt: skip
_ALONE: Final = (
    "raw_topic",
    "backfill_topic",
    "deadletter_topic",
)  # outgoing events tell their type: they may share one
LIKE_THE_BROKER: Final = -1  # as many copies as the broker makes by itself


def outgoing(kafka: Kafka) -> dict[Kind, str]:
    """The topics that are written for other consumers, without those that are switched off."""
    topics: dict[Kind, str] = {kind: getattr(kafka, field) for kind, field in _OUTGOING.items()}
    return {kind: topic for kind, topic in topics.items() if topic}


def ours(kafka: Kafka) -> dict[str, Mapping[str, str]]:
    """Every topic that Gridtick reads or writes, with its settings.

    Raises `DataProcessingError` where one name stands for topics that cannot be one: a topic that is read here may
    hold nothing that is written here.
    """
    _refuse_shared(kafka)
    return {
        **{kafka.topic_of(lane): raw_config(kafka.message_max_bytes) for lane in LANES},
        **{topic: {} for topic in outgoing(kafka).values()},
        kafka.deadletter_topic: deadletter_config(kafka.message_max_bytes),
    }


def _refuse_shared(kafka: Kafka) -> None:
    for own, other in product(_ALONE, (*_ALONE, *_OUTGOING.values())):
        name = getattr(kafka, own)
        if own != other and name == getattr(kafka, other):
            two = f"{env_name('kafka', other)}={name} is {env_name('kafka', own)} too"
            raise DataProcessingError(f"{two}. Give each topic a name of its own.", "settings")


def raw_config(message_max_bytes: int) -> dict[str, str]:
    """Settings of a raw topic: the broker's append time is when a message became known."""
    return {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(message_max_bytes)}


def deadletter_config(message_max_bytes: int) -> dict[str, str]:
    """Settings of the dead-letter topic: an original as large as allowed and the headers added to it fit."""
    return {"max.message.bytes": str(message_max_bytes + HEADER_ROOM), "retention.ms": "-1"}


def ensure_topics(
    admin: AdminClient, topics: Mapping[str, Mapping[str, str]], partitions: int, replication: int = LIKE_THE_BROKER
) -> list[str]:
    """Makes the topics that are missing, with their settings; gives the names of those made."""
    wanted = [
        NewTopic(name, num_partitions=partitions, replication_factor=replication, config=dict(config))
        for name, config in topics.items()
    ]
    answers = admin.create_topics(wanted, request_timeout=ANSWER_S)
    return [name for name, answer in answers.items() if _made(name, answer)]


def _made(name: str, answer: Future[None]) -> bool:
    try:
        answer.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise DataProcessingError(f"the topic {name} cannot be made: {error.args[0].str()}", "bridge") from None
    return True
