//! Every message and dialog, over generated evidence: our own reading of Slack's limits, then the judgement of Slack's Python and
//! TypeScript packages.

mod case;
mod generated;
mod groups;
mod judged;
mod limits;
mod properties;
mod snapshots;
