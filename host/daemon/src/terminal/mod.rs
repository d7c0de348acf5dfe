//! What people read in a terminal. Readable without colour: colour is never the only sign.

pub mod decision;
pub mod evidence;
pub mod prompt;
pub mod record;
pub mod run;
pub mod text;
pub mod watch;
