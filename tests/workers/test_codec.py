import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataProcessingError
from workers.codec import Messages, pack, unpack

_BYTES = st.none() | st.binary(max_size=40)
_MESSAGE = st.tuples(
    st.integers(0, 2**63 - 1), st.integers(-1, 2**62), _BYTES, _BYTES,
    st.lists(st.tuples(st.text(max_size=5), _BYTES), max_size=2),
)  # fmt: skip


@given(st.lists(_MESSAGE, max_size=20))
def test_messages_come_back_to_the_last_byte(
    rows: list[tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
) -> None:
    messages = Messages(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[1] + 1 for row in rows],
        [row[2] for row in rows],
        {at: row[4] for at, row in enumerate(rows) if row[4]},
        [row[3] for row in rows],
    )
    assert unpack(pack(messages)) == messages


def test_other_bytes_are_refused() -> None:
    with pytest.raises(DataProcessingError, match="no packed messages"):
        unpack(b"\x01nonsense")
