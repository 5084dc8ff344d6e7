"""The admin client, and what it tells of a topic."""

from typing import Final

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

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
