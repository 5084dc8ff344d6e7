-- Where a bar was ever a tombstone. Only a hint (the bar may have come back to life): it spares the latest price from
-- searching every instrument's bars for a newer one that holds nothing.
CREATE TABLE IF NOT EXISTS tombstones
(
    tenant LowCardinality(String),
    instrument LowCardinality(String),
    interval LowCardinality(String),
    start DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, instrument, interval, start)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS tombstones_seen TO tombstones AS
SELECT tenant, instrument, interval, start FROM bars WHERE count = 0;
