//! `slack check`: tries every token, scope and channel that the settings and pipelines name.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::terminal::text;
use crate::wiring;
use crate::wiring::slack::{CheckLine, CheckMark};
use console::style;
use countersign_model::pipeline::Work;
use serde::Serialize;
use std::collections::BTreeSet;

/// Checks the connection; exit code 1 when something is wrong.
///
/// # Errors
/// When there is no `[slack]`, or the store fails.
pub async fn check(context: &Context) -> anyhow::Result<Exit> {
    let stores = wiring::stores(context).await?;
    let Some(slack) = wiring::slack::connect(context, &stores)? else {
        let text = "error: the settings have no [slack]: config/countersign.toml shows what it takes";
        return Err(WrongInput::new(text).into());
    };
    let settings = &context.settings;
    let configured = settings.slack.iter().flat_map(|slack| &slack.channel);
    let alerts = [&settings.alerts.blocked, &settings.alerts.failed, &settings.alerts.warned].into_iter().flatten();
    let mut channels: BTreeSet<String> = configured.chain(alerts).cloned().collect();
    for version in stores.metadata.pipelines().await? {
        for step in version.pipeline.steps {
            if let Work::Signoff(policy) = step.work {
                channels.extend(policy.channel);
            }
        }
    }
    let channels: Vec<String> = channels.into_iter().collect();
    let lines: Vec<Looked> = slack.check(&channels).await.into_iter().map(Looked::from).collect();
    let sound = lines.iter().all(|line| line.mark != "bad");
    if context.json() {
        context.print_json("slack-check", &lines)?;
    } else {
        for line in &lines {
            print(line);
        }
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Looked {
    /// `good`, `note` or `bad`.
    mark: &'static str,
    subject: String,
    found: String,
    remedy: String,
}

impl From<CheckLine> for Looked {
    fn from(line: CheckLine) -> Self {
        let mark = match line.mark {
            CheckMark::Good => "good",
            CheckMark::Note => "note",
            CheckMark::Bad => "bad",
        };
        Self { mark, subject: line.subject, found: line.found, remedy: line.remedy }
    }
}

fn print(line: &Looked) {
    let mark = match line.mark {
        "good" => style("✔").green(),
        "note" => style("·").yellow(),
        _ => style("✘").red(),
    };
    println!("  {mark} {:<26} {}", text::safe(&line.subject), text::safe(&line.found));
    if !line.remedy.is_empty() {
        println!("    {:<26} {}", "", text::safe(&line.remedy));
    }
}
