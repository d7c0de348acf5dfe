//! For build scripts: builds component crates of this workspace for `wasm32-wasip2` and embeds their bytes.
//!
//! It runs a second cargo with a target directory of its own (the outer one holds its own locked), and knows nothing of what the
//! components do.

use sha2::{Digest as _, Sha256};
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-wasip2";

/// One component to embed.
pub struct Embedded<'a> {
    /// The name to embed it under.
    pub name: &'a str,
    /// Its crate.
    pub package: &'a str,
}

/// The whole of a build script: builds `components` and writes `$OUT_DIR/components.rs`, an expression of type
/// `&[(&str, &[u8], &str)]` (name, bytes, SHA-256 in hex), to be included. Builds again when a file under `watched` (relative to the workspace) changed.
pub fn build_script(components: &[Embedded<'_>], watched: &[&str]) -> ExitCode {
    match build(components, watched) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn build(components: &[Embedded<'_>], watched: &[&str]) -> Result<(), String> {
    let out = PathBuf::from(required("OUT_DIR")?);
    let workspace = workspace_root(Path::new(&required("CARGO_MANIFEST_DIR")?))?;
    for path in watched.iter().chain(&["Cargo.toml", "Cargo.lock", "sdk", "rust-toolchain.toml"]) {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }
    check_target(&required("RUSTC")?)?;

    let target_dir = target_dir(&out);
    let status = cargo(&workspace, &target_dir, components)?
        .status()
        .map_err(|error| format!("build components: start cargo: {error}"))?;
    if !status.success() {
        return Err(format!(
            "build components: cargo build --target {TARGET} failed ({status}); its messages are below"
        ));
    }
    embed(components, &target_dir.join(TARGET).join("release"), &out)
}

/// Copies the files beside the generated expression, so that a later build of the same crates can not change them unseen.
fn embed(components: &[Embedded<'_>], built: &Path, out: &Path) -> Result<(), String> {
    let mut expression = String::from("&[\n");
    for Embedded { name, package } in components {
        let from = built.join(package.replace('-', "_")).with_extension("wasm");
        let to = out.join(name).with_extension("wasm");
        fs::copy(&from, &to).map_err(|error| {
            format!(
                "embed {package}: copy {}: {error}; does it have crate-type = [\"cdylib\", \"rlib\"]?",
                from.display()
            )
        })?;
        let bytes = fs::read(&to).map_err(|error| format!("embed {package}: read {}: {error}", to.display()))?;
        // Known at build time, so that a start need not read what it does not run.
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        // Beside the generated file, so that a build directory can be moved.
        let _ = writeln!(expression, "    ({name:?}, include_bytes!(\"{name}.wasm\"), {digest:?}),");
    }
    expression.push_str("]\n");
    let file = out.join("components.rs");
    fs::write(&file, expression).map_err(|error| format!("embed components: write {}: {error}", file.display()))
}

fn cargo(workspace: &Path, target_dir: &Path, components: &[Embedded<'_>]) -> Result<Command, String> {
    let mut cargo = Command::new(required("CARGO")?);
    cargo.current_dir(workspace).args(["build", "--release", "--target", TARGET, "--target-dir"]).arg(target_dir);
    if workspace.join("Cargo.lock").is_file() {
        cargo.arg("--locked");
    }
    for Embedded { package, .. } in components {
        cargo.args(["-p", package]);
    }
    for (key, _) in env::vars_os().filter(|(key, _)| leaks(&key.to_string_lossy())) {
        cargo.env_remove(key);
    }
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(workspace).join("\x1f"))
        // Small: every machine compiles them once more. The numeric kernels keep the workspace's full optimisation by package.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s")
        // ahash draws its keys at compile time for this target; they must not differ between builds either.
        .env("CONST_RANDOM_SEED", "countersign")
        // Keeps the function names, which backtraces show.
        .env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
    Ok(cargo)
}

/// Paths are replaced so that a component's digest, and with it every cache key, is the same on every machine.
fn rust_flags(workspace: &Path) -> Vec<String> {
    let mut flags = vec!["-Ctarget-feature=+simd128".to_string()];
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    if let Some(home) = cargo_home {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
    }
    flags.push(format!("--remap-path-prefix={}=/countersign", workspace.display()));
    flags
}

/// What the outer cargo sets for this build script, or a person for the host, and what must not reach the components' build.
fn leaks(key: &str) -> bool {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_MAKEFLAGS",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTRIES_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    const DROPPED: [&str; 8] =
        ["RUSTFLAGS", "RUSTC", "RUSTDOC", "CLIPPY_", "LD_PRELOAD", "LLVM_PROFILE_FILE", "OUT_DIR", "DEP_"];
    key.starts_with("CARGO_") && !KEPT.iter().any(|kept| key.starts_with(kept))
        || DROPPED.iter().any(|dropped| key.starts_with(dropped))
}

fn check_target(rustc: &OsString) -> Result<(), String> {
    let answer = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("build components: start rustc: {error}"))?;
    let library = String::from_utf8_lossy(&answer.stdout);
    if answer.status.success() && Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    Err(format!(
        "build components: the Rust target {TARGET} is not installed: run `rustup target add {TARGET}` \
         (or `rustup toolchain install` in the repository)"
    ))
}

/// `<target>/wasm-components`, so that it survives a changed `OUT_DIR`; in `OUT_DIR` itself where cargo lays it out otherwise.
fn target_dir(out: &Path) -> PathBuf {
    out.ancestors()
        .find(|path| path.file_name().is_some_and(|name| name == "build"))
        .and_then(|build| build.parent()?.parent())
        .unwrap_or(out)
        .join("wasm-components")
}

fn workspace_root(manifest_dir: &Path) -> Result<PathBuf, String> {
    manifest_dir
        .ancestors()
        .find(|path| path.join("rust-toolchain.toml").is_file() && path.join("sdk/wit").is_dir())
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("build components: {} is in no Countersign workspace", manifest_dir.display()))
}

fn required(key: &str) -> Result<OsString, String> {
    env::var_os(key).ok_or_else(|| format!("build components: {key} is not set: is this a build script?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_build_does_not_leak_but_its_job_slots_and_registries_stay() {
        for key in ["CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_PROFILE_DEV_DEBUG"]
        {
            assert!(leaks(key), "{key}");
        }
        for key in ["CARGO_MAKEFLAGS", "CARGO_HOME", "CARGO_NET_OFFLINE", "PATH", "RUSTUP_TOOLCHAIN", "HOME", "CARGO"] {
            assert!(!leaks(key), "{key}");
        }
    }

    #[test]
    fn the_target_directory_lies_beside_the_profiles() {
        let out = Path::new("/w/target/release/build/countersign-builtins-1/out");
        assert_eq!(target_dir(out), Path::new("/w/target/wasm-components"));
        assert_eq!(target_dir(Path::new("/elsewhere/out")), Path::new("/elsewhere/out/wasm-components"));
    }
}
