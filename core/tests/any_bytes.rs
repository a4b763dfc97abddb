//! Any bytes from the network get an answer, never a panic.

use cinnabar_core::{Admission, Body, Command, Config, Platform, Request, Step, Timestamp, admit};
use proptest::prelude::*;

/// Text and bytes close to what the hub understands, so that parsers are reached and not only the
/// first checks.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(topic|match|match_exact|data|id|type|retry|private|last_event_id)=[ -~é%\u{200b}]{0,30}",
        "((topic|data|id|retry)=[a-z0-9%+/{}*#]{0,12}&){0,8}",
        "[%0-9a-fA-F./\\\\]{0,40}",
        "Bearer [A-Za-z0-9_.=-]{0,60}",
        "eyJhbGciOiJIUzI1NiJ9\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,43}",
        "mercureAuthorization=[!-~]{0,40}; a=b",
    ]
}

fn fields() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name = prop_oneof![
        Just("authorization".to_owned()),
        Just("cookie".to_owned()),
        Just("last-event-id".to_owned()),
        Just("origin".to_owned()),
        Just("referer".to_owned()),
        Just("content-type".to_owned()),
        Just("accept".to_owned()),
        any::<String>(),
    ];
    let value = prop_oneof![any::<Vec<u8>>(), texts().prop_map(String::into_bytes)];
    proptest::collection::vec((name, value), 0..5)
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        texts().prop_map(|query| format!("https://hub.example/.well-known/mercure?{query}")),
        texts().prop_map(|path| format!("https://hub.example/{path}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered(
        method in prop_oneof![Just("GET".to_owned()), Just("POST".to_owned()), Just("QUERY".to_owned()), any::<String>()],
        url in url(),
        fields in fields(),
        body in prop_oneof![any::<Vec<u8>>(), texts().prop_map(String::into_bytes)],
        anonymous in any::<bool>(),
    ) {
        let config = Config::read(&Platform::new("a test"), [
            ("MERCURE_PUBLISHER_JWT_KEY".to_owned(), "k".repeat(32)),
            ("MERCURE_SUBSCRIBER_JWT_KEY".to_owned(), "k".repeat(32)),
            ("ANONYMOUS".to_owned(), if anonymous { "1" } else { "0" }.to_owned()),
        ]).unwrap();
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let request = Request::new(&method, &url, fields);
        let now = Timestamp::from_millis(1);
        let admission = match admit(&request, &config, now, &[9; 32]) {
            Step::Done(admission) => admission,
            Step::Read(unread) => unread.admit(&Body::Whole(body), now),
            Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
        };
        match admission {
            Admission::Answer(answer) => {
                let status = answer.response.status();
                prop_assert!(status.is_client_error() || status.is_success(), "{status}");
            }
            Admission::Forward(command) => {
                prop_assert_eq!(Command::from_bytes(&command.to_bytes()), Ok(command));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_command_are_refused(bytes in any::<Vec<u8>>()) {
        prop_assert!(Command::from_bytes(&bytes).is_err());
    }
}

#[test]
fn any_configuration_is_read_or_refused() {
    proptest!(|(pairs in proptest::collection::vec(("[A-Z_]{1,20}|HEARTBEAT|HUB_URL|CORS_ORIGINS|OUTBOX_SIZE", any::<String>()), 0..6))| {
        let _ = Config::read(&Platform::new("a test"), pairs);
    });
}
