-- An event comes before the run that it names. SQLite therefore looks for events of every new run, and without this reads them all.
CREATE INDEX events_of_run ON events (run);
