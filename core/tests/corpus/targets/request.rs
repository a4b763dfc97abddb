//! `request`: a request as in HTTP/1.1: a line with the method and URL, lines with fields, a blank
//! line, the body. `{publisher}` and `{subscriber}` in a field are tokens that allow everything.

use std::sync::LazyLock;

use cinnabar_core::testing::MemoryLog;
use cinnabar_core::{
    Admission, Answer, Body, Command, Config, CursorKey, Holder, Output, Place, Request, Step,
    StreamId, Subscribe, admit,
};

use super::event::{self, Written};
use super::hub::{self, NOW, OPEN, PUBLISHES_ALL, READS_ALL};
use super::publication;

/// A hub that trusts some origins.
static CLOSED: LazyLock<Config> = LazyLock::new(|| {
    hub::config(&[
        ("CORS_ORIGINS", "https://www.example.com"),
        ("PUBLISH_ORIGINS", "https://www.example.com"),
        ("MAX_REQUEST_BODY_SIZE", "100"),
        ("MAX_MATCHERS", "3"),
        ("MAX_TOPICS", "3"),
        ("MAX_UPDATE_SIZE", "200"),
        ("PUBLISH_UNGRANTED", "1"),
        ("TARGETS", "1"),
        ("HUB_ALIASES", "/hub"),
    ])
});

pub(crate) fn run(bytes: &[u8]) {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let (method, url) = first.split_once(' ').unwrap_or(("GET", &first));
    let fields: Vec<(String, Vec<u8>)> =
        lines.by_ref().take_while(|line| !line.is_empty()).map(field).collect();
    let body = lines.collect::<Vec<_>>().join(&b'\n');

    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    let request = Request::new(method, url, fields);
    for config in [&*OPEN, &*CLOSED] {
        check(&request, method, &body, config);
    }
}

fn field(line: &[u8]) -> (String, Vec<u8>) {
    let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
    let name = String::from_utf8_lossy(&line[..colon]).into_owned();
    let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
    let tokens = [("{publisher}", &*PUBLISHES_ALL), ("{subscriber}", &*READS_ALL)];
    let value = tokens.iter().fold(value.to_vec(), |value, (place, token)| {
        match value.windows(place.len()).position(|window| window == place.as_bytes()) {
            Some(at) => [&value[..at], token.as_bytes(), &value[at + place.len()..]].concat(),
            None => value,
        }
    });
    (name, value)
}

fn check(request: &Request, method: &str, body: &[u8], config: &Config) {
    let admission = match admit(request, config, NOW, &[9; 32]) {
        Step::Done(admission) => admission,
        Step::Read(unread) => {
            assert!(matches!(method, "POST" | "QUERY"), "a body is read for {method}");
            let body = match unread.limit() {
                limit if body.len() > limit => Body::TooLarge,
                _ if body.ends_with(b"\0") => Body::Broken,
                _ => Body::Whole(body.to_vec()),
            };
            let admission = unread.admit(&body, NOW);
            let is_whole = matches!(body, Body::Whole(_));
            assert!(is_whole || matches!(admission, Admission::Answer(_)), "{admission:?}");
            admission
        }
        Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
    };
    match admission {
        Admission::Answer(answer) => answered(&answer, method),
        Admission::Forward(command) => forwarded(command, config),
    }
}

fn answered(answer: &Answer, method: &str) {
    let (status, fields) = (answer.response.status().as_u16(), answer.response.headers());
    match status {
        // A `GET` of what can only be read; a stream is not answered by the entry.
        200 => assert!(matches!(method, "GET" | "HEAD")),
        204 => assert_eq!(method, "OPTIONS"),
        400 | 403 | 404 | 406 | 413 | 414 | 415 => {}
        401 => assert!(fields.contains_key("www-authenticate")),
        405 => assert!(fields.contains_key("allow")),
        _ => panic!("the status {status}"),
    }
    assert_eq!(fields["x-content-type-options"], "nosniff");
    if let Some(origin) = fields.get("access-control-allow-origin") {
        let trusted = origin == "https://www.example.com";
        assert!(trusted || origin == "*");
        assert_eq!(fields.contains_key("access-control-allow-credentials"), trusted);
    }
}

fn forwarded(command: Command, config: &Config) {
    assert_eq!(Command::from_bytes(&command.to_bytes()).as_ref(), Ok(&command));
    let unavailable = command.unavailable(NOW).response;
    match command {
        Command::Publish(publish) => {
            assert_eq!(unavailable.status(), 503);
            assert_eq!(
                publish.accepted().response.body(),
                publish.update().id().as_str().as_bytes()
            );
            publication::check(publish.update());
        }
        Command::Subscribe(subscribe) => {
            assert!(matches!(unavailable.status().as_u16(), 200 | 503));
            opened(subscribe, config);
        }
        Command::List(list) => {
            assert_eq!(unavailable.status(), 503);
            let [first, end] = list.topics();
            assert!(first < end);
            let answer = list.answer(&list.begin(None));
            assert!(matches!(answer.response.status().as_u16(), 200 | 304 | 404));
        }
        Command::CheckHealth(check) => {
            assert_eq!(
                (unavailable.status().as_u16(), check.healthy().response.status().as_u16()),
                (503, 200)
            );
        }
    }
}

/// A cursor from a client forges nothing, wherever it is shown.
fn opened(subscribe: Subscribe, config: &Config) {
    let mut holder = Holder::new(config, CursorKey::from_bytes([5; 16]), Place::default());
    let stream = StreamId::new(1);
    holder.handle_subscribe(stream, subscribe, Place::default(), NOW);
    let mut open = false;
    for _ in 0..8 {
        match holder.poll_output() {
            Some(Output::Locate { location, .. }) => {
                let located = MemoryLog::default().locate(&location);
                holder.handle_located(stream, &located, NOW);
            }
            Some(Output::Open { response, .. }) => {
                assert_eq!(response.status(), 200);
                open = true;
            }
            Some(Output::Write { bytes, .. }) => {
                assert!(!matches!(event::read(&bytes)[..], [Written::Update(_), ..]));
            }
            Some(other) => panic!("nobody asked for this: {other:?}"),
            None => {
                assert!(open && holder.poll_timeout().is_some(), "nothing will ever happen");
                return;
            }
        }
    }
    panic!("it never comes to rest");
}
