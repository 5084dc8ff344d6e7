-- Of each bar that users see: the state that other consumers were told last. A hint that may be lost: a bar is then told
-- once more.
CREATE TABLE IF NOT EXISTS told
(
    tenant LowCardinality(String),
    interval LowCardinality(String),
    period DateTime('UTC') CODEC(Delta, ZSTD(1)),
    instrument LowCardinality(String),
    start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    state UInt64,
    ver UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(start)
ORDER BY (tenant, interval, period, instrument, start)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 0
