-- Files that are not listed any more are forgotten after a while.

-- Since when; none while it is listed.
ALTER TABLE seen_files ADD COLUMN missing_since BIGINT;
