//! Trying the candidate and the live model before signing.

use crate::world::{World, policy};
use countersign_model::actor::Actor;
use countersign_model::decision::DecisionKind;
use countersign_model::poke::Answer;
use countersign_ports::{Desk, DeskError};
use std::collections::BTreeMap;
use std::sync::Arc;

const ANSWER: &str = r#"{"label":"1","probabilities":[["0",0.2],["1",0.8]]}"#;

fn example() -> BTreeMap<String, String> {
    BTreeMap::from([("fare".to_string(), "12.5".to_string())])
}

#[tokio::test]
async fn both_models_answer_and_the_try_is_logged() {
    let world = World::new();
    *world.runner.answer.lock().unwrap() = ANSWER.to_string();
    let first = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&first).await;
    let poke = world.engine.poke(&request.id, &Actor::local("dan"), example()).await.unwrap();
    assert!(matches!(&poke.candidate, Answer::Predicted { label, .. } if label == "1"));
    assert_eq!(poke.live, None, "nothing is live yet");
    world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    world.carry(&first).await;

    let second = world.run(&world.version(2, policy())).await;
    let request = world.waiting(&second).await;
    let poke = world.engine.poke(&request.id, &Actor::local("dan"), example()).await.unwrap();
    assert!(matches!(&poke.live, Some(Answer::Predicted { .. })));
    assert_eq!(world.store.pokes(&request.id).await.unwrap(), [poke]);
    assert_eq!(std::fs::read_dir(world.folder.path().join("scratch")).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn what_can_not_be_tried_is_said_in_words() {
    let world = World::new();
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    *world.runner.answer.lock().unwrap() = r#"{"label":"7","probabilities":[["0",2.0]]}"#.to_string();
    let poke = world.engine.poke(&request.id, &Actor::local("dan"), example()).await.unwrap();
    assert!(matches!(poke.candidate, Answer::Refused { why } if why.contains("can not be used")));
    let impossible = |tried: Result<_, DeskError>| match tried {
        Err(DeskError::Impossible(why)) => why,
        other => panic!("{other:?}"),
    };
    let large = BTreeMap::from([("fare".to_string(), "x".repeat(1 << 20))]);
    assert!(impossible(world.engine.poke(&request.id, &Actor::local("dan"), large).await).contains("bytes"));
    assert!(impossible(world.engine.poke(&request.id, &Actor::system("cron"), example()).await).contains("person"));
    world.decide(&request, "ada", DecisionKind::Reject).await.unwrap();
    assert!(impossible(world.engine.poke(&request.id, &Actor::local("dan"), example()).await).contains("rejected"));
}

#[tokio::test]
async fn a_third_try_at_a_time_waits_a_little_and_is_then_told_so() {
    let world = World::new();
    *world.runner.answer.lock().unwrap() = ANSWER.to_string();
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    let open = Arc::new(tokio::sync::Notify::new());
    *world.runner.hold_predictions.lock().unwrap() = Some(Arc::clone(&open));
    let held: Vec<_> = (0..2)
        .map(|_| {
            let (engine, request) = (world.engine.clone(), request.id);
            tokio::spawn(async move { engine.poke(&request, &Actor::local("dan"), example()).await })
        })
        .collect();
    while world.runner.ran.lock().unwrap().iter().filter(|name| *name == "predict").count() < 2 {
        tokio::task::yield_now().await;
    }
    let third = world.engine.poke(&request.id, &Actor::local("eve"), example()).await;
    assert!(matches!(third, Err(DeskError::Impossible(why)) if why.contains("others are trying")));
    for poke in held {
        open.notify_one();
        poke.await.unwrap().unwrap();
    }
}
