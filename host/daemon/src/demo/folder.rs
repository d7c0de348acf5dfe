//! The demo's folder: `countersign.toml`, `taxi-tips.toml`, `incoming/`, `models/`, `state/`.

use super::deliveries::{BUNDLED, make};
use crate::args::Delivery;
use anyhow::Context as _;
use chrono::NaiveDate;
use countersign_model::actor::Actor;
use std::path::{Path, PathBuf};

const PIPELINE: &str = include_str!("../../../../config/pipelines/taxi-tips.toml");
const ABOUT: &str = include_str!("../../../../config/samples/taxi/README.md");
/// The day that the bundled rows stand for.
const FIRST_DAY: &str = "2026-11-01";

/// The demo's folder.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes what is missing. Files that are there are kept: people edit them.
    ///
    /// # Errors
    /// When a file can not be written.
    pub fn prepare(root: &Path, person: &Actor, reset: bool) -> anyhow::Result<Self> {
        let folder = Self { root: root.to_path_buf() };
        if reset {
            folder.forget()?;
        }
        create_directory(&folder.incoming())?;
        keep_or_write(&folder.settings(), settings(root, person).as_bytes())?;
        keep_or_write(&folder.pipeline(), PIPELINE.as_bytes())?;
        keep_or_write(&folder.incoming().join("README.md"), ABOUT.as_bytes())?;
        keep_or_write(&folder.file(FIRST_DAY), BUNDLED)?;
        Ok(folder)
    }

    /// The settings file.
    pub fn settings(&self) -> PathBuf {
        self.root.join("countersign.toml")
    }

    /// The pipeline file.
    pub fn pipeline(&self) -> PathBuf {
        self.root.join("taxi-tips.toml")
    }

    /// Puts a delivery in as the newest day, unless the newest already is this one.
    ///
    /// # Errors
    /// When files can not be read or written.
    pub fn deliver(&self, delivery: Delivery) -> anyhow::Result<PathBuf> {
        let content = make(delivery)?;
        let newest = self.newest_day()?;
        let file = self.file(&newest);
        if std::fs::read(&file).with_context(|| format!("read {}", file.display()))? == content {
            return Ok(file);
        }
        let next = NaiveDate::parse_from_str(&newest, "%Y-%m-%d")
            .ok()
            .and_then(|day| day.succ_opt())
            .with_context(|| format!("{} names no day", file.display()))?;
        let file = self.file(&next.to_string());
        write_whole(&file, &content)?;
        Ok(file)
    }

    fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    fn file(&self, day: &str) -> PathBuf {
        self.incoming().join(format!("trips-{day}.csv"))
    }

    fn newest_day(&self) -> anyhow::Result<String> {
        let incoming = self.incoming();
        let entries = std::fs::read_dir(&incoming).with_context(|| format!("read {}", incoming.display()))?;
        let day = |name: String| Some(name.strip_prefix("trips-")?.strip_suffix(".csv")?.to_string());
        let days = entries.flatten().filter_map(|entry| day(entry.file_name().into_string().ok()?));
        days.max().with_context(|| format!("{} holds no delivery", incoming.display()))
    }

    /// Removes what the demo made, and nothing else: a mistyped `--dir` must not cost anybody their files.
    fn forget(&self) -> anyhow::Result<()> {
        for name in ["incoming", "models", "state"] {
            let path = self.root.join(name);
            if path.exists() && self.settings().exists() {
                std::fs::remove_dir_all(&path).with_context(|| format!("remove {}", path.display()))?;
            }
        }
        for path in [self.settings(), self.pipeline()] {
            if path.exists() {
                std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn settings(root: &Path, person: &Actor) -> String {
    let name = person.as_str().strip_prefix("local:").unwrap_or(person.as_str());
    let state = root.join("state");
    let pipeline = root.join("taxi-tips.toml");
    format!(
        "# The demo's settings. `countersign --demo …` uses them.\n\
         state_dir = {:?}\n\
         pipelines = [{:?}]\n\
         lease_seconds = 10\n\n\
         # Who may decide. `local` is the operating system's name of the person.\n\
         [people.you]\n\
         local = {name:?}\n\
         roles = [\"owner\"]\n",
        state.display().to_string(),
        pipeline.display().to_string(),
    )
}

fn create_directory(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("create {}", path.display()))
}

fn keep_or_write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if path.exists() { Ok(()) } else { write_whole(path, content) }
}

/// Writes beside and renames, so that nobody ever reads half a file.
fn write_whole(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let beside = path.with_extension("tmp");
    std::fs::write(&beside, content)
        .and_then(|()| std::fs::rename(&beside, path))
        .with_context(|| format!("write {}", path.display()))
}
