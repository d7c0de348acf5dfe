//! `inbox`: everything that waits for people, and which of it waits for whoever asks.

use crate::context::Context;
use crate::exit::Exit;
use crate::service::LiveSettings;
use crate::terminal::{decision, text};
use crate::{system, wiring};
use countersign_model::decision::{Decision, DecisionKind};
use countersign_model::policy::Standing;
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::Waiting;
use countersign_ports::{Clock as _, MetadataStore, StoreError};
use serde::Serialize;

/// Requests read at once.
const PAGE: u32 = 1_000;

/// One request that waits.
#[derive(Serialize)]
struct Asked {
    request: Waiting,
    decisions: Vec<Decision>,
    standing: Standing,
    /// Whether whoever asks could sign and has not.
    for_me: bool,
    /// When nobody is waited for any longer, or the request is shown as overdue.
    deadline: Option<Timestamp>,
}

/// Lists open requests, longest waiting first.
///
/// # Errors
/// When the store fails.
pub async fn run(context: &Context) -> anyhow::Result<Exit> {
    let stores = wiring::stores(context).await?;
    let store = stores.metadata.as_ref();
    let slack = wiring::slack::connect(context, &stores)?;
    let me = wiring::directory(&LiveSettings::new(context.settings.clone()), slack.as_ref())
        .identify(&system::person()?)
        .await;
    let mut waiting = Vec::new();
    for request in every(store).await? {
        let decisions = store.decisions(&request.id).await?;
        let standing = request.policy.tally(request.verdict, &decisions);
        let wanted = match &standing {
            Standing::Open { missing, .. } => missing.keys().any(|role| me.roles.contains(role)),
            Standing::Approved | Standing::Rejected => false,
        };
        let signed =
            decisions.iter().any(|decision| decision.person == me.person && decision.kind != DecisionKind::Hold);
        let deadline = request.policy.expire.as_ref().map(|expiry| expiry.deadline(request.posted_at));
        let for_me = wanted && !signed && me.barred.is_none();
        waiting.push(Asked { request, decisions, standing, for_me, deadline });
    }
    if context.json() {
        context.print_json("inbox", &waiting)?;
    } else if waiting.is_empty() {
        println!("nothing waits for anybody");
    } else {
        print(context, &waiting);
    }
    Ok(Exit::Done)
}

/// Every open request, longest waiting first.
async fn every(store: &dyn MetadataStore) -> Result<Vec<Waiting>, StoreError> {
    let mut every = Vec::new();
    loop {
        let after = every.last().map(|last: &Waiting| (last.posted_at, last.id));
        let page = store.waiting(after, PAGE).await?;
        if page.is_empty() {
            return Ok(every);
        }
        every.extend(page);
    }
}

fn print(context: &Context, waiting: &[Asked]) {
    let now = system::SystemClock.now();
    for one in waiting {
        let request = &one.request;
        let mark = if one.for_me { "▸ for you" } else { "  " };
        let since = text::duration(now.since(request.posted_at));
        println!(
            "{mark} {} · {} · evidence {} · waiting {since} · {}",
            request.pipeline,
            request.run,
            request.evidence_digest.short(),
            standing(&one.standing)
        );
        if let Some(deadline) = one.deadline {
            let at = deadline.to_utc().format("%Y-%m-%d %H:%M UTC");
            println!("    {} {at}", if deadline <= now { "overdue since" } else { "until" });
        }
        for said in &one.decisions {
            println!("    {}", decision::line(said));
        }
    }
    println!("\n  {} show RUN, then approve, reject or hold", context.prefix);
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Open { held, missing } => {
            let missing: Vec<String> = missing.iter().map(|(role, count)| format!("{count} × {role}")).collect();
            format!("{}wants {}", if *held { "on hold, " } else { "" }, text::safe(&missing.join(", ")))
        }
        Standing::Approved => "approved".to_string(),
        Standing::Rejected => "rejected".to_string(),
    }
}
