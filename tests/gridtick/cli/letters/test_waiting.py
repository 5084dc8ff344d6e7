"""Labels that are wrong use, and waiting for replays."""

import pytest

from gridtick.cli.letters import waiting
from gridtick.cli.letters.labels import refuse_wrong
from pipeline.errors import DataProcessingError
from pipeline.replay import Labels


@pytest.mark.parametrize("labels", [Labels(market="NO SUCH!"), Labels(product=""), Labels(tenant="a b")])
def test_a_label_that_no_message_can_bear_is_wrong_use(labels: Labels) -> None:
    with pytest.raises(DataProcessingError, match="cannot be the name of a"):
        refuse_wrong(labels)


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds


def _until(left: list[int], stopped: str = "") -> float:
    clock = _Clock()
    rest = iter(left)
    waiting.until_landed(lambda: next(rest), lambda: stopped, lambda: clock.now, clock.pause)
    return clock.now


def test_waiting_ends_when_nothing_is_left() -> None:
    assert _until([3, 3, 1, 0]) == pytest.approx(3 * waiting.LOOK_S)


def test_waiting_ends_with_a_sentence_where_a_lane_stands_or_nothing_lands() -> None:
    with pytest.raises(DataProcessingError, match=r"2 replays have not landed\. because"):
        _until([2], "because")
    with pytest.raises(DataProcessingError, match="nothing has landed, 1 replays are left"):
        _until([2, *[1] * 9_999])
