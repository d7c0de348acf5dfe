//! A kill at every named place, before and after it, on both databases.

use crate::installation::{Installation, Kind, now};
use crate::random::judge;
use crate::{invariants, outcome, workload};
use countersign_ports::failpoint::{Point, Side};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

/// Lives at the same time: most of a life is waiting for leases and polls.
const AT_ONCE: usize = 6;

/// Places that are not on the way of this workload, with the reason.
fn is_elsewhere(point: Point, kind: Kind) -> Option<&'static str> {
    match point {
        Point::Hold if kind == Kind::Sqlite => Some("on SQLite there is one daemon, and no duty to share"),
        _ => None,
    }
}

/// What a quiet life ends in; none where there is no such database.
pub fn undisturbed(kind: Kind) -> Option<&'static Vec<String>> {
    static ENDS: LazyLock<[Option<Vec<String>>; 2]> = LazyLock::new(|| {
        Kind::ALL.map(|kind| {
            let begun = now();
            let mut this = Installation::new(kind)?;
            workload::live(&mut this);
            let broken = invariants::broken(&this);
            assert!(broken.is_empty(), "{broken:#?}");
            println!("a quiet life on {kind:?}: {:.1} s", (now() - begun).as_secs_f64());
            Some(outcome::of(&this))
        })
    });
    ENDS[kind as usize].as_ref()
}

/// Does the same for each, a few at a time, and answers what went wrong.
pub fn in_parallel<T: Sync + std::fmt::Debug>(cases: &[T], work: impl Fn(&T) + Sync) -> Vec<String> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) {
                    let worked = catch_unwind(AssertUnwindSafe(|| work(case)));
                    if let Err(panic) = worked {
                        let why = panic.downcast_ref::<String>().cloned();
                        let why = why.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                        let text = format!("{case:?}: {}", why.unwrap_or_default());
                        failures.lock().expect("nobody panicked here").push(text);
                    }
                }
            });
        }
    });
    failures.into_inner().expect("nobody panicked here")
}

#[test]
fn a_kill_at_every_named_place_loses_nothing_and_doubles_nothing() {
    let begun = now();
    let wanted = std::env::var("COUNTERSIGN_POINT").ok();
    let mut cases: Vec<(Kind, Point, Side)> = Vec::new();
    for point in Point::ALL.iter().filter(|point| wanted.as_deref().is_none_or(|wanted| point.as_str() == wanted)) {
        for kind in Kind::ALL.into_iter().filter(|kind| undisturbed(*kind).is_some()) {
            match is_elsewhere(*point, kind) {
                Some(why) => println!("{} on {kind:?}: {why}", point.as_str()),
                None => cases.extend(Side::ALL.map(|side| (kind, *point, side))),
            }
        }
    }
    let times: Mutex<BTreeMap<String, Duration>> = Mutex::default();
    let failures = in_parallel(&cases, |(kind, point, side)| {
        let begun = now();
        let place = format!("{}:{}", point.as_str(), side.as_str());
        let mut this = Installation::new(*kind).expect("it was there before");
        this.armed = Some(place.clone());
        workload::live(&mut this);
        assert_eq!(this.armed, None, "nothing died at {place}: the workload does not pass there");
        judge(&this, *kind);
        times.lock().expect("nobody panicked here").insert(format!("{kind:?} {place}"), now() - begun);
    });
    let times = times.into_inner().expect("nobody panicked here");
    let longest = times.iter().max_by_key(|(_, took)| **took);
    println!(
        "{} places, {} cases, {} s, the longest {longest:?}, {} failures",
        Point::ALL.len(),
        cases.len(),
        (now() - begun).as_secs(),
        failures.len()
    );
    assert!(failures.is_empty(), "{failures:#?}");
}
