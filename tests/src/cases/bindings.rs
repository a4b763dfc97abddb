//! Variables that are not text, as `[vars]` of wrangler.toml may have them.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::form;
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;

pub(crate) const CASES: &[Case] =
    &[case!(they_count_as_what_they_say on JSON).needing(&[Capability::JsonBindings])];

const JSON: Variables = &[
    ("JSON_BINDINGS", "ANONYMOUS HUB_ALIASES ORIGIN_SECRET QUERY_AUTHORIZATION"),
    ("ANONYMOUS", "true"),
    ("HUB_ALIASES", r#"["/hub", "/events"]"#),
    ("ORIGIN_SECRET", "123456"),
    ("QUERY_AUTHORIZATION", "0"),
];

fn they_count_as_what_they_say(hub: &Hub) {
    let topic = fresh("a");
    let fields = [("topic", topic.as_str()), ("data", "1")];
    hub.granted(&fields).send().expect_status(403);
    let through_the_front = |request: Request| request.header("X-Origin-Verify", "123456");
    // Without a token, at an alias; and one in the query is not read.
    let query = form::pairs(&[("match", topic.as_str()), ("authorization", "a.b.c")]);
    let subscription = hub.request("GET", format!("/events?{query}"));
    let mut stream = through_the_front(subscription).header("Accept", "text/event-stream").open();
    through_the_front(hub.granted(&fields)).send().expect_status(200);
    stream.expect_data("1");
}
