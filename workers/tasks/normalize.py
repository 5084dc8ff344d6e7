"""Queue `normalize`: raw messages to ticks; what cannot be read goes to the dead letters."""

from typing import Any

import msgspec
import polars as pl

from db.redis import claims
from pipeline import bands
from pipeline.envelope import RawBatch
from pipeline.normalize import normalize
from workers.app import app, task
from workers.codec import Messages, unpack
from workers.context import Context, current
from workers.deadletters import Cause, Origin, write
from workers.frames import frame_to_bytes
from workers.header import RAW, TICKS, BatchHeader, from_json
from workers.queues import ENRICH, LANDED, NORMALIZE, publish
from workers.refused import causes, runs
from workers.tasks.base import in_hand, refusals, take


@task(NORMALIZE)
def batch(data: dict[str, Any]) -> None:
    """One batch of raw messages."""
    context, header = current(), from_json(data)
    with in_hand(context, header, "normalize"):
        blob = take(context, header, RAW)
        with refusals("normalize"):
            messages = unpack(blob)
            settings = context.settings
            result = normalize(raw_batch(header, messages), settings.core.tenant_id, bands.read(settings.quality.bands))
            dead = causes(result.rejects, messages)
        bury(context, header, messages, dead)
        context.metrics.count("dead_letters", len(dead))
        hand_on(context, counted(header, result.ticks.height, result.rejects, dead), result.ticks)


def raw_batch(header: BatchHeader, messages: Messages) -> RawBatch:
    """The messages as the pipeline takes them; a tombstone counts as an empty value."""
    return RawBatch(
        topic_id=header.topic_id,
        partition=header.partition,
        offsets=list(messages.offsets),
        known_at_us=list(messages.known_at_us),
        values=[value or b"" for value in messages.values],
    )


def bury(context: Context, header: BatchHeader, messages: Messages, dead: list[Cause]) -> None:
    """Writes the dead letters; they are on all replicas when this returns."""
    origin = Origin(header.topic, header.topic_id, header.partition)
    if dead:
        write(context.producer, context.settings.kafka.deadletter_topic, origin, messages, dead)


def counted(header: BatchHeader, ticks: int, rejects: pl.DataFrame, dead: list[Cause]) -> BatchHeader:
    """The header with what became of its messages."""
    invalid = [each.index for each in dead if not each.refused]
    return msgspec.structs.replace(
        header,
        ticks=ticks,
        rejects=rejects.height,
        dead_letters=len(dead),
        invalid=len(invalid),
        runs=runs(invalid, header.messages),
    )


def hand_on(context: Context, header: BatchHeader, ticks: pl.DataFrame) -> None:
    """Sends the ticks to the next stage; a batch without any has only to land."""
    if ticks.is_empty():
        context.passes.arrived(header.batch_id)
        publish(app, LANDED, [header.to_json()], None)
    else:
        claims.put(context.redis, header.claim(TICKS), frame_to_bytes(ticks))
        publish(app, ENRICH, header.to_json())
    claims.drop(context.redis, header.claim(RAW))
