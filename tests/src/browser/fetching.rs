//! `fetch` with a token in the header, which the specification recommends where cookies cannot be
//! used (draft-08, "Authorization HTTP Header").

use super::hosts::{USERS, shared, target};
use super::page::Subscriber;
use super::process::Browser;
use super::site::Report;

use crate::case::Suite;
use crate::form;
use crate::hub::fresh;
use crate::token::Generation;

/// The token makes the browser ask first (a preflight). What it then reads is what any other reader
/// gets: a lone `:` line, updates, and no position, which a library might mistake for an update.
pub(super) fn a_page_reads_with_fetch_and_a_token_in_the_header(suite: &Suite, browser: &Browser) {
    let hub = shared(suite, browser);
    let topic = fresh("fetch");
    let token = hub.subscriber(Generation::V1, &[&topic]);
    let query = form::pairs(&[("match", &topic)]);
    let page = browser.visit(
        USERS[4],
        &Subscriber {
            hub: target(&hub, USERS[4], hub.endpoint.port, &query),
            authorization: Some(format!("Bearer {token}")),
            ..Subscriber::default()
        },
    );
    assert_eq!(page.next(), Report::Answer { status: 200 });
    let fields = [("topic", topic.as_str()), ("data", "for you"), ("private", "on")];
    let id = hub.publish(&fields);

    let whole = format!(":\ndata: for you\nid: {id}\n\n");
    let mut read = String::new();
    while read.len() < whole.len() {
        match page.next() {
            Report::Text { text } => read += &text,
            report => panic!("the page saw {report:?} after {read:?}"),
        }
    }
    assert_eq!(read, whole);
}
