//! Servers that issue tokens, and publish the keys of these.

use std::net::TcpListener;
use std::time::Instant;

use serde::Deserialize;
use serde_json::json;

use super::program::{PATIENCE, Program};
use crate::arguments::Capability;
use crate::case::Suite;

/// Each script, with the algorithms of the tokens that it is asked for.
const PROGRAMS: [(&str, [&str; 2]); 1] = [("issuers/oidc-provider.mjs", ["ES256", "RS256"])];

const AUDIENCE: &str = "https://hub.example/.well-known/mercure";

/// What a server is called, and a token of it.
#[derive(Deserialize)]
struct Issued {
    issuer: String,
    token: String,
}

// draft-08, "Token Validation": the keys of an authorization server, by its metadata
pub(super) fn the_keys_of_an_issuer_change_while_the_hub_runs(suite: &Suite) {
    for (script, [first, second]) in PROGRAMS {
        let port = free_port();
        let (server, old) = start(script, &port, first);
        let trusted = json!([{"issuer": old.issuer}]).to_string();
        let hub = suite.launch(&[
            ("MERCURE_PUBLISHER_JWT_KEY", ""),
            ("MERCURE_SUBSCRIBER_JWT_KEY", ""),
            ("MERCURE_TRUSTED_ISSUERS", &trusted),
            ("AUDIENCES", AUDIENCE),
        ]);
        hub.expect_to_accept(&old.token);
        // It makes other keys when it starts again.
        drop(server);
        let (server, new) = start(script, &port, second);
        hub.expect_to_accept(&new.token);
        // Another process may know the old ones still.
        if !hub.has(Capability::Environments) {
            let update = hub.publication(&[("topic", "a")]).bearer(&old.token);
            update.send().expect_challenge(401, Some("invalid_token"));
        }
        drop(server);
        hub.expect_to_accept(&new.token);
    }
}

fn free_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port().to_string()
}

#[track_caller]
fn start(script: &'static str, port: &str, algorithm: &str) -> (Program<Issued>, Issued) {
    let mut program = Program::start(script, &[port, AUDIENCE, algorithm]);
    match program.next(Instant::now() + PATIENCE) {
        Some(issued) => (program, issued),
        None => panic!("{script} does not serve: {}", program.noise()),
    }
}
