//! What every metadata store must do, as one suite: SQLite, Postgres and the twin in memory pass it. It knows the
//! traits only. Each case gets an empty store and a clock that stands still until the case moves it.

#![allow(clippy::cloned_ref_to_slice_refs, reason = "an expected list reads as a list, whether of one or of three")]

pub mod access;
pub mod admission;
mod bench;
pub mod collecting;
pub mod deadlines;
pub mod decisions;
pub mod executions;
mod facts;
pub mod history;
pub mod leases;
pub mod outbox;
pub mod pushes;
pub mod queue;
pub mod retention;
pub mod reviews;
pub mod runs;
pub mod signoff;
pub mod triggers;

pub use bench::{Bench, LEASE, ManualClock, Store};
pub use facts::Made;

/// Makes one `#[tokio::test]` of each case. `$make` is an async function that answers `(store, keep)`: the store for a clock,
/// and whatever must live as long as it.
#[macro_export]
macro_rules! metadata_store_conformance {
    ($make:path) => {
        $crate::metadata_store_conformance! { @cases $make;
            runs: definitions_are_registered_once_and_the_last_is_in_force,
            runs: an_event_ends_in_one_run_and_a_second_like_it_is_counted,
            runs: a_skipped_event_is_recorded_with_its_reason,
            runs: an_event_can_not_start_a_run_of_an_unknown_definition,
            runs: of_many_equal_events_at_once_one_starts_a_run,
            runs: runs_are_listed_newest_first_in_pages,
            runs: the_oldest_queued_run_is_claimed_first,
            runs: a_pipeline_runs_one_run_at_a_time,
            runs: a_long_queue_does_not_starve_another_pipeline,
            runs: many_workers_at_once_never_share_a_run,
            runs: a_lease_that_ran_out_is_claimed_again_and_the_old_worker_is_fenced,
            runs: a_heartbeat_keeps_the_lease,
            runs: a_released_run_keeps_its_place,
            runs: one_run_can_be_claimed_by_name,
            runs: an_ended_run_tells_of_it_and_stays_ended,
            runs: a_run_is_cancelled_in_every_state,
            triggers: triggers_remember_fires_and_files,
            admission: a_known_event_is_seen_again_before_it_is_judged,
            admission: with_overlap_skip_one_run_goes_on,
            admission: with_overlap_skip_exactly_one_of_many_events_at_once_starts_a_run,
            admission: with_overlap_replace_the_newest_ends_the_others,
            admission: with_overlap_wait_the_queue_is_limited,
            admission: of_many_events_at_once_no_more_than_the_limit_are_queued,
            admission: what_a_person_asks_for_runs_whatever_goes_on,
            admission: a_refused_event_replaces_nothing,
            queue: the_highest_priority_is_claimed_first,
            queue: pipelines_of_equal_priority_take_turns,
            queue: a_pipeline_that_allows_several_runs_no_more_at_once,
            queue: fewer_places_than_before_hold_new_runs_back,
            queue: a_paused_pipeline_holds_its_queue,
            queue: a_paused_pipeline_that_skips_records_why,
            queue: a_run_that_was_claimed_before_goes_on_in_a_paused_pipeline,
            queue: pausing_is_recorded_once_with_who_and_when,
            triggers: a_trigger_that_is_registered_twice_keeps_its_instant,
            triggers: many_files_are_recorded_at_once,
            triggers: files_that_are_missing_for_long_are_forgotten,
            leases: a_duty_has_one_holder,
            leases: of_many_who_take_a_duty_one_gets_it,
            leases: a_holder_that_extends_keeps_its_duty,
            leases: a_duty_is_taken_over_when_its_lease_ran_out,
            leases: a_duty_that_was_let_go_is_free,
            leases: a_stale_holder_can_not_let_go_of_what_another_has,
            retention: young_runs_and_the_newest_are_kept,
            retention: what_was_pushed_approved_or_waits_never_expires,
            retention: a_run_holds_what_it_read_and_made,
            retention: everything_upstream_of_a_pushed_model_is_needed,
            retention: what_people_look_at_and_what_runs_is_needed,
            collecting: an_artifact_goes_with_the_last_run_that_holds_it,
            collecting: an_artifact_that_was_taken_up_again_stays,
            collecting: what_was_collected_is_no_history,
            collecting: what_was_collected_can_not_be_recorded_again,
            collecting: bytes_are_given_up_with_the_last_artifact_that_has_them,
            collecting: of_two_who_collect_a_run_one_does,
            outbox: notices_wait_until_they_are_due_and_settle_once,
            outbox: a_retry_lets_nothing_of_its_channel_overtake,
            outbox: notices_are_due_in_the_order_in_which_they_were_written,
            outbox: what_failed_is_undelivered_until_it_is_delivered,
            executions: an_execution_reads_back_whole,
            executions: a_failed_execution_leaves_no_artifact,
            executions: nothing_is_published_twice_or_while_it_runs,
            executions: a_write_that_fails_changes_nothing,
            executions: the_cache_knows_successes_only_and_the_newest,
            executions: the_previous_execution_is_that_of_an_earlier_run,
            executions: artifacts_are_listed_by_every_filter,
            executions: lineage_goes_both_ways,
            executions: lineage_folds_cached_executions_and_keeps_the_nearest,
            executions: a_claim_covers_its_own_run_only,
            history: previous_is_the_newest_from_a_sound_run,
            history: previous_skips_the_steps_own_inputs,
            history: previous_skips_what_the_step_made_from_the_same_inputs,
            history: what_a_sound_run_reused_is_history_although_its_maker_failed,
            history: previous_delivery_and_other_pipelines,
            history: the_latest_approved_model_follows_approvals,
            history: the_latest_pushed_model_follows_pushes,
            history: the_last_spans_include_the_asking_run,
            signoff: a_request_waits_and_an_approval_queues_the_run,
            signoff: a_quorum_needs_everybody,
            signoff: a_rejection_closes_and_a_hold_does_not,
            signoff: a_late_decision_is_recorded_without_effect,
            signoff: a_decision_on_other_evidence_is_refused,
            signoff: the_same_decision_twice_is_one,
            signoff: of_two_decisions_at_once_one_closes_the_request,
            signoff: a_newer_candidate_supersedes_the_older,
            signoff: requests_close_without_a_person_but_never_in_favour,
            signoff: a_permit_refused_at_push_leaves_the_run_to_its_worker,
            signoff: requests_are_listed_by_run_and_model,
            signoff: what_waits_is_listed_longest_waiting_first_in_pages,
            decisions: requests_and_decisions_read_back_whole,
            decisions: one_person_with_two_accounts_counts_once,
            decisions: a_failed_check_is_approved_by_overriding_only,
            decisions: a_decision_that_is_delivered_many_times_at_once_is_one,
            decisions: a_gate_has_one_open_request,
            deadlines: the_longest_due_comes_first,
            deadlines: each_thing_falls_due_once_and_is_audited,
            deadlines: of_two_who_advance_a_request_one_does,
            deadlines: a_closed_request_is_never_due,
            reviews: pokes_are_kept_and_audited_without_their_example,
            reviews: notes_go_to_the_audit_log,
            reviews: the_audit_head_follows_the_log,
            reviews: counts_follow_what_there_is_to_do,
            access: a_credential_opens_until_it_expires,
            access: of_many_who_redeem_one_gets_it,
            access: a_revoked_credential_opens_nothing,
            access: a_key_is_used_once_until_it_expires,
            access: a_post_is_replaced_where_it_is,
            pushes: a_model_is_pushed_once_a_target,
            pushes: a_push_that_was_cut_off_is_taken_over,
            pushes: a_run_is_not_stopped_while_its_model_is_being_placed,
            pushes: what_was_live_then_is_found,
            pushes: every_state_change_is_audited_and_the_chain_holds,
        }
    };
    (@cases $make:path; $($module:ident: $case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let clock = ::std::sync::Arc::new($crate::conformance::ManualClock::default());
                let (store, keep) = $make(clock.clone()).await;
                $crate::conformance::$module::$case(&$crate::conformance::Bench::new(store, clock)).await;
                drop(keep);
            }
        )*
    };
}
