-- Every publication: a value for an identity, from one row of one message. All else is derived from this table.
-- Sorted by identity, then by the order of an identity's publications. The bucket is 10 seconds for stream ticks
-- (their bars fold into 1m) and the UTC day for documents (one node's days lie together).
CREATE TABLE IF NOT EXISTS ticks
(
    tenant LowCardinality(String),
    instrument LowCardinality(String),
    market LowCardinality(String),
    product LowCardinality(String),
    location LowCardinality(Nullable(String)),
    location_type LowCardinality(Nullable(String)),
    ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    source_rank UInt8 CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    end Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)),
    hold_end Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)),
    price Decimal64(9) CODEC(Delta, ZSTD(1)),
    energy Nullable(Decimal64(9)) CODEC(Delta, ZSTD(1)),
    congestion Nullable(Decimal64(9)) CODEC(Delta, ZSTD(1)),
    loss Nullable(Decimal64(9)) CODEC(Delta, ZSTD(1)),
    ghg Nullable(Decimal64(9)) CODEC(Delta, ZSTD(1)),
    volume Nullable(Decimal64(9)) CODEC(ZSTD(1)),
    bid Nullable(Decimal64(9)) CODEC(Delta, ZSTD(1)),
    ask Nullable(Decimal64(9)) CODEC(Delta, ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    version Int64 CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    known_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    topic_id LowCardinality(String),
    partition Int32 CODEC(ZSTD(1)),
    offset Int64 CODEC(Delta, ZSTD(1)),
    row Int32 CODEC(Delta, ZSTD(1)),
    parser_version UInt16 CODEC(ZSTD(1)),
    bucket DateTime('UTC') MATERIALIZED if(source_rank = 1, toDateTime(intDiv(toUnixTimestamp64Micro(ts), 10000000) * 10, 'UTC'), toDateTime(intDiv(toUnixTimestamp64Micro(ts), 86400000000) * 86400, 'UTC')) CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(parser_version)
PARTITION BY toYYYYMM(ts)
PRIMARY KEY (tenant, bucket, instrument, ts)
ORDER BY (tenant, bucket, instrument, ts, source_rank, event_id, version, known_at, topic_id, partition, offset, row)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0
