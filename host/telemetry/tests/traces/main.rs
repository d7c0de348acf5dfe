//! What a collector receives.

mod collector;
mod delivery;
mod judged;
mod story;
