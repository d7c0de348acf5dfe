//! `doctor`: looks at everything an installation needs and says what to do about what is wrong.

use crate::catalogue::Installed;
use crate::commands::audit;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure;
use crate::wiring;
use console::style;
use serde::Serialize;

/// One check.
#[derive(Serialize)]
struct Check {
    what: &'static str,
    ok: bool,
    found: String,
}

impl Check {
    fn of(what: &'static str, result: anyhow::Result<String>) -> Self {
        match result {
            Ok(found) => Self { what, ok: true, found },
            Err(error) => Self { what, ok: false, found: failure::chain(error.as_ref()) },
        }
    }
}

/// Runs every check; one that fails does not hide the next.
///
/// # Errors
/// When the report can not be printed.
pub async fn run(context: &Context) -> anyhow::Result<Exit> {
    let checks = vec![
        Check::of("state directory", state_directory(context)),
        Check::of("metadata store", metadata(context).await),
        Check::of("audit log", audit_log(context).await),
        Check::of("artifact store", artifacts(context).await),
        Check::of("components", components(context).await),
        Check::of("people", people(context)),
        Check::of("time zones", Ok(format!("tz database {}", countersign_triggers::tz_database_version()))),
    ];
    let sound = checks.iter().all(|check| check.ok);
    if context.json() {
        context.print_json("doctor", &checks)?;
    } else {
        for check in &checks {
            let mark = if check.ok { style("✔").green() } else { style("✘").red() };
            println!("  {mark} {:<16} {}", check.what, check.found);
        }
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

fn state_directory(context: &Context) -> anyhow::Result<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = &context.settings.state_dir;
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(format!("{} (not there yet: the first run makes it)", path.display()));
        }
        Err(error) => return Err(error.into()),
    };
    let mode = metadata.permissions().mode() & 0o777;
    anyhow::ensure!(mode & 0o022 == 0, "{} can be written by others (mode {mode:o}): chmod go-w", path.display());
    Ok(format!("{} (mode {mode:o})", path.display()))
}

async fn metadata(context: &Context) -> anyhow::Result<String> {
    let store = wiring::metadata(context).await?;
    let pipelines = store.pipelines().await?.len();
    Ok(format!("{} · {pipelines} pipelines", wiring::store::described(context)))
}

async fn audit_log(context: &Context) -> anyhow::Result<String> {
    let verified = audit::verify(wiring::metadata(context).await?.as_ref()).await?;
    match verified.broken {
        None => Ok(format!("{} entries verified · head {}", verified.entries, verified.head.short())),
        Some(problem) => Err(anyhow::anyhow!("{problem}: restore a backup, and find out who changed it")),
    }
}

async fn artifacts(context: &Context) -> anyhow::Result<String> {
    let store = wiring::artifacts(context)?;
    let staged = store.stage().await?;
    std::fs::write(staged.join("probe"), b"probe")?;
    std::fs::remove_dir_all(&staged)?;
    Ok(format!("{} is writable", context.artifacts().display()))
}

async fn components(context: &Context) -> anyhow::Result<String> {
    let runner = wiring::sandbox(context)?;
    let installed = Installed::load(&runner, &context.settings.component_dirs, &[]).await?;
    Ok(format!("{} load: {}", installed.0.len(), installed.0.keys().cloned().collect::<Vec<_>>().join(", ")))
}

fn people(context: &Context) -> anyhow::Result<String> {
    let person = crate::system::person()?;
    let roles: Vec<String> = context.settings.identity_of(&person).roles.into_iter().collect();
    anyhow::ensure!(
        !roles.is_empty(),
        "you are {person} and hold no role, so you can sign nothing off: add yourself under [people] in countersign.toml"
    );
    Ok(format!("you are {person}: {}", roles.join(", ")))
}
