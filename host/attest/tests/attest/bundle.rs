//! A bundle holds as it was written, and in no other way.

use crate::release::Release;
use countersign_attest::bundle::{Verified, verify};
use countersign_attest::{AttestFailure, Keyring};
use countersign_model::decision::{Channel, DecisionKind};
use countersign_model::digest::Digest;
use std::fs;
use std::path::{Path, PathBuf};

/// A release's bundle, and what it is verified with.
fn bundled() -> (Release, PathBuf) {
    let release = Release::signed();
    let directory = release.folder.path().join("bundle");
    release.bundle(&directory).unwrap();
    (release, directory)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

fn refusal(result: Result<Verified, AttestFailure>) -> String {
    result.expect_err("the bundle must not hold").to_string()
}

#[test]
fn a_bundle_says_what_was_signed() {
    let (release, directory) = bundled();
    let verified = verify(&directory, &release.pem()).unwrap();
    assert_eq!((&verified.evidence, &verified.policy), (&release.evidence, &release.request.policy));
    assert_eq!(verified.evidence_digest, release.request.evidence_digest);
    let people: Vec<&str> = verified.statements.iter().map(|said| said.predicate.person.as_str()).collect();
    assert_eq!(people, ["ada", "bob"]);
    assert_eq!(Vec::from_iter(verified.carried), ["evaluate.evaluation", "train.model"]);
    assert_eq!(Vec::from_iter(verified.named), ["ingest.examples"]);
    assert!(
        verified
            .statements
            .iter()
            .zip(&release.decisions)
            .all(|(said, decision)| said.is_of(decision, &release.request))
    );
}

#[test]
fn every_flipped_byte_of_every_file_is_found() {
    let (release, directory) = bundled();
    let pem = release.pem();
    let files = files(&directory);
    assert_eq!(files.len(), 12);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << (place % 8);
            fs::write(&file, &changed).unwrap();
            assert!(verify(&directory, &pem).is_err(), "{} holds with byte {place} flipped", file.display());
        }
        for changed in [&bytes[..bytes.len() - 1], &[bytes.as_slice(), b"\n"].concat()] {
            fs::write(&file, changed).unwrap();
            assert!(verify(&directory, &pem).is_err(), "{} holds with another length", file.display());
        }
        fs::write(&file, &bytes).unwrap();
        fs::rename(&file, release.folder.path().join("away")).unwrap();
        assert!(verify(&directory, &pem).is_err(), "the bundle holds without {}", file.display());
        fs::rename(release.folder.path().join("away"), &file).unwrap();
    }
    verify(&directory, &pem).unwrap();
}

#[test]
fn what_does_not_hold_is_named_with_what_was_expected() {
    let (release, directory) = bundled();
    let pem = release.pem();
    let refused = |place: &str, bytes: &[u8]| {
        let path = directory.join(place);
        let before = fs::read(&path).ok();
        fs::write(&path, bytes).unwrap();
        let said = refusal(verify(&directory, &pem));
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        said
    };
    let wanted = Digest::of(b"onnx bytes").to_string();
    let model = refused("artifacts/train.model/model.onnx", b"other bytes");
    assert!(model.contains("artifacts/train.model: tree digest"), "{model}");
    assert!(!model.contains(&wanted) && model.contains(&release.evidence.model.to_string()), "{model}");
    assert!(refused("extra.txt", b"").contains("extra.txt: expected nothing"));
    assert!(refused("artifacts/train.model/extra", b"x").contains("artifacts/train.model: tree digest"));
    assert!(refused("artifacts/ingest.examples", b"x").contains("artifacts/ingest.examples: expected nothing"));
    assert!(refused("README.txt", b"trust me").contains("README.txt: expected the text that every bundle has"));
    let pretty = String::from_utf8(fs::read(directory.join("policy.json")).unwrap()).unwrap().replace(',', ", ");
    assert!(refused("policy.json", pretty.as_bytes()).contains("policy.json: expected canonical JSON"));
    let approver = "decisions/dec_01ARZ3NDEKTSV4RRFFQ69G5FA1.approver.json";
    let other = fs::read(directory.join("decisions/dec_01ARZ3NDEKTSV4RRFFQ69G5FA2.approver.json")).unwrap();
    assert!(refused(approver, &other).contains(approver));
    std::os::unix::fs::symlink("/etc/hostname", directory.join("link")).unwrap();
    assert!(refusal(verify(&directory, &pem)).contains("link: expected a file"));
}

#[test]
fn another_key_does_not_verify_even_when_it_lies_in_the_bundle() {
    let (release, directory) = bundled();
    let other = Keyring::open_or_create(&release.folder.path().join("other")).unwrap().public_key().to_pem();
    assert!(refusal(verify(&directory, &other)).contains("signing.pub: expected the key to verify with"));
    fs::write(directory.join("signing.pub"), &other).unwrap();
    assert!(refusal(verify(&directory, &other)).contains("signed with another key"));
    assert!(verify(&directory, &release.pem()).is_err());
}

#[test]
fn what_was_signed_has_to_agree_with_the_evidence_field_by_field() {
    type Change = fn(&mut countersign_model::statement::Statement);
    let changes: [(&str, Change); 11] = [
        ("evidence", |said| said.predicate.evidence = Digest::of(b"x")),
        ("policy", |said| said.predicate.policy = Digest::of(b"x")),
        ("model", |said| said.predicate.model = Digest::of(b"x")),
        ("baseline", |said| said.predicate.baseline = None),
        ("artifacts", |said| said.predicate.artifacts.clear()),
        ("pipeline", |said| said.predicate.pipeline = "x".into()),
        ("gate", |said| said.predicate.gate = "x".into()),
        ("subject evidence.json", |said| said.subject.retain(|subject| subject.name != "evidence.json")),
        ("subject train.model/model.onnx", |said| {
            said.subject.retain(|subject| subject.name != "train.model/model.onnx")
        }),
        ("each subject once", |said| said.subject.push(said.subject[0].clone())),
        ("files of artifacts", |said| said.subject.retain(|subject| !subject.name.starts_with("ingest"))),
    ];
    for (what, change) in changes {
        let mut release = Release::signed();
        let mut decision = release.decisions[1].clone();
        release.resign(&mut decision, change);
        release.decisions[1] = decision;
        let directory = release.folder.path().join("bundle");
        let said = release.bundle(&directory).expect_err(what).to_string();
        assert!(said.contains("dec_01ARZ3NDEKTSV4RRFFQ69G5FA2") && said.contains(what), "{what}: {said}");
        assert!(!directory.exists());
    }
}

#[test]
fn decisions_have_to_be_enough_and_allowed() {
    let mut release = Release::unsigned();
    let directory = release.folder.path().join("bundle");
    let refused = |release: &Release| release.bundle(&directory).expect_err("not enough").to_string();
    assert!(refused(&release).contains("decisions that approve"));
    release.decisions.push(release.decide("01ARZ3NDEKTSV4RRFFQ69G5FA1", "ada", DecisionKind::Approve));
    assert!(refused(&release).contains("decisions that approve"));
    release.decisions.push(release.decide("01ARZ3NDEKTSV4RRFFQ69G5FA2", "ada", DecisionKind::Approve));
    assert!(refused(&release).contains("decisions that approve"), "one person counts once");
    release.decisions[1] = release.decide("01ARZ3NDEKTSV4RRFFQ69G5FA2", "bob", DecisionKind::Reject);
    assert!(refused(&release).contains("Rejected"));
    let mut slack = release.decide("01ARZ3NDEKTSV4RRFFQ69G5FA2", "bob", DecisionKind::Approve);
    slack.channel = Channel::Slack;
    release.resign(&mut slack, |_| {});
    release.decisions[1] = slack;
    assert!(refused(&release).contains("not allowed in the slack"));
    release.decisions[1] = release.decide("01ARZ3NDEKTSV4RRFFQ69G5FA2", "bob", DecisionKind::Approve);
    let mut late = release.decide("01ARZ3NDEKTSV4RRFFQ69G5FA3", "eve", DecisionKind::Reject);
    late.late = true;
    release.decisions.push(late);
    release.bundle(&directory).unwrap();
    assert_eq!(verify(&directory, &release.pem()).unwrap().statements.len(), 2);
}

#[test]
fn a_bundle_is_written_whole_into_an_empty_place_or_not_at_all() {
    let release = Release::signed();
    let directory = release.folder.path().join("bundle");
    fs::create_dir(&directory).unwrap();
    release.bundle(&directory).unwrap();
    let said = release.bundle(&directory).expect_err("it is there already").to_string();
    assert!(said.contains("is not empty"), "{said}");
    let model = release.folder.path().join("store/train.model/model.onnx");
    fs::write(model, "other bytes").unwrap();
    let second = release.folder.path().join("second");
    assert!(release.bundle(&second).is_err());
    let left: Vec<_> = fs::read_dir(release.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("second")), "{left:?}");
}
