-- As the migration of that name for SQLite; why each column is there is said in that.

ALTER TABLE seen_files ADD COLUMN missing_since BIGINT;
