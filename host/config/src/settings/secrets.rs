//! Secrets: in a file that only its owner can read, or in a variable; never in the settings themselves.

use super::layers::{Given, Layers, Origin, Written, variable_of};
use crate::diagnostics::Problem;
use crate::mask;
use crate::shape::Text;
use countersign_model::secret::Secret;
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// More than any token or key has.
const MAX_BYTES: u64 = 4096;

/// One secret: `key` plus `_file` names its file, and two variables are called after both.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Such as `slack.bot_token`.
    pub key: String,
    /// As messages call it: "the bot token".
    pub what: &'static str,
    /// What a sound one is like, in words.
    pub like: &'static str,
    /// Whether a text may be one.
    pub check: fn(&str) -> bool,
}

impl Slot {
    /// The key that names its file, as it stands in its table.
    pub fn file_key(&self) -> String {
        format!("{}_file", self.key.rsplit('.').next().unwrap_or_default())
    }

    /// How to give it, without asking anybody to show it.
    pub fn how(&self) -> String {
        let (what, key, variable) = (self.what, self.file_key(), variable_of(&self.key));
        format!("write {what} into a file that only you can read and name it in `{key}`, or set {variable}")
    }
}

/// What a table says of a secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct InTable<'a> {
    /// The name of its file.
    pub file: Option<&'a Text>,
    /// Where somebody wrote the secret itself.
    pub literal: Option<&'a Range<usize>>,
}

impl Layers<'_> {
    /// The secret of a slot, from its variable or its file.
    pub fn secret(&mut self, slot: &Slot, table: InTable<'_>) -> Given<Secret> {
        if let Some(place) = table.literal {
            let message = format!("{} can not be written here: settings are copied, committed and shown", slot.what);
            let help = format!("{}; then replace the secret, for it could be read here", slot.how());
            let problem = Problem::new("settings.secret-in-settings", message, help);
            return Err(self.refuse(&Origin::File(place.clone()), problem));
        }
        let file_key = format!("{}_file", slot.key);
        let (written, text) = match (self.variable(&slot.key), self.variable(&file_key)) {
            (Some((variable, _)), Some((other, _))) => {
                let problem =
                    Problem::new("settings.secret-twice", format!("{other} is set too"), "set one of the two");
                return Err(self.refuse(&Origin::Variable(variable), problem));
            }
            (Some((variable, text)), None) => {
                (Written { text: "", origin: Origin::Variable(variable) }, text.to_string())
            }
            (None, _) => {
                let Some(written) = self.text(&file_key, table.file) else { return Ok(None) };
                let path = self.path(&written)?;
                match read(slot, written.text, &path) {
                    Ok(text) => (written, text),
                    Err(problem) => return Err(self.refuse(&written.origin, problem)),
                }
            }
        };
        self.sound(slot, &written, &text)
    }

    fn sound(&mut self, slot: &Slot, written: &Written<'_>, text: &str) -> Given<Secret> {
        let problem = match Secret::new(text) {
            Some(secret)
                if secret.expose().bytes().all(|byte| byte.is_ascii_graphic()) && (slot.check)(secret.expose()) =>
            {
                return Ok(Some(secret));
            }
            Some(_) => Problem::new(
                "settings.bad-secret",
                format!("{} must be {}", slot.what, slot.like),
                "copy it again, whole",
            ),
            None => Problem::new("settings.empty-secret", format!("{} is empty", slot.what), slot.how()),
        };
        Err(self.refuse(&written.origin, problem))
    }
}

/// The text of a secret's file. What is in it is never part of the problem.
fn read(slot: &Slot, name: &str, path: &Path) -> Result<String, Problem> {
    let what = slot.what;
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        if mask::is_secret(name) {
            let message = format!("{what} itself seems to stand here, in place of the name of a file");
            return Problem::new("settings.secret-in-settings", message, slot.how());
        }
        let message = format!("the file of {what}, {shown}, can not be read: {error}");
        Problem::new("settings.unreadable-secret", message, slot.how())
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        let message = format!("{shown} is a folder");
        return Err(Problem::new("settings.unreadable-secret", message, "name the file in it"));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        let message = format!("the file of {what}, {shown}, can be read or changed by others (mode {mode:04o})");
        return Err(Problem::new("settings.open-secret", message, format!("run `chmod 600 '{shown}'`")));
    }
    let mut text = String::new();
    // One byte more than allowed is enough to know that it is too large. An error says no more than that it is no UTF-8.
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        let message = format!("the file of {what}, {shown}, is larger than {MAX_BYTES} bytes");
        return Err(Problem::new("settings.unreadable-secret", message, "the file holds the secret and nothing else"));
    }
    Ok(text)
}
