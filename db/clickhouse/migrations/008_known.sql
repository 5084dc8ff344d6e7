-- What became known in a while lies close together: prices come in the order in which they are known.
ALTER TABLE ticks ADD INDEX IF NOT EXISTS known_at_minmax known_at TYPE minmax GRANULARITY 1;
ALTER TABLE bars ADD INDEX IF NOT EXISTS updated_at_minmax updated_at TYPE minmax GRANULARITY 1
