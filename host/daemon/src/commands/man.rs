//! `man`: manual pages, made from what the command line says of itself.

use crate::args::{Cli, ManArgs};
use crate::exit::Exit;
use crate::system::SystemClock;
use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use countersign_ports::Clock as _;
use std::io::Write as _;
use std::path::Path;

/// Prints the page of the program, or writes one a command.
///
/// # Errors
/// When they can not be written.
pub fn run(arguments: &ManArgs) -> anyhow::Result<Exit> {
    let mut program = Cli::command().disable_help_subcommand(true);
    // Gives every command its whole name and the global flags.
    program.build();
    // A page without a date is refused by strict readers; it is of the day on which it was made.
    let date = SystemClock.now().to_utc().format("%Y-%m-%d").to_string();
    match &arguments.dir {
        None => {
            let (_, page) = page(program, &date).context("make the manual page")?;
            std::io::stdout().write_all(page.as_bytes()).context("print the manual page")?;
        }
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
            write(&program, dir, &date).with_context(|| format!("write manual pages into {}", dir.display()))?;
        }
    }
    Ok(Exit::Done)
}

/// The page of a command and those of the commands below it.
fn write(command: &Command, dir: &Path, date: &str) -> std::io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write(below, dir, date)?;
    }
    let (name, page) = page(command.clone(), date)?;
    std::fs::write(dir.join(name), page)
}

/// A page's name and text.
fn page(command: Command, date: &str) -> std::io::Result<(String, String)> {
    let man = Man::new(command).date(date);
    let mut page = Vec::new();
    man.render(&mut page)?;
    // Before a list of values it breaks the line twice around an empty one: strict readers want one.
    Ok((man.get_filename(), String::from_utf8_lossy(&page).replace(".br\n\n.br\n", ".sp\n")))
}
