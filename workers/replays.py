"""Dead letters that were sent again, among the messages of a batch."""

from collections.abc import Mapping, Set

from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.replays import Place, take
from pipeline import replay
from pipeline.errors import DataProcessingError
from pipeline.replay import Labels, Replay
from workers.codec import Messages
from workers.header import BatchHeader


def found(messages: Messages) -> dict[int, Replay]:
    """By index the messages that are replays."""
    read = ((index, replay.of(headers)) for index, headers in messages.headers.items())
    return {index: each for index, each in read if each is not None}


async def repeats(
    engine: AsyncEngine, header: BatchHeader, messages: Messages, replays: Mapping[int, Replay]
) -> set[int]:
    """Those of them that another message of the same attempt has been read for: they hold nothing any more.

    The answer stays the same for a message, whichever worker asks and however often.
    """
    places = {index: Place(header.topic_id, header.partition, messages.offsets[index]) for index in replays}
    wanted = {places[index]: (each.origin, each.attempt) for index, each in replays.items()}
    ours = await take(engine, wanted)
    return {index for index, place in places.items() if place not in ours}


def without(messages: Messages, replays: Mapping[int, Replay], held: Set[int]) -> tuple[Messages, Mapping[int, Replay]]:
    """The messages but for those of `held`, and the replays among them."""
    if not held:
        return messages, replays
    left = [index for index in range(len(messages.offsets)) if index not in held]
    fewer = Messages(
        [messages.offsets[index] for index in left],
        [messages.stamps_us[index] for index in left],
        [messages.known_at_us[index] for index in left],
        [messages.keys[index] for index in left],
        {at: messages.headers[index] for at, index in enumerate(left) if index in messages.headers},
        [messages.values[index] for index in left],
    )
    return fewer, {at: replays[index] for at, index in enumerate(left) if index in replays}


def relabelled(value: bytes, labels: Labels) -> bytes:
    """The message as it is to be read; what cannot bear labels is left as it is, to be refused as what it is."""
    try:
        return replay.relabelled(value, labels)
    except DataProcessingError:
        return value
