"""The message that a dead letter keeps."""

from contextlib import closing
from dataclasses import replace

from db.kafka.deadletters import PATIENCE_S, DeadLetterTopic
from db.kafka.letters import Letter, Original
from service.settings import Kafka


def original(kafka: Kafka, letter: Letter, patience_s: float = PATIENCE_S) -> tuple[Original, bool] | None:
    """Its message, and whether that is whole; null where the letter is no longer in the topic. Raises `KafkaAway`."""
    with closing(DeadLetterTopic(kafka, patience_s)) as topic:
        kept = dict(topic.originals({letter.place})).get(letter.place)
        if kept is None:
            return None
        found = whole(topic, letter, kept)
    return (kept, False) if found is None else (replace(found, told=kept.told), True)


def whole(topic: DeadLetterTopic, letter: Letter, original: Original) -> Original | None:
    """The message without a byte missing; null where neither the letter nor the message's own topic has all of it."""
    return original if not letter.truncated_bytes else topic.kept(letter)
