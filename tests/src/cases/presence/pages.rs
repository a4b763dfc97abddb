//! Collections that are too large for one answer.

use std::collections::BTreeSet;

use super::asking::{ask, json, last_event_id, next_page, path, subscriptions};
use crate::case::{Case, Suite, case};
use crate::form;
use crate::hub::fresh;

pub(super) const CASES: &[Case] = &[case!(a_large_collection_comes_in_pages launching)];

/// A stream's most matchers.
const MATCHERS: usize = 300;
const STREAMS: usize = 8;

// draft-08, "Subscription API": each page is a collection of its own
fn a_large_collection_comes_in_pages(suite: &Suite) {
    let hub = suite.launch(&[("SUBSCRIPTIONS", "1"), ("REPLAY_MAX", "3000")]);
    let prefix = fresh("rooms");
    let mut expected = BTreeSet::new();
    let mut open = Vec::new();
    for stream in 0..STREAMS {
        let matchers: Vec<String> =
            (0..MATCHERS).map(|number| format!("{prefix}/{stream}/{number}")).collect();
        let query: Vec<String> =
            matchers.iter().map(|matcher| form::pairs(&[("match", matcher)])).collect();
        open.push(hub.subscription_by(&query.join("&")).open());
        expected.extend(matchers);
    }

    let mut listed = Vec::new();
    let mut pages = 0;
    let mut target = path(&hub, &[]);
    loop {
        let answer = ask(&hub, &target).send().expect_status(200);
        let page = json(&answer);
        assert_eq!(page["type"], "subscriptions");
        assert!(page["id"].as_str().is_some_and(|id| id.starts_with(&path(&hub, &[]))), "{answer}");
        let documents = subscriptions(&page);
        assert!(!documents.is_empty(), "a page of nothing: {answer}");
        assert_ne!(last_event_id(&answer), "earliest");
        listed.extend(documents);
        pages += 1;
        let Some(next) = next_page(&hub, &answer) else { break };
        target = next;
    }
    assert!(pages > 1, "{} documents in one answer", listed.len());
    let matchers: BTreeSet<String> = listed
        .iter()
        .map(|document| document["match"].as_str().expect("a matcher").to_owned())
        .collect();
    assert_eq!((listed.len(), &matchers), (expected.len(), &expected));
    drop(open);
}
