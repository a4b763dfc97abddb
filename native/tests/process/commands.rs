//! What the program does besides to serve: it mints tokens for its hub, and checks a configuration.

use std::process::Output;

use crate::server::{Folder, KEY, Server, program};

fn printed(output: &Output) -> (&str, &str) {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_hub_takes_the_tokens_that_are_minted_for_it() {
    let folder = Folder::create();
    let variables = [
        ("HUB_URL", "https://hub.example/.well-known/mercure"),
        ("MERCURE_TRUSTED_ISSUERS", "https://issuer.example"),
    ];
    let server = Server::start(&folder.data(), &variables);
    for generation in ["0.x", "1.0"] {
        let mut token = program();
        token.envs(variables).args(["token", "--publish", "*", "--generation", generation]);
        let output = token.output().unwrap();
        let (token, errors) = printed(&output);
        assert!(output.status.success(), "{errors}");
        server.publish_with(token.trim(), "a", "b");
    }
}

#[test]
fn a_token_without_a_key_or_for_no_hub_is_not_minted() {
    let mut token = program();
    token.env_remove("MERCURE_PUBLISHER_JWT_KEY").args(["token", "--publish", "*"]);
    let output = token.output().unwrap();
    let (_, errors) = printed(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("set MERCURE_PUBLISHER_JWT_KEY"), "{errors}");

    let output =
        program().args(["token", "--publish", "*", "--generation", "1.0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).1.contains("--audience"), "{}", printed(&output).1);
}

#[test]
fn a_configuration_is_checked_as_it_is_read() {
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/certificate.pem");
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/key.pem");
    let files = [("TLS_CERT", certificate), ("TLS_KEY", key)];
    let output = program().arg("check").envs(files).env("HEARTBEAT", "20s").output().unwrap();
    let (values, errors) = printed(&output);
    assert!(output.status.success(), "{errors}");
    assert!(values.contains("20s  (the environment)") && values.contains(key), "{values}");
    assert!(values.contains("20000  (default)"), "MAX_STREAMS of this platform: {values}");
    assert!(!values.contains(KEY), "a secret: {values}");

    let mistakes = [("HEARTBEAT", "soon"), ("TLS_CERT", "/nowhere.pem"), ("TLS_KEY", key)];
    let output = program().arg("check").envs(mistakes).output().unwrap();
    let (_, errors) = printed(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("HEARTBEAT: ") && errors.contains("/nowhere.pem"), "{errors}");

    // A hub would start with these, and warn.
    for (name, value) in [
        ("MERCURE_PUBLISHER_JWT_KEY", "!ChangeThisMercureHubJWTSecretKey!"),
        ("CORS_ORIGIN", "https://a.example"),
    ] {
        let output = program().arg("check").env(name, value).output().unwrap();
        let (_, errors) = printed(&output);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(errors.contains("not fit to be deployed") && errors.contains(name), "{errors}");
    }
}
