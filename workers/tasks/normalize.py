"""Queue `normalize`: raw messages to ticks; what cannot be read goes to the dead letters."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from db.redis import claims
from pipeline import bands, flags, products
from pipeline.envelope import RawBatch
from pipeline.normalize import normalize
from pipeline.replay import Replay
from service.metrics import Metrics
from workers import replays
from workers.app import app, task
from workers.codec import Messages, unpack
from workers.context import Context, current
from workers.deadletters import Cause, Origin, write
from workers.frames import frame_to_bytes
from workers.header import RAW, TICKS, BatchHeader, from_json
from workers.queues import ENRICH, LANDED, NORMALIZE, publish
from workers.refused import causes, runs
from workers.tasks.base import DataError, in_hand, refusals, take
from workers.tasks.enrich import join
from workers.tasks.storing import Ticks

FEW: Final = 2_000  # ticks: to hand them over would take as long as to join them


@task(NORMALIZE)
def batch(batches: list[dict[str, Any]]) -> None:
    """Some batches of raw messages. One that is refused keeps no other from going on."""
    context, failures, read = current(), list[DataError](), list[Ticks]()
    for header in map(from_json, batches):
        try:
            read += _read(context, header)
        except DataError as error:  # the bridge has been told
            failures.append(error)
    hand_on(context, read)
    if failures:
        raise failures[0]


def _read(context: Context, header: BatchHeader) -> list[Ticks]:
    """The ticks of a batch; nothing where its claim check is gone."""
    with in_hand(context, [header], "normalize"):
        blob = take(context, header, RAW)
        with refusals("normalize"):
            messages = unpack(blob)
            again = replays.found(messages)
        held = repeated(context, header, messages, again)
        with refusals("normalize"):
            settings, raw = context.settings, raw_batch(header, *replays.without(messages, again, held))
            result = normalize(raw, settings.core.tenant_id, bands.read(settings.quality.bands))
            dead = causes(result.rejects, messages)
        bury(context, header, messages, dead)
        context.metrics.count("dead_letters", len(dead))
        tallied(context.metrics, result.ticks)
        return [Ticks(counted(header, result.ticks.height, result.rejects, dead, again), result.ticks)]
    return []


def tallied(metrics: Metrics, ticks: pl.DataFrame) -> None:
    """Counts what was read, and what was flagged. Markets that nobody registered count as one."""
    known = pl.col("market").is_in(list(products.MARKETS))
    market = pl.when(known).then("market").otherwise(pl.lit("other")).alias("market")
    for name, bits, count in ticks.group_by(market, "flags").len().iter_rows():
        metrics.count("ticks_read", count, market=name)
        for flag in flags.names(bits & ~flags.Flag.VALID):
            metrics.count("ticks_flagged", count, market=name, flag=flag)


def repeated(context: Context, header: BatchHeader, messages: Messages, again: Mapping[int, Replay]) -> set[int]:
    """The replays that have been read as another message."""
    if not again:
        return set()
    return context.runner.wait(replays.repeats(context.postgres, header, messages, again))


def raw_batch(header: BatchHeader, messages: Messages, again: Mapping[int, Replay]) -> RawBatch:
    """The messages as the pipeline takes them; a tombstone counts as an empty value."""
    values = [value or b"" for value in messages.values]
    for index, each in again.items():
        values[index] = replays.relabelled(values[index], each.labels)
    return RawBatch(
        topic_id=header.topic_id,
        partition=header.partition,
        offsets=list(messages.offsets),
        known_at_us=list(messages.known_at_us),
        values=values,
        origins={index: each.origin for index, each in again.items()},
    )


def bury(context: Context, header: BatchHeader, messages: Messages, dead: list[Cause]) -> None:
    """Writes the dead letters; they are on all replicas when this returns."""
    origin = Origin(header.topic, header.topic_id, header.partition)
    if dead:
        write(context.producer, context.settings.kafka.deadletter_topic, origin, messages, dead)


def counted(
    header: BatchHeader, ticks: int, rejects: pl.DataFrame, dead: list[Cause], again: Mapping[int, Replay]
) -> BatchHeader:
    """The header with what became of its messages.

    A replay that is refused again is a dead letter as before, and no sign that the topic cannot be read.
    """
    invalid = [each.index for each in dead if not each.refused and each.index not in again]
    return msgspec.structs.replace(
        header,
        ticks=ticks,
        rejects=rejects.height,
        dead_letters=len(dead),
        invalid=len(invalid),
        runs=runs(invalid, header.messages),
    )


def hand_on(context: Context, read: Sequence[Ticks]) -> None:
    """Few ticks go on at once, together; many are a task of their own. A batch without any has only to land."""
    full = [each for each in read if not each.ticks.is_empty()]
    for header in (each.header for each in read if each.ticks.is_empty()):
        context.passes.arrived(header.batch_id)
        publish(app, LANDED, [header.to_json()], None)
    if sum(each.ticks.height for each in full) <= FEW:
        join(context, full)
    else:
        for header, ticks in full:
            claims.put(context.redis, header.claim(TICKS), frame_to_bytes(ticks))
            publish(app, ENRICH, header.to_json())
    claims.drop(context.redis, *(each.header.claim(RAW) for each in read))
