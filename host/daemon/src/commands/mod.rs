//! One file a command.

mod access;
mod audit;
mod backfill;
mod bundle;
mod completions;
mod config;
mod db;
mod decide;
mod demo;
mod deployed;
mod doctor;
mod events;
mod explain;
mod export;
mod follow;
mod gc;
mod inbox;
mod lineage;
mod logs;
mod man;
mod pipeline;
mod plugin;
mod report;
mod resume;
mod run;
mod runs;
mod serve;
mod show;
mod slack;
mod status;
mod verify;

use crate::args::{Cli, Command, SlackCommand};
use crate::context::Context;
use crate::exit::Exit;
use countersign_model::decision::DecisionKind;

/// Runs the command.
///
/// # Errors
/// What the command could not do; `main` prints it.
pub async fn run(cli: Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Completions { shell } => return Ok(completions::run(*shell)),
        Command::Man(arguments) => return man::run(arguments),
        Command::Demo(arguments) => return demo::run(cli.output, arguments).await,
        // Needs no installation: an auditor has none.
        Command::Verify(arguments) => return verify::run(cli.output, arguments),
        _ => {}
    }
    let context = Context::load(&cli)?;
    match cli.command {
        Command::Run(arguments) => run::run(&context, &arguments).await,
        Command::Resume(arguments) => resume::run(&context, &arguments).await,
        Command::Runs(arguments) => runs::run(&context, &arguments).await,
        Command::Show(arguments) => show::run(&context, &arguments).await,
        Command::Approve(arguments) => decide::run(&context, &arguments, DecisionKind::Approve).await,
        Command::Reject(arguments) => decide::run(&context, &arguments, DecisionKind::Reject).await,
        Command::Hold(arguments) => decide::run(&context, &arguments, DecisionKind::Hold).await,
        Command::Override(arguments) => decide::run(&context, &arguments, DecisionKind::Override).await,
        Command::Inbox => inbox::run(&context).await,
        Command::Status => status::run(&context).await,
        Command::Deployed(arguments) => deployed::run(&context, &arguments).await,
        Command::Report(arguments) => report::run(&context, &arguments).await,
        Command::Bundle(arguments) => bundle::run(&context, &arguments).await,
        Command::Access(command) => access::run(&context, &command).await,
        Command::Slack(SlackCommand::Check) => slack::check(&context).await,
        Command::Cancel(arguments) => resume::cancel(&context, &arguments).await,
        Command::Lineage(arguments) => lineage::run(&context, &arguments).await,
        Command::Explain(arguments) => explain::run(&context, &arguments).await,
        Command::Export(arguments) => export::run(&context, &arguments).await,
        Command::Serve(arguments) => serve::run(&context, &arguments).await,
        Command::Events(arguments) => events::run(&context, &arguments).await,
        Command::Logs(arguments) => logs::run(&context, &arguments).await,
        Command::Backfill(arguments) => backfill::run(&context, &arguments).await,
        Command::Gc(arguments) => gc::run(&context, &arguments).await,
        Command::Db(command) => db::run(&context, &command).await,
        Command::Plugin(command) => plugin::run(&context, &command).await,
        Command::Pipeline(command) => pipeline::run(&context, &command).await,
        Command::Config(command) => config::run(&context, &command).await,
        Command::Audit(command) => audit::run(&context, &command).await,
        Command::Doctor => doctor::run(&context).await,
        Command::Completions { .. } | Command::Demo(_) | Command::Man(_) | Command::Verify(_) => Ok(Exit::Done),
    }
}
