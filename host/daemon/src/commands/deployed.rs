//! `deployed`: what was live at an instant, and who signed for it.

use crate::args::DeployedArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::terminal::decision;
use crate::{system, wiring};
use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::push::Push;
use countersign_model::time::Timestamp;
use countersign_ports::Clock as _;
use serde::Serialize;

#[derive(Serialize)]
struct Deployed {
    at: Timestamp,
    push: Push,
    request: SignoffRequest,
    decisions: Vec<Decision>,
}

/// Says what was live. Exit code 1 when nothing was.
///
/// # Errors
/// When the time can not be read or the store fails.
pub async fn run(context: &Context, arguments: &DeployedArgs) -> anyhow::Result<Exit> {
    let at = arguments.at.as_deref().map_or_else(|| Ok(system::SystemClock.now()), instant)?;
    let store = wiring::metadata(context).await?;
    let Some(push) = store.live_at(&arguments.pipeline, at).await? else {
        let known = store.pipelines().await?.into_iter().map(|version| version.name).collect::<Vec<_>>();
        if !known.contains(&arguments.pipeline) {
            let text = format!("error: there is no pipeline `{}`; there are: {}", arguments.pipeline, known.join(", "));
            return Err(WrongInput::new(text).into());
        }
        if context.json() {
            context.print_json("deployed", &serde_json::json!({ "at": at, "push": null }))?;
        } else {
            println!("nothing of `{}` was live at {at}", arguments.pipeline);
        }
        return Ok(Exit::Failed);
    };
    let request = store.request(&push.request).await?.with_context(|| format!("request {} is gone", push.request))?;
    let decisions = store.decisions(&push.request).await?;
    let deployed = Deployed { at, push, request, decisions };
    if context.json() {
        context.print_json("deployed", &deployed)?;
    } else {
        print(&deployed);
    }
    Ok(Exit::Done)
}

fn print(deployed: &Deployed) {
    let push = &deployed.push;
    let since = push.completed_at.unwrap_or(push.begun_at);
    println!("model {} of {} · live at {} since {since}", push.model, push.pipeline, push.target);
    if !push.conditions.is_empty() {
        println!("  only {}", push.conditions.in_words());
    }
    println!("  made by {} · signed on evidence {}", push.run, deployed.request.evidence_digest.short());
    for said in &deployed.decisions {
        println!("  {}", decision::line(said));
    }
}

/// Reads an instant. Without an offset it is UTC; a date alone is its first moment.
fn instant(text: &str) -> anyhow::Result<Timestamp> {
    let zoned = ["%Y-%m-%dT%H:%M%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
    let plain = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f"];
    let trimmed = text.trim().trim_end_matches(" UTC");
    let with_zone = zoned.iter().find_map(|form| DateTime::parse_from_str(trimmed, form).ok());
    let without = || plain.iter().find_map(|form| NaiveDateTime::parse_from_str(trimmed, form).ok());
    let day = || trimmed.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let at: Option<DateTime<Utc>> =
        with_zone.map(|at| at.with_timezone(&Utc)).or_else(|| without().or_else(day).map(|at| at.and_utc()));
    at.map(Timestamp::from_utc).ok_or_else(|| {
        let help = "write it as 2026-11-23T12:00Z, 2026-11-23T12:00:00+01:00 or 2026-11-23";
        WrongInput::new(format!("error: `{text}` is no time: {help}")).into()
    })
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn times_read_as_people_write_them() {
        let noon = "2026-11-23T12:00:00.000000Z";
        for text in ["2026-11-23T12:00Z", "2026-11-23T12:00:00Z", "2026-11-23 12:00", "2026-11-23T13:00+01:00", noon] {
            assert_eq!(instant(text).unwrap().to_string(), noon, "{text}");
        }
        assert_eq!(instant("2026-11-23").unwrap().to_string(), "2026-11-23T00:00:00.000000Z");
        for text in ["", "yesterday", "12:00", "2026-13-01", "2026-11-23T25:00Z"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
