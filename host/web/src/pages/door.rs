//! Signing in, and what is said when something is not done.

use super::shell::{Frame, Shell};
use askama::Template;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInTemplate<'a> {
    shell: Shell<'a>,
    next: &'a str,
    slack: bool,
}

/// How to sign in. `next`: where to go afterwards; `slack`: whether that works with Slack.
///
/// # Errors
/// When the template fails, which it does not.
pub fn sign_in(frame: &Frame<'_>, next: &str, slack: bool) -> Result<String, askama::Error> {
    SignInTemplate { shell: Shell::of(frame, ""), next, slack }.render()
}

#[derive(Template)]
#[template(path = "sign_in_go_on.html")]
struct GoOnTemplate<'a> {
    shell: Shell<'a>,
    title: &'static str,
    text: &'static str,
    button: &'static str,
    action: &'static str,
    fields: Vec<(&'static str, &'a str)>,
}

/// A one-time link was opened: a button, because a link that is only looked at must not sign anybody in.
///
/// # Errors
/// When the template fails, which it does not.
pub fn sign_in_link(frame: &Frame<'_>, secret: &str) -> Result<String, askama::Error> {
    GoOnTemplate {
        shell: Shell::of(frame, ""),
        title: "Sign in with this link",
        text: "The link works once. It was made for you alone: pass it on to nobody.",
        button: "Sign in",
        action: "/sign-in/link",
        fields: vec![("secret", secret)],
    }
    .render()
}

/// Back from Slack: a button, because an address that is only looked at must not sign anybody in.
///
/// # Errors
/// When the template fails, which it does not.
pub fn sign_in_slack(frame: &Frame<'_>, code: &str, state: &str) -> Result<String, askama::Error> {
    GoOnTemplate {
        shell: Shell::of(frame, ""),
        title: "Back from Slack",
        text: "Slack says who you are. One more step and you are in.",
        button: "Continue",
        action: "/sign-in/slack/callback",
        fields: vec![("code", code), ("state", state)],
    }
    .render()
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemTemplate<'a> {
    shell: Shell<'a>,
    status: u16,
    title: &'a str,
    text: &'a str,
}

/// What is said when something is not done.
///
/// # Errors
/// When the template fails, which it does not.
pub fn problem(frame: &Frame<'_>, status: u16, title: &str, text: &str) -> Result<String, askama::Error> {
    ProblemTemplate { shell: Shell::of(frame, ""), status, title, text }.render()
}
