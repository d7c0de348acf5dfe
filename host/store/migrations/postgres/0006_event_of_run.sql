-- The same tables and indexes as those of SQLite.
CREATE INDEX events_of_run ON events (run);
