"""Topics: their ids, their settings, and making the ones that are missing."""

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.errors import DataProcessingError

ANSWER_S: Final = 10.0
HEADER_ROOM: Final = 256 * 1024  # what a dead letter may be larger than its original


def make_admin(bootstrap: str) -> AdminClient:
    """An admin client; connects at first use."""
    return AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": 10_000, "log_level": 0})


def topic_id(admin: AdminClient, topic: str) -> str:
    """Kafka's id of a topic: a topic that is made again under the same name has another one."""
    try:
        description = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_S)[topic].result()
    except KafkaException as error:
        raise DataProcessingError(
            f"the topic {topic} cannot be described: {error}. Is Kafka reachable, and the topic made?",
            "bridge",
        ) from None
    return str(description.topic_id)


def ensure_topics(
    admin: AdminClient, topics: Mapping[str, Mapping[str, str]], partitions: int, replication: int = 1
) -> list[str]:
    """Makes the topics that are missing, with their settings; gives the names of those made."""
    wanted = [
        NewTopic(name, num_partitions=partitions, replication_factor=replication, config=dict(config))
        for name, config in topics.items()
    ]
    answers = admin.create_topics(wanted, request_timeout=ANSWER_S)
    return [name for name, answer in answers.items() if _made(name, answer)]


def _made(name: str, answer: Any) -> bool:
    try:
        answer.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise DataProcessingError(f"the topic {name} cannot be made: {error.args[0].str()}", "bridge") from None
    return True


def raw_config(message_max_bytes: int) -> dict[str, str]:
    """Settings of the raw topic: the broker's append time is when a message became known."""
    return {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(message_max_bytes)}


def deadletter_config(message_max_bytes: int) -> dict[str, str]:
    """Settings of the dead-letter topic: an original as large as allowed and the headers added to it fit."""
    return {"max.message.bytes": str(message_max_bytes + HEADER_ROOM), "retention.ms": "-1"}
