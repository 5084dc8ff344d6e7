-- Definitions of spreads and curves whose values over all history were derived once; what lands later, its pass derives.
CREATE TABLE IF NOT EXISTS derived
(
    mark FixedString(64),
    at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree
ORDER BY mark
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0
