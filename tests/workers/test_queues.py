"""Each lane has queues of its own, and its tasks go nowhere else."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery

from service.settings import LANES, QUEUES, Lane, Settings, load
from workers import queues
from workers.broker import make_app
from workers.lanes import give_way
from workers.queues import publish, queues_of, served

TASKS = {
    queues.NORMALIZE: "normalize",
    queues.ENRICH: "enrich",
    queues.PASS: "aggregate",
    queues.LATEST: "project",
    queues.LANDED: "project",
    queues.REBUILD: "project",
}


def settings(lane: Lane, **more: str) -> Settings:
    return load({"DATA_PROC_LANE": lane, **more})


def test_no_queue_serves_two_lanes() -> None:
    assert list(queues_of("live").values()) == list(QUEUES)
    assert set(queues_of("live").values()).isdisjoint(queues_of("backfill").values())
    assert all(set(queues_of(lane)) == set(QUEUES) for lane in LANES)


def test_a_lane_reads_a_topic_of_its_own_in_a_group_of_its_own() -> None:
    live, history = settings("live"), settings("backfill")
    assert (live.lane_topic, live.lane_group) == ("ingestion.market.raw.v1", "gridtick-bridge")
    assert (history.lane_topic, history.lane_group) == ("ingestion.market.backfill.v1", "gridtick-bridge-backfill")


@pytest.mark.parametrize("lane", LANES)
def test_a_worker_serves_what_is_nearly_done_first_and_its_lane_only(lane: Lane) -> None:
    assert served(settings(lane)) == [queues_of(lane)[stage] for stage in QUEUES]
    some = settings(lane, DATA_PROC_CELERY_QUEUES="normalize,aggregate")
    assert served(some) == [queues_of(lane)["aggregate"], queues_of(lane)["normalize"]]


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("task", TASKS)
def test_a_task_goes_to_the_queue_of_its_stage_in_its_lane(lane: Lane, task: str) -> None:
    app = make_app(settings(lane))
    assert app.amqp.router.route({}, task)["queue"].name == queues_of(lane)[TASKS[task]]
    assert {queue.name for queue in app.conf.task_queues} == set(queues_of(lane).values())


@pytest.mark.parametrize("lane", LANES)
def test_a_task_is_sent_by_name_and_asks_for_no_result(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Any, ...]] = []

    def send_task(self: Celery, name: str, args: Any, **options: Any) -> None:
        sent.append((name, args, options["countdown"], options["ignore_result"]))

    monkeypatch.setattr(Celery, "send_task", send_task)
    publish(make_app(settings(lane)), queues.LANDED, [], None)
    publish(make_app(settings(lane)), queues.PASS, after_s=1.5)
    assert sent == [(queues.LANDED, ([], None), None, True), (queues.PASS, (), 1.5, True)]


@pytest.mark.parametrize(("lane", "steps"), [("live", []), ("backfill", [10])])
def test_only_history_gives_way(lane: Lane, steps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    stepped: list[int] = []
    step_back: Callable[[int], None] = stepped.append
    monkeypatch.setattr(os, "nice", step_back)
    give_way(lane)
    assert stepped == steps


def test_a_process_that_begins_slowly_is_left_to_begin() -> None:
    """On a busy machine it takes more than Celery's 4 s, and each one that is killed slows the next."""
    assert make_app(settings("live")).conf.worker_proc_alive_timeout >= 60
