//! What people read for each mistake: a sound pipeline with one thing wrong. The snapshots are the specification.

mod support;

use support::{ORIGIN, catalogue, read};

const PIPELINE: &str = include_str!("support/pipeline.toml");

/// The pipeline with `from` replaced, once.
fn with(from: &str, to: &str) -> String {
    assert_eq!(PIPELINE.matches(from).count(), 1, "`{from}` must be there once");
    PIPELINE.replacen(from, to, 1)
}

/// The pipeline with lines after it.
fn and(more: &str) -> String {
    format!("{PIPELINE}\n{more}\n")
}

macro_rules! mistakes {
    ($($name:ident: $code:literal = $text:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let text = $text;
                let found = read(&text).expect_err("this is a mistake");
                assert!(found.diagnostics.iter().any(|one| one.code == $code), "{found}");
                insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                    insta::assert_snapshot!(stringify!($name), found.render(false));
                });
            }
        )*
    };
}

const MODEL: &str =
    "inputs = { examples = \"examples\", transform = \"transform\", base = { resolve = \"latest approved model\" } }";
const TRAIN: &str = "params = { model = \"mlp\", hidden = [64, 32], epochs = 12, checkpoints = \"early and late\" }";
const GATE: &str = "after = [\"validation\", \"evaluation\", \"difficulty\"]";
const APPROVERS: &str = "approvers = [{ role = \"owner\", count = 1 }]";
const EXPIRE: &str = "expire = { after = \"7d\", then = \"hold\" }";
const SOURCE: &str = "path = \"incoming/trips-{SPAN}.csv\"";
const WAIT: &str = "overlap = \"wait\"";
const SETTLE: &str = "settle_seconds = 10";
const CRON: &str = "cron = \"0 6 * * *\"";

mistakes! {
    syntax: "file.syntax" = with("name = \"taxi-tips\"", "name = taxi-tips");
    syntax_key_twice: "file.syntax" = with("overlap = \"wait\"", "cron = \"0 7 * * *\"");
    unknown_key: "file.unknown-key" = with("limits = { memory_mib = 2048, time_seconds = 1800 }", "limit = { memory_mib = 2048 }");
    unknown_limit: "file.unknown-key" = with("time_seconds = 1800", "time_minutes = 30");
    unknown_section: "file.unknown-key" = with("[step.statistics]", "[steps.statistics]");
    signoff_key_unknown: "file.unknown-key" = with(EXPIRE, "chanel = \"slack:#ml-releases\"\nquorum = 2");
    unknown_severity: "file.unknown-key" = with("on = { block = [\"missing column\", \"type change\", \"drift\"], ask", "on = { block = [\"missing column\"], asks");
    wrong_type: "file.wrong-type" = with("overlap = \"wait\"", "overlap = true");
    wrong_type_arrival: "file.wrong-type" = with("arrival = [\"trips\"]", "arrival = { path = \"incoming/trips.csv\" }");
    wrong_type_input: "file.wrong-type" = with("inputs = { delivery = \"trips\" }", "inputs = { delivery = [\"trips\"] }");
    missing_component: "file.missing-key" = with("component = \"ingest\"\n", "");
    missing_name: "file.missing-key" = with("name = \"taxi-tips\"\n", "");
    limit_out_of_range: "file.out-of-range" = with("memory_mib = 2048", "memory_mib = 64_000");
    negative_limit: "file.out-of-range" = with("memory_mib = 2048", "memory_mib = -1");
    too_large: "file.too-large" = and(&"#".repeat(countersign_config::MAX_FILE_BYTES));
    empty: "file.missing-key" = String::new();

    no_steps: "pipeline.no-steps" = "name = \"empty\"\n".to_string();
    bad_pipeline_name: "pipeline.bad-name" = with("name = \"taxi-tips\"", "name = \"Taxi Tips\"");
    bad_step_name: "pipeline.bad-name" = and("[step.\"../evil\"]\ncomponent = \"statistics\"\ninputs = { examples = \"examples\" }\ngrant = [\"query\"]");
    duplicate_name: "pipeline.duplicate-name" = with("[signoff.release]", "[signoff.evaluation]");
    unknown_component: "pipeline.unknown-component" = with("component = \"ingest\"", "component = \"ingst\"");
    missing_input: "pipeline.missing-input" = with("transform = \"transform\", base", "base");
    unknown_port: "pipeline.unknown-port" = with("inputs = { delivery = \"trips\" }", "inputs = { delivery = \"trips\", schemas = \"schema\" }");
    gate_as_port: "pipeline.unknown-port" = with("inputs = { model = \"model\" }\nrelease = \"release\"", "inputs = { model = \"model\", release = \"release\" }");
    gate_as_input: "pipeline.gate-as-input" = with("inputs = { model = \"model\" }", "inputs = { model = \"release\" }");
    unknown_input: "pipeline.unknown-input" = with("transform = \"transform\", base", "transform = \"transfrom\", base");
    history_without_resolve: "pipeline.unknown-input" = with("previous = { resolve = \"previous statistics\" }", "previous = \"previous statistics\"");
    unknown_output: "pipeline.unknown-output" = with("checkpoints = \"model\"", "checkpoints = \"model.checkpoint\"");
    output_of_source: "pipeline.unknown-output" = with("inputs = { delivery = \"trips\" }", "inputs = { delivery = \"trips.rows\" }");
    ambiguous_output: "pipeline.ambiguous-output" = and("[step.pair]\ncomponent = \"twins\"\ninputs = { examples = \"examples\" }\n\n[step.judge]\ncomponent = \"evaluate\"\ninputs = { model = \"pair\", examples = \"examples\" }\ngrant = [\"query\"]");
    wrong_kind: "pipeline.wrong-kind" = with("transform = \"transform\", base", "transform = \"schema\", base");
    wrong_kind_of_source: "pipeline.wrong-kind" = with("component = \"statistics\"\ninputs = { examples = \"examples\" }", "component = \"statistics\"\ninputs = { examples = \"trips\" }");
    wrong_kind_nobody_makes: "pipeline.wrong-kind" = "name = \"a\"\n[source.s]\npath = \"s.csv\"\n[step.t]\ncomponent = \"statistics\"\ngrant = [\"query\"]\ninputs = { examples = \"s\" }\n".to_string();
    bad_resolver: "pipeline.bad-resolver" = with("{ resolve = \"latest approved model\" }", "{ resolve = \"latest aproved model\" }");
    resolver_of_wrong_kind: "pipeline.wrong-kind" = with("{ resolve = \"latest approved model\" }", "{ resolve = \"previous statistics\" }");
    resolver_finds_many: "pipeline.resolver-finds-many" = with(MODEL, "inputs = { examples = { resolve = \"last 7 spans\" }, transform = \"transform\" }");
    cycle: "pipeline.cycle" = with("after = [\"validation\"]\n", "after = [\"evaluation\"]\n");
    needs_itself: "pipeline.cycle" = with("after = [\"validation\"]\n", "after = [\"transform\"]\n");
    after_unknown: "pipeline.unknown-step" = with("after = [\"validation\"]\n", "after = [\"validate\"]\n");

    unknown_parameter: "pipeline.unknown-parameter" = with(TRAIN, "params = { epoch = 12 }");
    parameter_type: "pipeline.bad-parameter" = with("epochs = 12", "epochs = \"twelve\"");
    parameter_range: "pipeline.bad-parameter" = with("epochs = 12", "epochs = 0");
    parameter_choice: "pipeline.bad-parameter" = with("checkpoints = \"early and late\"", "checkpoints = \"early\"");
    parameter_choice_of_one: "pipeline.bad-parameter" = with("format = \"csv\"", "format = \"cvs\"");
    parameter_in_a_list: "pipeline.bad-parameter" = with("hidden = [64, 32]", "hidden = [64, \"32\"]");
    parameter_optional: "pipeline.bad-parameter" = with("epochs = 12", "learning_rate = \"fast\"");
    parameter_in_a_rule: "pipeline.unknown-parameter" = with("{ metric = \"auc\", at_least = 0.6 }", "{ metric = \"auc\", atleast = 0.6 }");
    parameter_choice_in_a_rule: "pipeline.bad-parameter" = with("{ metric = \"auc\", at_least = 0.6 }", "{ metric = \"acu\", at_least = 0.6 }");
    parameter_missing: "pipeline.missing-parameter" = with("label = \"big_tipper\"\n", "");
    parameter_not_in_json: "file.wrong-type" = with("epochs = 12", "epochs = 2026-11-23");
    parameter_schema_broken: "pipeline.broken-component" = and("[step.other]\ncomponent = \"broken\"\ninputs = { examples = \"examples\" }");

    capability_not_granted: "pipeline.capability-not-granted" = with("params = { format = \"csv\", split = { train = 3, eval = 1 } }\ngrant = [\"query\"]", "");
    capability_not_asked: "pipeline.capability-not-asked" = with("inputs = { statistics = \"statistics\", base =", "grant = [\"query\"]\ninputs = { statistics = \"statistics\", base =");
    capability_not_offered: "pipeline.capability-not-offered" = and("[step.other]\ncomponent = \"tensors\"\ninputs = { examples = \"examples\" }\ngrant = [\"http\"]");
    unknown_capability: "pipeline.unknown-capability" = and("[step.other]\ncomponent = \"statistics\"\ninputs = { examples = \"examples\" }\ngrant = [\"queries\"]");
    finding_kind_twice: "pipeline.duplicate-finding-kind" = with("warn = [\"new column\", ", "warn = [\"drift\", ");
    finding_kind_empty: "pipeline.bad-finding-kind" = with("warn = [\"new column\", ", "warn = [\"\", ");

    push_without_release: "pipeline.missing-release" = with("release = \"release\"\n", "");
    push_without_target: "pipeline.missing-target" = with("target = \"models/taxi-tips\"\n", "");
    push_to_nowhere: "pipeline.missing-target" = with("target = \"models/taxi-tips\"", "target = \"\"");
    release_unknown: "pipeline.unknown-gate" = with("release = \"release\"\n", "release = \"relaese\"\n");
    release_by_step: "pipeline.unknown-gate" = with("release = \"release\"\n", "release = \"evaluation\"\n");
    gate_too_late: "pipeline.gate-too-late" = with(GATE, "after = [\"evaluation\", \"push\"]");
    gate_too_early: "pipeline.gate-too-early" = with(GATE, "after = [\"validation\"]");
    target_without_push: "pipeline.not-a-push" = with("component = \"ingest\"", "component = \"ingest\"\ntarget = \"models\"");

    signoff_after_unknown: "pipeline.unknown-step" = with(GATE, "after = [\"evaluation\", \"dificulty\"]");
    signoff_after_nothing: "pipeline.nothing-to-sign" = with(GATE, "after = []");
    signoff_without_approvers: "pipeline.nobody-can-approve" = with(APPROVERS, "approvers = []");
    signoff_nowhere: "pipeline.nobody-can-approve" = with(EXPIRE, "approve_on = []");
    unknown_channel: "pipeline.unknown-channel" = with(EXPIRE, "approve_on = [\"web\", \"pages\"]");
    bad_duration: "pipeline.bad-duration" = with(EXPIRE, "expire = { after = \"one week\", then = \"hold\" }");
    expiry_never_approves: "pipeline.bad-expiry" = with(EXPIRE, "expire = { after = \"7d\", then = \"approve\" }");

    approver_is_nobody: "pipeline.bad-approver" = with(APPROVERS, "approvers = [{ count = 2 }]");
    approver_is_two: "pipeline.bad-approver" = with(APPROVERS, "approvers = [{ role = \"owner\", email = \"ada@example.org\" }]");
    approver_misspelt: "file.unknown-key" = with(APPROVERS, "approvers = [{ slack_users = \"T01/U02AB\" }]");
    approver_role_with_colon: "pipeline.bad-approver" = with(APPROVERS, "approvers = [{ role = \"slack:T01/U02AB\" }]");
    approver_bad_identities: "pipeline.bad-approver" = with(APPROVERS, "approvers = [{ slack_user = \"@ada\" }, { slack_group = \"@ml-leads\" }, { email = \"ada\" }]");
    approver_one_person_twice: "pipeline.nobody-can-approve" = with(APPROVERS, "approvers = [{ slack_user = \"T01/U02AB\", count = 2 }, { email = \"ada@example.org\" }, { email = \"Ada@example.org\" }]");
    approver_count: "file.out-of-range" = with(APPROVERS, "approvers = [{ slack_group = \"S01\", count = 0 }]");
    second_factor_without_page: "pipeline.no-second-factor" = with(EXPIRE, "approve_on = [\"slack\", \"terminal\"]\nsecond_factor = true");
    bad_channel: "pipeline.bad-channel" = with(EXPIRE, "channel = \"#ML-Releases\"");
    bad_reminder: "pipeline.bad-duration" = with(EXPIRE, "remind = \"daily\"");
    bad_escalation: "pipeline.bad-escalation" = with(EXPIRE, "escalate = { after = \"1d\", to = \"ml-leads\" }");
    escalation_too_late: "pipeline.escalation-too-late" = with(EXPIRE, "escalate = { after = \"168h\", to = \"@ml-leads\" }\nexpire = { after = \"7d\", then = \"reject\" }");
    override_by_nobody: "pipeline.nobody-can-approve" = with(EXPIRE, "override = { approvers = [], on = [] }");
    override_unknown_channel: "pipeline.unknown-channel" = with(EXPIRE, "override = { approvers = [{ role = \"owner\" }], on = [\"pages\"] }");
    canary_of_nothing: "file.out-of-range" = with(EXPIRE, "conditions = { canary_percent = 0 }");
    slice_without_a_name: "pipeline.bad-condition" = with(EXPIRE, "conditions = { except_slices = [\"company = Blue Ribbon\", \" \"] }");

    cron_with_seconds: "pipeline.bad-cron" = with(CRON, "cron = \"0 0 6 * * *\"");
    cron_short: "pipeline.bad-cron" = with(CRON, "cron = \"@dayly\"");
    cron_four_fields: "pipeline.bad-cron" = with(CRON, "cron = \"0 6 * *\"");
    cron_refused: "pipeline.bad-cron" = with(CRON, "cron = \"61 6 * * *\"");
    unknown_timezone: "pipeline.unknown-timezone" = with("\"America/Chicago\"", "\"America/Chigaco\"");
    timezone_is_a_city: "pipeline.unknown-timezone" = with("\"America/Chicago\"", "\"Chicago\"");
    arrival_of_unknown_source: "pipeline.unknown-source" = with("arrival = [\"trips\"]", "arrival = [\"trip\"]");
    unknown_overlap: "pipeline.bad-overlap" = with("overlap = \"wait\"", "overlap = \"cancel\"\nmost_running = 2");
    overlap_allows_no_number: "pipeline.missing-most-running" = with(WAIT, "overlap = \"allow\"");
    overlap_has_no_number: "pipeline.key-without-effect" = with(WAIT, "overlap = \"skip\"\nmost_running = 3");
    clock_keys_without_a_clock: "pipeline.key-without-effect" = with(CRON, "jitter_seconds = 60\nmisfire = \"skip\"");
    unknown_misfire: "pipeline.bad-misfire" = with(WAIT, "misfire = \"run_al\"\nmisfire_most = 3");
    misfire_numbers_of_another: "pipeline.key-without-effect" = with(WAIT, "misfire = \"run-latest\"\nmisfire_most = 3\nmisfire_deadline_seconds = 9");
    priority_out_of_range: "file.out-of-range" = with(WAIT, "priority = -101");
    queue_without_end: "file.out-of-range" = with(WAIT, "queue_limit = 0");
    paused_how: "pipeline.bad-while-paused" = with(WAIT, "while_paused = \"held\"");
    bad_hook: "pipeline.bad-hook" = with(WAIT, "http = [\"/hooks/orders\"]");
    after_itself: "pipeline.bad-after" = with(WAIT, "after = [\"taxi-tips\", \"Other One\"]");
    unknown_readiness: "pipeline.bad-ready" = with(SETTLE, "ready = \"rename\"\nmarker = \"_SUCCESS\"");
    marker_without_a_name: "pipeline.missing-marker" = with(SETTLE, "ready = \"marker\"");
    marker_without_effect: "pipeline.key-without-effect" = with(SETTLE, "marker = \"_SUCCESS\"");
    marker_elsewhere: "pipeline.bad-marker" = with(SETTLE, "ready = \"marker\"\nmarker = \"done/{NAME}\"");
    marker_is_the_file: "pipeline.bad-marker" = with(SETTLE, "ready = \"marker\"\nmarker = \"{NAME}\"");
    object_without_a_key: "pipeline.bad-source-path" = with(SOURCE, "path = \"s3://deliveries\"");
    object_without_a_bucket: "pipeline.bad-source-path" = with(SOURCE, "path = \"s3://My_Bucket/trips.csv\"");
    object_climbs: "pipeline.bad-source-path" = with(SOURCE, "path = \"s3://deliveries/trips/../{SPAN}.csv\"");
    object_span_in_a_folder: "pipeline.bad-source-path" = with(SOURCE, "path = \"s3://deliveries/{YYYY}/all/trips.csv\"");
    object_of_another_kind: "pipeline.bad-source-path" = with(SOURCE, "path = \"S3://deliveries/{SPAN}.csv\"");
    unknown_retry: "file.unknown-key" = and("[step.model.retry]\ntries = 3");
    retry_never: "file.out-of-range" = and("[step.model.retry]\nattempts = 0");
    retry_pauses_cross: "pipeline.bad-retry" = and("[step.model.retry]\npause_seconds = 60\nlongest_pause_seconds = 30");
    source_is_a_folder: "pipeline.bad-source-path" = with(SOURCE, "path = \"incoming/\"");
    source_names_span_twice: "pipeline.bad-source-path" = with(SOURCE, "path = \"incoming/{SPAN}-{YYYY}.csv\"");
    source_with_unknown_placeholder: "pipeline.bad-source-path" = with(SOURCE, "path = \"incoming/trips-{span}.csv\"");
    source_with_glob: "pipeline.bad-source-path" = with(SOURCE, "path = \"incoming/*.csv\"");

    several_at_once: "pipeline.unknown-component" = with("component = \"ingest\"", "component = \"ingst\"")
        .replace("overlap = \"wait\"", "overlp = \"wait\"").replace("epochs = 12", "epoch = 12").replace("\"evaluation\", \"difficulty\"]", "\"evaluations\", \"difficulty\"]");
}

#[test]
fn without_a_mistake_it_is_sound() {
    read(PIPELINE).unwrap_or_else(|found| panic!("{found}"));
}

#[test]
fn steps_without_end_are_refused_quickly_and_mistakes_are_counted() {
    let many: String = (0..20_000).map(|n| format!("[step.s{n}]\ncomponent = \"x\"\n")).collect();
    let found = read(&format!("name = \"many\"\n{many}")).unwrap_err();
    assert_eq!((found.diagnostics.len(), found.not_shown > 0), (50, true));
    assert!(found.render(false).ends_with("more mistakes, not shown"));
}

#[test]
fn a_mistake_is_data_too() {
    let found = read(&with("epochs = 12", "epochs = 0")).unwrap_err();
    let json = serde_json::to_value(&found).unwrap();
    let one = &json["diagnostics"][0];
    let line = PIPELINE.lines().position(|line| line.contains("epochs = 12")).unwrap();
    assert_eq!(json["origin"], ORIGIN);
    assert_eq!(one["code"], "pipeline.bad-parameter");
    assert_eq!(one["span"]["line"], line + 1);
    let column = PIPELINE.lines().nth(line).unwrap().find("12, check").unwrap();
    assert_eq!(one["span"]["column"], column + 1);
    assert_eq!(one["labels"][0]["primary"], true);
}

#[test]
fn files_that_are_no_text_or_too_large_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let ok = |_: &str| Ok(());
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        countersign_config::read_pipeline_file(&dir.path().join(name), &catalogue(), &ok).unwrap_err().to_string()
    };
    let text = file("latin1.toml", b"name = \"a\"\ndescription = \"caf\xe9\"\n");
    assert!(text.contains("file.not-utf8") && text.contains("line 2") && text.contains("latin1.toml"), "{text}");
    let text = file("large.toml", &vec![b'#'; countersign_config::MAX_FILE_BYTES + 1]);
    assert!(text.contains("file.too-large") && text.contains("1024 KiB"), "{text}");
    let missing = countersign_config::read_pipeline_file(&dir.path().join("no.toml"), &catalogue(), &ok).unwrap_err();
    assert!(missing.to_string().starts_with("read: ") && std::error::Error::source(&missing).is_some());
}
