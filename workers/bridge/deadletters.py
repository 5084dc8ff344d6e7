"""The dead letter of a message that no worker survives or accepts."""

from db.kafka.producer import ConfirmedProducer
from pipeline.errors import DataProcessingError
from workers.bridge.ports import Outage
from workers.bridge.window import Flight
from workers.codec import unpack
from workers.deadletters import Cause, Origin, write


class KafkaDeadLetters:
    """Writes to the dead-letter topic."""

    def __init__(self, producer: ConfirmedProducer, topic: str, raw_topic: str) -> None:
        self._producer, self._topic, self._raw_topic = producer, topic, raw_topic
        self.topic_id = ""

    def write(self, flight: Flight, stage: str) -> None:
        origin = Origin(self._raw_topic, self.topic_id, flight.partition)
        attempts = max(flight.failures, flight.sends, 1)
        cause = Cause(0, 0, stage, "Poison", flight.refusal, attempts)
        try:
            write(self._producer, self._topic, origin, unpack(flight.payload), [cause])
        except DataProcessingError as error:
            raise Outage(f"Kafka: {error}") from error
