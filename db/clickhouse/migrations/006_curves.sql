-- Snapshots of forward curves, recomputed and never merged: a row a point or a refused input. Of two computations of one
-- snapshot (tenant, curve, session) the rows with the higher `ver` stand, all of them and no other; `ver` grows with the
-- publications that were seen, and below that the version of the reference. What holds for the snapshot is in each row.
CREATE TABLE IF NOT EXISTS curve_points
(
    tenant LowCardinality(String),
    curve LowCardinality(String),
    session Date32,
    role LowCardinality(String),
    number UInt16,
    start Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)),
    end Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)),
    product LowCardinality(Nullable(String)),
    price Decimal(38, 12) CODEC(ZSTD(1)),
    kind LowCardinality(String),
    flags UInt32 CODEC(ZSTD(1)),
    age UInt16 CODEC(ZSTD(1)),
    inputs Array(String) CODEC(ZSTD(1)),
    residual Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    reason Nullable(String) CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    first_known DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    known_at DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    version UInt32 CODEC(ZSTD(1)),
    partial Bool,
    ver UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYear(session)
ORDER BY (tenant, curve, session, role, number)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Of each snapshot the state that other consumers were told last. A hint that may be lost: it is then told once more.
CREATE TABLE IF NOT EXISTS curve_told
(
    tenant LowCardinality(String),
    curve LowCardinality(String),
    session Date32,
    state UInt64,
    ver UInt64
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYear(session)
ORDER BY (tenant, curve, session)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 0
