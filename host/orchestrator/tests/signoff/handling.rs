//! What people do to a pipeline as a whole: start a run of it, pause it, let it go on.

use crate::world::{World, policy};
use countersign_model::actor::Actor;
use countersign_model::event::Cause;
use countersign_model::run::RunState;
use countersign_ports::{Desk, DeskError, StoreError};

#[tokio::test]
async fn a_person_starts_what_is_registered_and_nobody_else_does() {
    let world = World::new();
    let version = world.version(1, policy());
    let nothing = Desk::start(&world.engine, &version.name, &Actor::local("ada")).await;
    assert!(matches!(nothing, Err(DeskError::Store(StoreError::NotFound { what: "pipeline", .. }))), "{nothing:?}");
    world.store.register_pipeline(&version, &Actor::local("ada")).await.unwrap();
    let desk: &dyn Desk = &world.engine;
    let run = desk.start(&version.name, &Actor::local("ada")).await.unwrap();
    let run = world.store.run(&run).await.unwrap().unwrap();
    assert_eq!((run.state, run.cause, run.pipeline_digest), (RunState::Queued, Cause::Person, version.digest));
    let refused = desk.start(&version.name, &Actor::system("token/ci")).await;
    assert!(matches!(refused, Err(DeskError::Impossible(_))), "{refused:?}");
    assert_eq!(world.store.counts().await.unwrap().queued, 1);
    assert_eq!(world.audited("decision.refused").await, 1);
}

#[tokio::test]
async fn a_paused_pipeline_begins_nothing_until_somebody_resumes_it() {
    let world = World::new();
    let version = world.version(1, policy());
    world.store.register_pipeline(&version, &Actor::local("ada")).await.unwrap();
    let (desk, name, ada): (&dyn Desk, _, _) = (&world.engine, version.name.as_str(), Actor::local("ada"));
    assert!(desk.pause(name, &ada, "the source moves").await.unwrap());
    assert!(!desk.pause(name, &Actor::local("bob"), "again").await.unwrap());
    let paused = world.parts.triggers.paused().await.unwrap();
    assert_eq!((paused.len(), &paused[0].by, paused[0].reason.as_str()), (1, &ada, "the source moves"));
    let run = desk.start(name, &ada).await.unwrap();
    assert_eq!(world.engine.claim(None).await.unwrap(), None, "it is held");
    assert!(desk.unpause(name, &ada).await.unwrap());
    assert!(!desk.unpause(name, &ada).await.unwrap());
    assert_eq!(world.engine.claim(None).await.unwrap().map(|claim| claim.run), Some(run));
    for refused in
        [desk.pause(name, &Actor::system("cron"), "").await, desk.unpause(name, &Actor::system("cron")).await]
    {
        assert!(matches!(refused, Err(DeskError::Impossible(_))), "{refused:?}");
    }
    assert!(desk.pause("nowhere", &ada, "").await.is_err());
    assert!(world.parts.triggers.paused().await.unwrap().is_empty());
}
