//! What must hold when nothing is left to do, whoever died on the way: over the record, the audit log, the artifacts' bytes, the deploy
//! directory, Slack and everything that was ever written. Must not know what happened.

mod audit;
mod places;
mod record;
mod told;

use crate::harness::{Home, Ran};
use crate::installation::Installation;
use crate::record::{Place, Record};
use countersign_slack_double::Message;

/// What an installation left.
pub struct Scene<'a> {
    pub home: &'a Home,
    pub record: &'a Record,
    pub messages: Vec<Message>,
}

/// Whatever does not hold, each with what it is about.
pub fn broken(this: &Installation) -> Vec<String> {
    broken_in(&Scene { home: &this.home, record: &this.record, messages: this.slack.messages() })
}

pub fn broken_in(scene: &Scene<'_>) -> Vec<String> {
    let mut broken = record::broken(scene.record);
    broken.extend(audit::broken(scene.record));
    broken.extend(places::broken(scene));
    broken.extend(told::broken(scene));
    let verified = verify(scene);
    if verified.code != 0 {
        broken.push(format!("the audit log is one chain: {}{}", verified.stdout, verified.stderr));
    }
    broken
}

fn verify(scene: &Scene<'_>) -> Ran {
    let mut command = scene.home.command(&["--config", "countersign.toml", "audit", "verify"]);
    if let Place::Postgres(url) = &scene.record.place {
        command.env("COUNTERSIGN_DATABASE_URL", url);
    }
    Ran::of(&command.output().expect("the binary runs"))
}
