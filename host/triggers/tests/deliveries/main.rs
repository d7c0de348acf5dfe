//! What arrives, in directories and in object stores: every file ends in exactly one event, whoever dies, sleeps or floods.
//! Unix only: the tests tell changes by the time of change of the inode.
#![cfg(unix)]

mod backfill;
mod burst;
mod files;
mod forgotten;
mod objects;
mod readers;
mod watching;
mod world;
