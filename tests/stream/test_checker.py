"""The checker sees what is wrong: a right recording passes, and each of its known-wrong variants does not."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from tests.api.live.streaming import World
from tests.stream.checker import violations
from tests.stream.play import KEEP, OTHER, Recording, played
from tests.stream.truth import Frame

CHANNELS = ("prices", "bars", "ticks")


@pytest.fixture(params=CHANNELS)
async def recording(world: World, request: pytest.FixtureRequest) -> Recording:
    return await played(world, request.param)


def found(recording: Recording, frames: list[Frame], keep: int = KEEP) -> list[str]:
    return violations(recording.log, frames, recording.wanted, keep)


def places(frames: list[Frame], kind: str, **fields: object) -> list[int]:
    wanted = {"type": kind, **fields}.items()
    return [at for at, frame in enumerate(frames) if wanted <= {k: v for k, v in frame.items() if k != "data"}.items()]


def live(frames: list[Frame]) -> int:
    """An update with another one after it."""
    return places(frames, "update", replayed=False)[1]


def drop(frames: list[Frame]) -> None:
    del frames[live(frames)]


def drop_quietly(frames: list[Frame]) -> None:
    """As a server that never knew of it would."""
    at = live(frames)
    following = next(each for each in frames[at + 1 :] if each["type"] == "update")
    following["prev_seq"] = frames[at]["prev_seq"]
    del frames[at]


def drop_the_last(frames: list[Frame]) -> None:
    del frames[places(frames, "update")[-1] :]


def double(frames: list[Frame]) -> None:
    frames.insert(live(frames), deepcopy(frames[live(frames)]))


def double_a_row(frames: list[Frame]) -> None:
    data = frames[live(frames)]["data"]
    data.append(data[0])


def leave_out_a_row(frames: list[Frame]) -> None:
    frames[live(frames)]["data"].pop()


def swap(frames: list[Frame]) -> None:
    first, second = places(frames, "update", replayed=False)[:2]
    frames[first], frames[second] = frames[second], frames[first]


def be_late(frames: list[Frame]) -> None:
    """`caught_up` after a live update."""
    at = places(frames, "caught_up")[0]
    frames.insert(places(frames, "update", replayed=False)[0], frames.pop(at))


def never_catch_up(frames: list[Frame]) -> None:
    del frames[places(frames, "caught_up")[-1]]


def follow_another(frames: list[Frame]) -> None:
    frames[live(frames)]["prev_seq"] -= 1


def do_not_mark(frames: list[Frame]) -> None:
    frames[places(frames, "update", replayed=True)[-1]]["replayed"] = False


def mark(frames: list[Frame]) -> None:
    frames[live(frames)]["replayed"] = True


def swallow(reason: str) -> Callable[[list[Frame]], None]:
    def change(frames: list[Frame]) -> None:
        del frames[places(frames, "gap", reason=reason)[0]]

    change.__name__ = f"swallow_{reason}"
    return change


def name_another_gap(frames: list[Frame]) -> None:
    frames[places(frames, "gap", reason="window")[0]]["reason"] = "lost"


def begin_a_gap_elsewhere(frames: list[Frame]) -> None:
    frames[places(frames, "gap", reason="window")[0]]["from_seq"] -= 1


def show_nothing_after_a_gap(frames: list[Frame]) -> None:
    del frames[places(frames, "snapshot")[-1]]


def show_another_tenant(frames: list[Frame]) -> None:
    data = frames[live(frames)]["data"]
    data.append(data[0] | {"tenant": OTHER})


def show_another_instrument(frames: list[Frame]) -> None:
    frames[live(frames)]["data"][0]["instrument"] = "another"


def show_another_price(frames: list[Frame]) -> None:
    row = frames[live(frames)]["data"][0]
    row["price" if "price" in row else "close"] += 1


def claim_to_have_conflated(frames: list[Frame]) -> None:
    frames[live(frames)]["conflated"] = 1


def beat_elsewhere(frames: list[Frame]) -> None:
    frames[next(at for at in places(frames, "heartbeat") if frames[at]["subscriptions"])]["subscriptions"][0][
        "seq"
    ] += 1


WRONG = [
    drop, drop_quietly, drop_the_last, double, double_a_row, leave_out_a_row, swap, be_late, never_catch_up,
    follow_another, do_not_mark, mark, swallow("lost"), swallow("window"), name_another_gap, begin_a_gap_elsewhere,
    show_nothing_after_a_gap, show_another_tenant, show_another_instrument, show_another_price,
    claim_to_have_conflated, beat_elsewhere,
]  # fmt: skip


async def test_a_right_recording_passes_and_every_wrong_variant_is_seen(recording: Recording) -> None:
    assert found(recording, recording.frames) == []
    assert {frame["reason"] for frame in recording.frames if frame["type"] == "gap"} == {"lost", "window"}
    unseen = list[str]()
    for change in WRONG:
        frames = deepcopy(recording.frames)
        change(frames)
        if not found(recording, frames):
            unseen.append(change.__name__)
    assert unseen == []


async def test_a_gap_where_the_log_still_holds_all_is_seen(recording: Recording) -> None:
    assert any("still holds" in each for each in found(recording, recording.frames, keep=1000))


async def test_what_a_snapshot_shows_is_held_against_the_log(recording: Recording) -> None:
    frames = deepcopy(recording.frames)
    last = frames[places(frames, "snapshot")[-1]]
    last["data"] = frames[places(frames, "snapshot")[0]]["data"] or frames[live(frames)]["data"]
    assert found(recording, frames) != []
