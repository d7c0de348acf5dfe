//! A daemon is killed, and the end of the database's log did not reach the disk whole.

use crate::harness::eventually;
use crate::pipelines;
use crate::site::Site;
use std::process::Command;

const HEADER: usize = 32;
const FRAME: usize = 4096 + 24;

#[test]
fn a_log_that_is_torn_or_damaged_at_its_end_costs_no_more_than_its_end() {
    let site = Site::new(None, &[("north", pipelines::work("north"))]);
    let mut daemon = site.serve(&[]);
    site.deliver("north", 1);
    site.succeeded(1);
    site.deliver("north", 2);
    eventually("the second run is carried", || (daemon.said("run claimed").len() == 2).then_some(()));
    daemon.process.kill();
    let (state, kept) = (site.home.path().join("state"), site.home.path().join("kept"));
    copy(&state, &kept);
    let wal = std::fs::read(kept.join("metadata.db-wal")).expect("the log");
    assert!(wal.len() > HEADER + 8 * FRAME, "{} bytes", wal.len());
    let mut torn: Vec<(String, Vec<u8>)> = Vec::new();
    for lost in [
        1,
        100,
        FRAME - 24,
        FRAME,
        FRAME + 1,
        3 * FRAME + 2000,
        wal.len() / 2,
        wal.len() - HEADER,
        wal.len() - 7,
        wal.len(),
    ] {
        torn.push((format!("{lost} bytes cut off"), wal[..wal.len() - lost].to_vec()));
    }
    for back in [1, FRAME / 2, FRAME - 10, FRAME, 2 * FRAME, 3 * FRAME - 1] {
        let mut flipped = wal.clone();
        flipped[wal.len() - back] ^= 0x40;
        torn.push((format!("a bit {back} bytes before the end"), flipped));
    }
    for (index, (what, bytes)) in torn.iter().enumerate() {
        println!("{what}");
        std::fs::remove_dir_all(&state).expect("remove the state");
        copy(&kept, &state);
        // An index of the log that is not there is made again; a crash of the machine leaves none.
        std::fs::remove_file(state.join("metadata.db-shm")).expect("remove the index of the log");
        std::fs::write(state.join("metadata.db-wal"), bytes).expect("write the log");
        site.is_sound();
        if index % 4 == 3 {
            let mut daemon = site.serve(&[]);
            site.succeeded(2);
            assert_eq!(daemon.process.terminate(), 0);
            site.is_sound();
        }
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs").success());
}
