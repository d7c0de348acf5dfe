//! A database that an older version wrote opens, reads back, and what was under way in it goes on.

mod old;
mod retention;
mod signoff;
mod triggers;
