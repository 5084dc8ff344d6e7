"""Messages of clients that are mistaken, or mean harm: from a seed, without end."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any, Final

from tests.api.fakes import GAS, NODE

# What is sent: text, bytes as a binary frame, a bytearray as a text frame, or the fragments of a text.
Sent = str | bytes | list[str] | bytearray
_ODD: Final[list[Any]] = [
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 10**400, -0.0, 1e308, 1.5, "", "x", "\x00", "é\ud83d\ude00",
    "a" * 300, [], [[]], {}, {"": None}, [None], ["x"] * 1001, {"market": 1}, GAS, [GAS], "prices",
]  # fmt: skip
_FIELDS: Final = ("op", "id", "channel", "instruments", "filter", "interval", "policy", "resume", "key", "from")
_CHANNELS: Final = ("prices", "bars", "ticks", "curves", "demo", "all")
_TOKENS: Final = (
    "p" + "0" * 31 + "1.1.1.1-0.0",
    "b" + "0" * 31 + "1.0.0.0-0.0",
    "t" + "f" * 32 + ".1.1.1-0.0",
    "p",
    "",
)


def messages(random: Random, keys: list[str]) -> Iterator[Sent]:
    """What one client sends: of all sorts, right ones among them; of some clients nothing that ends a connection at
    once, and of a few much at once."""
    sorts: list[Callable[[Random], Sent]] = [_broken, _deep, _huge, _mistyped, _fragments, _binary, _right, _right]
    sorts += [_right, _right, _binary_bytes]
    if random.random() < 0.4:
        sorts += [_bytes, _large, partial(_auth, keys)]
    count = 100 if random.random() < 0.05 else random.randrange(1, 50)
    for _ in range(count):
        yield random.choice(sorts)(random) if count < 100 else '{"op":"ping"}'


def _binary_bytes(random: Random) -> Sent:
    return random.randbytes(random.randrange(200))


def _bytes(random: Random) -> Sent:
    return bytearray(random.randbytes(random.randrange(200)))


def _broken(random: Random) -> Sent:
    text = _right_text(random)
    at = random.randrange(len(text))
    return random.choice((text[:at], text[:at] + random.choice('{}[]",:\\\x00') + text[at:], text + text, ""))


def _deep(random: Random) -> Sent:
    depth = random.choice((10, 1000, 30_000))
    return random.choice(("[" * depth, "[" * depth + "]" * depth, '{"op":' * min(depth, 10_000)))


def _huge(random: Random) -> Sent:
    number = random.choice(("9" * 5000, "1e999999", "-" + "9" * 400, "0." + "1" * 5000, "1E-999"))
    return f'{{"op":"ping","id":{number}}}'


def _mistyped(random: Random) -> Sent:
    asked = json.loads(_right_text(random))
    for _ in range(random.randrange(1, 3)):
        asked[random.choice(_FIELDS)] = random.choice(_ODD)
    return json.dumps(asked)


def _large(random: Random) -> Sent:
    length = random.choice((65_000, 65_536, 70_000))
    return json.dumps({"op": "ping", "id": 1, "more": "x" * length})


def _fragments(random: Random) -> Sent:
    text = _right_text(random)
    at = random.randrange(len(text))
    return [text[:at], "", text[at:]]


def _binary(random: Random) -> Sent:
    return _right_text(random).encode()


def _auth(keys: list[str], random: Random) -> Sent:
    return json.dumps({"op": "auth", "key": random.choice([*keys, "gt_live_x", "", "x" * 200])})


def _right(random: Random) -> Sent:
    return _right_text(random)


def _right_text(random: Random) -> str:
    number = random.randrange(1, 8)
    asked: dict[str, Any] = {"op": random.choice(("subscribe", "subscribe", "unsubscribe", "ping")), "id": number}
    if asked["op"] == "subscribe":
        asked["channel"] = random.choice(_CHANNELS)
        which = random.choice(
            ({"instruments": [GAS]}, {"instruments": [NODE, "?"]}, {"filter": {"market": "caiso"}}, {})
        )
        asked |= which
        if random.random() < 0.3:
            asked["resume"] = random.choice(_TOKENS)
        if random.random() < 0.3:
            asked["policy"] = random.choice(("conflate", "skip", "close", "none"))
        if random.random() < 0.2:
            asked["interval"] = random.choice(("5m", "1d", "10s"))
    return json.dumps(asked)
