//! Situations that nobody would think of: long names, thousands of findings, emoji, right-to-left text, hostile mrkdwn, none or many
//! of everything, in every state.

use super::case::{Case, run_id};
use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Channel, DecisionKind, RequestState};
use countersign_model::evidence::{Shown, ShownDifficulty, ShownDrift, ShownExample, ShownMetric, ShownSlice};
use countersign_model::finding::{Finding, Severity, Verdict};
use countersign_model::policy::{Escalation, Expiry, ExpiryAction, Overriding, RoleQuorum};
use countersign_model::run::{RunEnd, RunState};
use proptest::prelude::*;
use std::cell::Cell;

/// Text that means something to Slack, to a bidirectional layout, or to JSON.
const HOSTILE: [&str; 26] = [
    "<!channel>",
    "<@U0EVIL|x>",
    "<https://evil.example|Approve>",
    "https://evil.example",
    "@here",
    "#general",
    "`",
    "```",
    "*b*",
    "_i_",
    "~s~",
    "&",
    "&lt;",
    ">",
    "|",
    ":tada:",
    "\u{202e}",
    "\u{2066}",
    "שלום",
    "مرحبا 12",
    "👩‍👩‍👧‍👦",
    "日本語",
    "\0\u{7}\u{9b}",
    "\n\n",
    "\"\\",
    "pickup_census_tract",
];

fn text() -> impl Strategy<Value = String> {
    let pieces =
        prop::collection::vec(prop::sample::select(HOSTILE.to_vec()), 0..12).prop_map(|pieces| pieces.join(" "));
    let long =
        (prop::sample::select(HOSTILE.to_vec()), 100_usize..2_000).prop_map(|(piece, times)| piece.repeat(times));
    prop_oneof![5 => pieces, 3 => any::<String>(), 2 => "[a-z_ ]{0,40}", 1 => long]
}

/// Where the values of one situation come from: pools that are gone round, and one number that decides the rest.
#[derive(Debug)]
pub struct Source {
    texts: Vec<String>,
    numbers: Vec<Option<f64>>,
    sizes: Vec<usize>,
    choices: Vec<u8>,
    at: Cell<usize>,
}

impl Source {
    fn next(&self) -> usize {
        self.at.set(self.at.get() + 1);
        self.at.get()
    }

    pub fn text(&self) -> String {
        self.texts[self.next() % self.texts.len()].clone()
    }

    fn maybe(&self) -> Option<String> {
        self.yes().then(|| self.text())
    }

    fn number(&self) -> Option<f64> {
        self.numbers[self.next() % self.numbers.len()]
    }

    pub fn size(&self) -> usize {
        self.sizes[self.next() % self.sizes.len()]
    }

    pub fn whole(&self) -> u64 {
        (self.size() as u64).pow(3)
    }

    pub fn choice(&self, of: u8) -> u8 {
        self.choices[self.next() % self.choices.len()] % of
    }

    pub fn yes(&self) -> bool {
        self.choice(2) == 1
    }

    pub fn many<T, C: FromIterator<T>>(&self, most: usize, make: impl Fn() -> T) -> C {
        (0..self.size().min(most)).map(|_| make()).collect()
    }

    fn verdict(&self) -> Verdict {
        [Verdict::Pass, Verdict::NeedsPerson, Verdict::Fail][usize::from(self.choice(3))]
    }

    fn actor(&self) -> Actor {
        match self.choice(3) {
            0 => Actor::slack("T01", "U02AB"),
            1 => Actor::slack("T01", &self.text()),
            _ => Actor::local(&self.text()),
        }
    }

    pub fn finding(&self) -> Finding {
        Finding {
            kind: self.text(),
            severity: [Severity::Info, Severity::Warn, Severity::Ask, Severity::Block][usize::from(self.choice(4))],
            subject: self.text(),
            message: self.text(),
            expected: self.maybe(),
            seen: self.maybe(),
            previous: self.maybe(),
            rows: Vec::new(),
        }
    }

    fn conditions(&self) -> Conditions {
        let canary_percent = self.yes().then_some(10);
        Conditions { canary_percent, except_slices: self.many(20, || self.text()) }
    }

    fn channels(&self) -> std::collections::BTreeSet<Channel> {
        let all = [Channel::Page, Channel::Slack, Channel::Terminal];
        all.into_iter().filter(|_| self.yes()).collect()
    }

    fn quorums(&self) -> Vec<RoleQuorum> {
        self.many(40, || {
            let role = match self.choice(4) {
                0 => "slack:T01/U02AB".to_string(),
                1 => "slack-group:S0123".to_string(),
                2 => format!("email:{}", self.text()),
                _ => self.text(),
            };
            RoleQuorum { role, count: 1 + u32::from(self.choice(4)) }
        })
    }
}

/// A source.
pub fn source() -> impl Strategy<Value = Source> {
    let number = prop_oneof![prop::num::f64::ANY.prop_map(Some), (0.0..1.0).prop_map(Some), Just(None)];
    let size = prop_oneof![3 => 0_usize..6, 2 => 6_usize..60, 1 => 60_usize..5_000];
    (
        prop::collection::vec(text(), 1..14),
        prop::collection::vec(number, 1..9),
        prop::collection::vec(size, 1..8),
        prop::collection::vec(any::<u8>(), 40..90),
    )
        .prop_map(|(texts, numbers, sizes, choices)| Source { texts, numbers, sizes, choices, at: Cell::new(0) })
}

/// A situation.
pub fn case() -> impl Strategy<Value = Case> {
    source().prop_map(|source| make(&source))
}

fn make(from: &Source) -> Case {
    let mut case = Case::waiting();
    case.request.pipeline = from.text();
    case.evidence.pipeline = case.request.pipeline.clone();
    case.request.gate = from.text();
    if from.yes() {
        case.evidence.baseline = None;
    }
    case.evidence.verdicts = from.many(60, || (from.text(), from.verdict()));
    case.evidence.findings = (0..from.choice(4))
        .map(|step| (format!("{step}{}", from.text()), from.many(5_000, || from.finding())))
        .collect();
    case.evidence.changes = from.many(50, || from.text());
    case.evidence.shown = shown(from);
    case.request.verdict = case.evidence.verdict();
    policy(from, &mut case);
    case.decisions = from.many(60, || {
        let kind = [DecisionKind::Approve, DecisionKind::Hold, DecisionKind::Override, DecisionKind::Reject];
        let mut decision = case.decision(kind[usize::from(from.choice(3))], from.actor(), &from.text(), &from.text());
        decision.late = from.choice(4) == 0;
        decision.roles = from.many(20, || from.text());
        decision.conditions = from.conditions();
        decision
    });
    state(from, &mut case);
    case.page = from.yes().then(|| "https://countersign.example.org/r/run_1?a=1&b=2".to_string());
    case.picture = from.yes().then(|| "F0PICTURE".to_string());
    case.tallied()
}

fn policy(from: &Source, case: &mut Case) {
    let policy = &mut case.request.policy;
    policy.approvers = from.quorums();
    policy.approve_on = from.channels();
    policy.second_factor = from.yes();
    policy.overriding = from.yes().then(|| Overriding { approvers: from.quorums(), on: from.channels() });
    policy.remind_seconds = from.yes().then(|| from.whole());
    policy.escalate = from.yes().then(|| Escalation { after_seconds: from.whole(), to: from.text() });
    let then = if from.yes() { ExpiryAction::Hold } else { ExpiryAction::Reject };
    policy.expire = from.yes().then(|| Expiry { after_seconds: from.whole(), then });
    policy.conditions = from.conditions();
}

fn state(from: &Source, case: &mut Case) {
    case.request.progress.overdue = from.yes();
    case.request.state = match from.choice(12) {
        0..5 => RequestState::Open,
        5 => RequestState::Rejected,
        6 => RequestState::Superseded { by: run_id(9) },
        7 => RequestState::Expired,
        8 => RequestState::Cancelled,
        9 => RequestState::Void { reason: from.text() },
        _ => RequestState::Approved,
    };
    case.push = from.yes().then(|| case.placement(&from.text(), from.yes()));
    let ends = [
        RunEnd::Succeeded,
        RunEnd::Failed { step: from.text(), message: from.text() },
        RunEnd::Blocked { step: from.text(), reasons: from.many(30, || from.text()) },
        RunEnd::Cancelled { by: from.actor() },
    ];
    if from.yes() {
        case.run.state = RunState::Ended { end: ends[usize::from(from.choice(4))].clone() };
    }
}

fn shown(from: &Source) -> Shown {
    let slice = || ShownSlice {
        slice: from.text(),
        examples: from.whole(),
        metric: from.text(),
        candidate: from.number(),
        baseline: from.number(),
        margin: from.number(),
    };
    Shown {
        rows: from.many(30, || (from.text(), from.whole())),
        rows_set_aside: from.whole(),
        metrics: from.many(200, || ShownMetric {
            name: from.text(),
            candidate: from.number(),
            baseline: from.number(),
        }),
        slices: from.many(500, slice),
        regressions: from.many(500, slice),
        rows_before: from.many(30, || (from.text(), from.whole())),
        schema_changes: from.many(300, || from.text()),
        drift: from.many(5_000, || ShownDrift {
            feature: from.text(),
            effect: from.number().unwrap_or(0.4),
            threshold: from.number().unwrap_or(0.1),
        }),
        model_bytes: from.yes().then(|| from.whole()),
        live_bytes: from.yes().then(|| from.whole()),
        difficulty: from.yes().then(|| difficulty(from)),
    }
}

fn difficulty(from: &Source) -> ShownDifficulty {
    ShownDifficulty {
        variant: from.text(),
        error_by_decile: from.many(20, || from.number().unwrap_or(0.1)),
        direction: if from.yes() { "high = hard".into() } else { from.text() },
        hardest_tenth_error_share: from.number().unwrap_or(0.4),
        base_error: from.number(),
        hardest_class: from.yes().then(|| (from.text(), 0.3)),
        overlap_with_aum: from.number(),
        suspected_mislabelled: from.whole(),
        hardest: from.many(20, || ShownExample {
            row: from.whole(),
            label: from.text(),
            predicted: from.text(),
            score: from.number().unwrap_or(1.0),
            columns: from.many(30, || (from.text(), from.text())),
        }),
    }
}

/// Text for a note or a mention.
pub fn words() -> impl Strategy<Value = String> {
    text()
}
