//! The sandbox against guests that misbehave in every way we could think of, and against files that are no components.

mod cache;
mod capabilities;
mod ends;
mod escapes;
mod excesses;
mod lies;
mod loading;
mod query_double;
mod stage;
