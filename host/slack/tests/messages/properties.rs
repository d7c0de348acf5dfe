//! What holds for every message and dialog.

use super::case::Case;
use super::{generated, groups, limits};
use countersign_model::decision::{Channel, DecisionKind, RequestState};
use countersign_model::finding::{Finding, Severity, Verdict};
use countersign_slack::message::{
    Rendered, alert, decision_dialog, escalation, notice_to_person, reminder, request_message,
};
use countersign_slack::picture::{description, montage};
use proptest::prelude::*;
use serde_json::Value;

pub const KINDS: [DecisionKind; 4] =
    [DecisionKind::Approve, DecisionKind::Reject, DecisionKind::Hold, DecisionKind::Override];

fn sound(rendered: &Rendered) -> Result<(), TestCaseError> {
    let wrong = limits::of_message(&rendered.text, &rendered.blocks);
    prop_assert!(wrong.is_empty(), "{wrong:#?}\n{}", rendered.blocks);
    Ok(())
}

fn buttons(rendered: &Rendered) -> Vec<&Value> {
    let blocks = rendered.blocks.as_array().into_iter().flatten();
    blocks.filter(|block| block["type"] == "actions").flat_map(|block| block["elements"].as_array().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_request_keeps_the_limits(case in generated::case()) {
        let rendered = request_message(&case.situation());
        sound(&rendered)?;
        let text = rendered.blocks.to_string();
        prop_assert!(text.contains(&case.request.evidence_digest.short()));
        prop_assert!(text.contains("#18204"));
    }

    #[test]
    fn only_an_open_request_can_be_decided_and_buttons_carry_its_handle_only(case in generated::case()) {
        let rendered = request_message(&case.situation());
        let buttons = buttons(&rendered);
        let has = |action: &str| buttons.iter().any(|button| button["action_id"] == format!("countersign.{action}"));
        let open = case.request.state == RequestState::Open;
        let policy = &case.request.policy;
        prop_assert!(buttons.iter().all(|button| button["value"] == case.request.handle()));
        prop_assert_eq!(has("open"), case.page.is_some());
        prop_assert_eq!((has("reject"), has("hold")), (open, open));
        let may_approve = open && !policy.approvers.is_empty() && policy.approve_on.contains(&Channel::Slack);
        prop_assert_eq!(has("approve"), may_approve && case.request.verdict != Verdict::Fail);
        let may_override = policy.overriding.as_ref().is_some_and(|who| !who.approvers.is_empty() && who.on.contains(&Channel::Slack));
        prop_assert_eq!(has("override"), open && may_override && case.request.verdict == Verdict::Fail);
    }

    #[test]
    fn replies_notes_and_alerts_keep_the_limits(case in generated::case(), words in generated::words(), group in groups::group()) {
        sound(&reminder(&case.situation()))?;
        for mention in [words.as_str(), "<!subteam^S0123>", "<!channel>"] {
            sound(&escalation(&case.situation(), mention))?;
        }
        sound(&notice_to_person(&words))?;
        sound(&alert(&group.alert()))?;
    }

    #[test]
    fn dialogs_keep_the_limits_and_carry_the_handle_only(case in generated::case()) {
        for kind in KINDS {
            let view = decision_dialog(kind, &case.request.handle(), &case.situation());
            let wrong = limits::of_view(&view);
            prop_assert!(wrong.is_empty(), "{wrong:#?}\n{view}");
            prop_assert_eq!(&view["private_metadata"], &Value::from(case.request.handle()));
            prop_assert_eq!(&view["callback_id"], &Value::from(format!("countersign.decide.{kind}")));
        }
    }

    #[test]
    fn a_description_fits_a_file(case in generated::case()) {
        prop_assert!(description(&case.evidence).chars().count() <= 1_000);
    }
}

proptest! {
    // Drawing takes longer than writing.
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn a_picture_is_drawn_of_anything_and_the_same_twice(case in generated::case()) {
        let picture = montage(&case.evidence);
        prop_assert_eq!(picture.is_some(), !description(&case.evidence).is_empty());
        prop_assert_eq!(&montage(&case.evidence), &picture);
        if let Some(picture) = picture {
            prop_assert!(picture.width == 1_200 && picture.height <= 6_000);
            prop_assert!(picture.bytes.starts_with(b"\x89PNG"));
        }
    }
}

#[test]
fn a_thousand_findings_are_counted_right() {
    let finding = |number: u32| Finding {
        kind: "drift".into(),
        severity: if number < 3 { Severity::Block } else { Severity::Warn },
        subject: format!("feature_{number}"),
        message: "moved".into(),
        expected: Some("at most 0.1".into()),
        seen: Some("0.63".into()),
        previous: Some("0.02".into()),
        rows: Vec::new(),
    };
    let mut case = Case::waiting();
    case.evidence.findings = [("validation".to_string(), (0..1_000).rev().map(finding).collect())].into();
    let text = request_message(&case.situation()).blocks.to_string();
    assert!(text.contains("3 block · 997 warn"), "{text}");
    let shown = text.matches("*drift*").count();
    assert!(text.contains(&format!("… and {} more on the page", 1_000 - shown)), "{text}");
    assert!(text.contains("⛔ block: *drift* `feature_2` in `validation`"), "{text}");
    assert!(text.contains("moved · expected at most 0.1 · seen 0.63 · previous 0.02"), "{text}");
}

#[test]
fn where_approving_is_done_on_the_page_the_link_says_so() {
    let mut case = Case::waiting();
    let words = |case: &Case| {
        let rendered = request_message(&case.situation());
        buttons(&rendered).iter().map(|button| button["text"]["text"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(words(&case), ["Open and decide", "Reject", "Hold"]);
    case.request.policy.approve_on.insert(Channel::Slack);
    assert_eq!(words(&case), ["Open", "Approve", "Reject", "Hold"]);
    case.request.state = RequestState::Expired;
    assert_eq!(words(&case), ["Open"]);
    case.page = None;
    assert!(words(&case).is_empty());
}
