//! A small disk: a file system of a few megabytes in a mount namespace of its own, which daemons and commands are put into.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process that holds the namespace.
pub struct SmallDisk {
    holder: Child,
    mounted: PathBuf,
}

impl SmallDisk {
    /// Mounts so many KiB there. None, which is said, where nobody may: no package brings that, so not in CI either.
    pub fn mount(at: &Path, kib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).expect("create directory");
        let script = r#"mount -t tmpfs -o size="$2k",mode=700 tmpfs "$1" && echo mounted && read -r _"#;
        let mut unshare = Command::new("unshare");
        unshare.args(["-rm", "sh", "-c", script, "sh"]).arg(at).arg(kib.to_string());
        let mut holder = unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare runs");
        let mut said = String::new();
        BufReader::new(holder.stdout.take().expect("its output")).read_line(&mut said).expect("read");
        if said.trim() != "mounted" {
            eprintln!("not judged: no file system can be mounted here");
            let _ = holder.wait();
            return None;
        }
        Some(Self { holder, mounted: at.to_path_buf() })
    }

    /// The same command, where the small disk is.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        let namespaces = format!("--target={}", self.holder.id());
        inside.arg(namespaces).args(["--user", "--mount", "--preserve-credentials"]);
        // The directory is looked up there: the way from one that was opened here does not lead to what is mounted there.
        inside.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(command.get_current_dir().expect("a directory"));
        inside.arg(command.get_program()).args(command.get_args()).env_clear().stdin(Stdio::null());
        inside.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        inside
    }

    /// A path on the small disk, seen from here.
    pub fn path(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.mounted.strip_prefix("/").expect("an absolute path")).join(name)
    }

    /// Takes all space but so many KiB.
    pub fn fill(&self, left_kib: u64) {
        let free = self.free();
        let filler = std::fs::File::create(self.path("filler")).expect("create the filler");
        let taken = vec![0x5a; usize::try_from(free.saturating_sub(left_kib * 1024)).expect("a size")];
        if let Err(error) = std::io::Write::write_all(&mut &filler, &taken) {
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
        }
    }

    fn free(&self) -> u64 {
        let output = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(self.path("")).output().expect("stat runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [blocks, size] = numbers[..] else { panic!("{output:?}") };
        blocks * size
    }

    /// There is space again.
    pub fn clear(&self) {
        std::fs::remove_file(self.path("filler")).expect("remove the filler");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
