-- Bars of every interval, recomputed and never merged: of two rows of one bar the one with the higher `ver` stands,
-- and `ver` grows with each publication that was seen, and when one is read anew. `count = 0` is a tombstone: publications, but none usable.
-- `period` keeps what a coarser bar folds from together, over all instruments (its width depends on the interval).
-- integral_head, covered_head_us: price x microseconds and microseconds of every hold but the closing tick's.
-- late_*: identities first known after `end` plus grace; those that no coarser bar may count otherwise are a number,
-- the others keep their instants, because a coarser bar ends later.
CREATE TABLE IF NOT EXISTS bars
(
    tenant LowCardinality(String),
    interval LowCardinality(String),
    period DateTime('UTC') CODEC(Delta, ZSTD(1)),
    instrument LowCardinality(String),
    start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    end DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    open Decimal64(9) CODEC(Delta, ZSTD(1)),
    high Decimal64(9) CODEC(Delta, ZSTD(1)),
    low Decimal64(9) CODEC(Delta, ZSTD(1)),
    close Decimal64(9) CODEC(Delta, ZSTD(1)),
    volume Nullable(Decimal128(9)) CODEC(ZSTD(1)),
    pv Int256 CODEC(ZSTD(1)),
    first_start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    last_start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    last_ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    last_hold_us Int64 CODEC(ZSTD(1)),
    integral_head Int128 CODEC(ZSTD(1)),
    covered_head_us Int64 CODEC(ZSTD(1)),
    count UInt64 CODEC(ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    corrections UInt64 CODEC(ZSTD(1)),
    late_sure UInt64 CODEC(ZSTD(1)),
    late_at Array(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    late_n Array(UInt64) CODEC(ZSTD(1)),
    updated_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    ver UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(start)
ORDER BY (tenant, interval, period, instrument, start)
SETTINGS index_granularity = 512, min_compress_block_size = 4096, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
