"""`python -m local.bench.api_feed RATE INSTRUMENTS`: generic ticks of the present to the raw topic, until ended."""

import sys
import time
from itertools import islice
from typing import Final

from confluent_kafka import Producer

from local.bench import ticks
from service import clock
from service.settings import load

_STEP_S: Final = 0.05
_MOST: Final = 2**31
TENANT: Final = "public"


def main(rate: str, instruments: str) -> None:
    """Sends so many ticks a second in even steps; where it falls behind it does not catch up."""
    kafka = load().kafka
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 5, "log_level": 0})
    load_of = ticks.Load(_MOST, int(instruments), tenant=TENANT, seed=1)
    endless = ticks.messages(load_of, clock.now)
    while True:
        began = time.monotonic()
        for key, value in islice(endless, round(int(rate) * _STEP_S)):
            producer.produce(kafka.raw_topic, value, key)
        producer.poll(0)
        time.sleep(max(0.0, began + _STEP_S - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
