//! Asks a person at the terminal.

use countersign_model::decision::DecisionKind;
use std::io::{BufRead, IsTerminal, Write};

/// What a person answered.
pub enum Answer {
    /// A decision and its reason.
    Decide(DecisionKind, String),
    /// Look at the page first.
    OpenPage,
    /// Nothing now: the run stays waiting.
    Later,
}

/// Whether somebody sits there.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Asks until the answer is one. End of input means later.
pub fn ask() -> std::io::Result<Answer> {
    let mut lines = std::io::stdin().lock().lines();
    loop {
        print!("\n  Deploy it?  [a]pprove  [r]eject  [h]old  [o]pen the page  [l]eave it waiting  › ");
        std::io::stdout().flush()?;
        let Some(line) = lines.next() else { return Ok(Answer::Later) };
        let kind = match line?.trim().to_lowercase().as_str() {
            "a" | "approve" => DecisionKind::Approve,
            "r" | "reject" => DecisionKind::Reject,
            "h" | "hold" => DecisionKind::Hold,
            "o" | "open" => return Ok(Answer::OpenPage),
            "l" | "leave" | "" => return Ok(Answer::Later),
            other => {
                println!("  `{other}` is none of a, r, h, o, l.");
                continue;
            }
        };
        print!("  Why, in a sentence?  › ");
        std::io::stdout().flush()?;
        let Some(reason) = lines.next() else { return Ok(Answer::Later) };
        let reason = reason?.trim().to_string();
        if reason.is_empty() && kind == DecisionKind::Reject {
            println!("  A rejection needs a reason.");
            continue;
        }
        return Ok(Answer::Decide(kind, reason));
    }
}
