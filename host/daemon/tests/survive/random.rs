//! Kills at random moments. `COUNTERSIGN_KILLS` says how many in all, `COUNTERSIGN_SEED` repeats what another run found.

use crate::installation::{Installation, Kind, now};
use crate::points::{in_parallel, undisturbed};
use crate::{invariants, outcome, workload};
use std::time::Duration;

/// Kills in one life.
const IN_A_LIFE: u32 = 10;
/// How soon after a start, or after an act begins, the daemon is killed at the latest.
const LATEST: u64 = 600;

/// Random, and the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// When a daemon is to be killed.
pub struct Moments {
    dice: Dice,
    /// Kills that fall to each act.
    planned: Vec<u32>,
    act: usize,
    left: u32,
    due: Option<Duration>,
}

impl Moments {
    pub fn never() -> Self {
        Self { dice: Dice(0), planned: Vec::new(), act: 0, left: 0, due: None }
    }

    fn new(seed: u64, kills: u32) -> Self {
        let mut dice = Dice(seed);
        let mut planned = vec![0; workload::ACTS.len()];
        for _ in 0..kills {
            planned[dice.roll(workload::ACTS.len() as u64) as usize] += 1;
        }
        Self { dice, planned, act: 0, left: 0, due: None }
    }

    /// What was not done in the act before is done in this one.
    pub fn next_act(&mut self, now: Duration) {
        self.left += self.planned.get(self.act).copied().unwrap_or(0);
        self.act += 1;
        self.begin(now);
    }

    /// The daemon has started, or something else begins.
    pub fn begin(&mut self, now: Duration) {
        self.due = (self.left > 0).then(|| now + Duration::from_millis(self.dice.roll(LATEST)));
    }

    pub fn is_due(&mut self, now: Duration) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.left -= 1;
            self.due = None;
        }
        due
    }

    pub fn are_over(&self) -> bool {
        self.left == 0
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn kills_at_random_moments_lose_nothing_and_double_nothing() {
    let kills = u32::try_from(number("COUNTERSIGN_KILLS").unwrap_or(60)).expect("a small number");
    let seed = number("COUNTERSIGN_SEED").unwrap_or_else(|| now().as_secs());
    println!("COUNTERSIGN_SEED={seed} COUNTERSIGN_KILLS={kills}");
    let begun = now();
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| undisturbed(*kind).is_some()).collect();
    let lives_each = (kills / kinds.len() as u32).div_ceil(IN_A_LIFE);
    let lives: Vec<(Kind, u64)> =
        kinds.iter().flat_map(|kind| (0..lives_each).map(|life| (*kind, seed.wrapping_add(u64::from(life))))).collect();
    let failures = in_parallel(&lives, |(kind, seed)| {
        let mut this = Installation::new(*kind).expect("it was there before");
        this.moments = Moments::new(*seed, IN_A_LIFE);
        workload::live(&mut this);
        judge(&this, *kind);
    });
    let seconds = (now() - begun).as_secs();
    println!(
        "{} kills in {} lives, {seconds} s, {} failures",
        lives.len() as u32 * IN_A_LIFE,
        lives.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Everything holds, and the end is that of a quiet life.
pub fn judge(this: &Installation, kind: Kind) {
    let broken = invariants::broken(this);
    assert!(broken.is_empty(), "{broken:#?}");
    assert_same(&outcome::of(this), undisturbed(kind).expect("a quiet life"));
}

fn assert_same(found: &[String], wanted: &[String]) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).cloned().collect()
    };
    let (more, less) = (only(found, wanted), only(wanted, found));
    assert!(
        found == wanted,
        "more than in a quiet life: {more:#?}\nless: {less:#?}\n{} and {} lines",
        found.len(),
        wanted.len()
    );
}
