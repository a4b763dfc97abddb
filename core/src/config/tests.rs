use serde_json::{Value, json};

use super::*;
use crate::trust::trusted::Trusted;

const PLATFORM: Platform = Platform::new("a test");

/// A platform that differs in everything.
const OTHER: Platform = Platform {
    defaults: &[("HEARTBEAT", "15s"), ("MAX_UPDATE_SIZE", "350kB")],
    unread: &["HISTORY_SIZE"],
    notes: &[("HUB_URL", "a note")],
    largest_body: 1_900_000,
    response_size: 150_000_000,
    shortest_history_age: Duration::from_secs(600),
    has_own_host: true,
    ..Platform::new("another platform")
};

const KEYS: [(&str, &str); 2] = [
    ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
    ("MERCURE_SUBSCRIBER_JWT_KEY", "a subscriber's key of thirty-two bytes"),
];

/// Only these variables.
fn read(platform: &Platform, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::read(platform, pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

/// These variables and the keys, which they may override.
fn on(platform: &Platform, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    read(platform, &[&KEYS, pairs].concat())
}

fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    on(&PLATFORM, pairs)
}

#[test]
fn a_misspelt_name_is_pointed_out_along_with_what_is_missing() {
    let given = [("MERCURE_PUBLISHERS_JWT_KEY", "a publisher's key of thirty-two bytes")];
    let told = read(&PLATFORM, &given).unwrap_err().to_string();
    for part in [
        "MERCURE_PUBLISHER_JWT_KEY: is not set",
        "MERCURE_SUBSCRIBER_JWT_KEY: is not set",
        "did you mean MERCURE_PUBLISHER_JWT_KEY?",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

fn mistakes(pairs: &[(&str, &str)]) -> String {
    config(pairs).unwrap_err().to_string()
}

#[test]
fn one_client_has_no_limits_unless_they_are_set() {
    let given = [
        ("MAX_STREAMS_PER_TOKEN", "3"),
        ("MAX_STREAMS_PER_ADDRESS", "20"),
        ("MAX_PUBLICATIONS_PER_SECOND", "100"),
        ("ADDRESS_HEADER", "X-Real-IP"),
    ];
    let limits = |config: Config| {
        (
            config.max_streams_per_token,
            config.max_streams_per_address,
            config.max_publications_per_second,
            config.address_header,
        )
    };
    assert_eq!(limits(config(&[]).unwrap()), (None, None, None, None));
    let all = (Some(3), Some(20), Some(100), Some("x-real-ip".to_owned()));
    assert_eq!(limits(config(&given).unwrap()), all);
}

#[test]
fn a_header_that_anybody_can_send_past_the_proxy_is_a_mistake() {
    let header = ("ADDRESS_HEADER", "X-Real-IP");
    let mistake = on(&OTHER, &[header]).unwrap_err().to_string();
    assert!(mistake.starts_with("ADDRESS_HEADER: is set and ORIGIN_SECRET is not"), "{mistake}");
    assert!(on(&OTHER, &[header, ("ORIGIN_SECRET", "0123456789abcdef")]).is_ok());
    assert!(config(&[header]).is_ok());
}

#[test]
fn a_hub_follows_another_only_with_a_secret_that_can_be_sent() {
    let platform = Platform { has_feed: true, ..PLATFORM };
    let follow = ("FOLLOW", "https://leader.example/hub");
    let secret = "5b8f2a7c1d9e4f60a3b2c1d0e9f8a7b65b8f2a7c1d9e4f60a3b2c1d0e9f8a7b6";
    for (pairs, told) in [
        (&[follow][..], "FOLLOW: is set, and FEED_SECRET is not"),
        (&[follow, ("FEED_SECRET", "0123456789abcdef")], "FEED_SECRET: is shorter than 32 bytes"),
        (
            &[follow, ("FEED_SECRET", "5b8f2a7c1d9e4f60a3b2c1d0e9f8a7b6\n5b8f2a7c1d9e4f60")],
            "FEED_SECRET: has a line break",
        ),
        (
            &[follow, ("FEED_SECRET", secret), ("HUB_URL", "https://leader.example/hub")],
            "FOLLOW: is HUB_URL, this hub itself",
        ),
    ] {
        let mistakes = on(&platform, pairs).unwrap_err().to_string();
        assert!(mistakes.contains(told), "{mistakes}");
    }
    let feed = ("FEED_SECRET", secret);
    let sizes = [("OUTBOXES_SIZE", "64MiB"), ("MAX_UPDATE_SIZE", "15MiB")];
    for hub in [&[feed][..], &[feed, follow]] {
        assert!(on(&platform, &[hub, &sizes].concat()).is_ok());
        let larger = [hub, &sizes[..1], &[("MAX_UPDATE_SIZE", "15361KiB")]].concat();
        assert_eq!(
            on(&platform, &larger).unwrap_err().to_string(),
            "MAX_UPDATE_SIZE: is more than 15MiB, and FEED_SECRET is set: no larger update goes from one hub to another; write 15MiB or less"
        );
    }
    let alone = [sizes[0], ("MAX_UPDATE_SIZE", "15361KiB")];
    assert!(on(&platform, &alone).is_ok(), "nobody may follow it");
    let follower = on(&platform, &[follow, feed]).unwrap();
    assert!(follower.follow().is_some() && !follower.leads() && !follower.forwards());
    assert_eq!(follower.relays(), 1, "it has no log to hold streams beside");
    let leader = on(&platform, &[("FEED_SECRET", secret)]).unwrap();
    assert!(leader.leads() && leader.relays() == 0);
}

#[test]
fn a_debugger_for_everybody_is_pointed_out() {
    let debugger = ("DEBUGGER", "1");
    assert!(config(&[debugger]).unwrap().warnings()[0].starts_with("DEBUGGER is on"));
    let here = ("HUB_URL", "http://localhost:8787/hub");
    assert!(config(&[debugger, here]).unwrap().warnings().is_empty());
}

#[test]
fn keys_are_all_it_needs() {
    let config = config(&[]).unwrap();
    assert_eq!(config.heartbeat, Duration::from_secs(25));
    assert_eq!(config.history_age, Duration::from_secs(24 * 3600));
    assert_eq!(config.max_update_size, 2 << 20);
    assert!(!config.anonymous);
    assert!(config.warnings().is_empty());
}

#[test]
fn every_mistake_is_named_at_once_with_its_remedy() {
    let wrong = [
        ("HEARTBEAT", "x"),
        ("ANONYMOUS", "maybe"),
        ("PROTOCOL", "2.0"),
        ("HUB_ALIASES", "/.well-known/mercure"),
        ("OUTBOX_SIZE", "100MiB"),
        ("OUTBOXES_SIZE", "all"),
    ];
    let error = read(&PLATFORM, &wrong).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 5, "{error}");
    for name in ["PROTOCOL: ", "ANONYMOUS: ", "HEARTBEAT: ", "HUB_ALIASES: ", "OUTBOXES_SIZE: "] {
        assert!(lines.iter().any(|line| line.starts_with(name)), "{name} in {error}");
    }
}

#[test]
fn platforms_differ() {
    let config = on(&OTHER, &[]).unwrap();
    assert_eq!(config.heartbeat, Duration::from_secs(15));
    assert_eq!(config.max_update_size, 350_000);
    assert_eq!(config.stream_lifetime, Duration::from_secs(3600));
    assert_eq!((config.history_size, config.response_size), (u64::MAX, 150_000_000));
    assert!(config.warnings().is_empty());
    assert_eq!(on(&OTHER, &[("HEARTBEAT", "1m")]).unwrap().heartbeat, Duration::from_secs(60));

    let size = ("MAX_REQUEST_BODY_SIZE", "2MB");
    assert!(on(&OTHER, &[size]).unwrap_err().to_string().ends_with("write 1900kB or less"));
    assert_eq!(on(&PLATFORM, &[size]).unwrap().max_request_body_size, 2_000_000);
}

#[test]
fn what_a_platform_does_not_read_has_no_effect() {
    for value in ["5", "five"] {
        let config = on(&OTHER, &[("HISTORY_SIZE", value)]).unwrap();
        assert_eq!(config.history_size, u64::MAX);
        let expected = ["HISTORY_SIZE has no effect on another platform; remove it"];
        assert_eq!(config.warnings(), expected);
    }
}

#[test]
fn a_history_too_short_for_the_platform_is_raised() {
    let read = |platform, age| on(platform, &[("HISTORY_AGE", age)]).unwrap();
    let raised = read(&OTHER, "9m");
    assert_eq!(raised.history_age(), Duration::from_secs(600));
    let [warning] = raised.warnings() else { panic!("{:?}", raised.warnings()) };
    assert!(warning.starts_with("HISTORY_AGE ") && warning.contains("10m is used"));
    for (platform, age) in [(&OTHER, "10m"), (&PLATFORM, "9m")] {
        assert!(read(platform, age).warnings().is_empty(), "{age}");
    }
    assert_eq!(read(&PLATFORM, "9m").history_age(), Duration::from_secs(540));
}

#[test]
fn a_platform_says_what_is_special_about_a_variable() {
    assert_eq!(OTHER.notes_on("HUB_URL"), ["a note"]);
    assert_eq!(OTHER.notes_on("MAX_REQUEST_BODY_SIZE"), ["at most `1900kB`"]);
    assert!(OTHER.notes_on("HISTORY_AGE")[0].starts_with("at least `10m`"));
    for variable in VARIABLES {
        assert!(PLATFORM.notes_on(variable.name).is_empty(), "{}", variable.name);
    }
}

#[test]
fn variables_that_a_platform_bounds_exist() {
    for name in ["MAX_REQUEST_BODY_SIZE", "HISTORY_AGE", "HISTORY_SIZE"] {
        assert!(VARIABLES.iter().any(|variable| variable.name == name), "{name}");
    }
}

#[test]
fn a_platform_says_whether_hosts_are_its_own() {
    assert!(on(&OTHER, &[]).unwrap().has_own_host);
    assert!(!on(&PLATFORM, &[]).unwrap().has_own_host);
}

#[test]
fn keys_from_public_documentation_are_pointed_out() {
    let example = "!ChangeThisMercureHubJWTSecretKey!";
    let publisher = ("MERCURE_PUBLISHER_JWT_KEY", example);
    let list =
        format!(r#"[{{"issuer": "https://a.example", "subscriber": {{"key": "{example}"}}}}]"#);
    for (pair, named) in [
        (publisher, "MERCURE_PUBLISHER_JWT_KEY is a secret from public documentation"),
        (("MERCURE_SUBSCRIBER_JWT_KEY", example), "MERCURE_SUBSCRIBER_JWT_KEY is"),
        (("MERCURE_TRUSTED_ISSUERS", &list), "the subscriber's key of `https://a.example` is"),
    ] {
        let config = config(&[pair, ("HUB_URL", "https://hub.example/hub")]).unwrap();
        let [warning] = config.warnings() else { panic!("{:?}", config.warnings()) };
        assert!(warning.contains(named) && warning.contains("openssl rand"), "{warning}");
        assert_eq!(config.deployment_mistakes(), config.warnings());
    }
    assert!(config(&[]).unwrap().deployment_mistakes().is_empty());

    // Developers use these keys, and need not be told at each start.
    for (host, is_local) in [
        ("localhost:8787", true),
        ("hub.localhost", true),
        ("127.0.0.1:3000", true),
        ("[::1]", true),
        ("localhost.example", false),
        ("192.168.0.1", false),
    ] {
        let config = config(&[publisher, ("HUB_URL", &format!("http://{host}/hub"))]).unwrap();
        assert_eq!(config.warnings().is_empty(), is_local, "{host}");
        assert_eq!(config.deployment_mistakes().len(), 1, "{host}");
    }
}

#[test]
fn a_subscriber_key_is_needed_unless_all_is_public() {
    assert!(read(&PLATFORM, &KEYS[..1]).is_err());
    assert!(read(&PLATFORM, &[KEYS[0], ("ANONYMOUS", "1")]).is_ok());
}

#[test]
fn secrets_are_never_shown() {
    for name in ["MERCURE_PUBLISHER_JWT_KEY", "ORIGIN_SECRET"] {
        let config = config(&[(name, "!ChangeMe!")]).unwrap();
        assert!(!format!("{config:?}").contains("ChangeMe"), "{name}");
    }
}

#[test]
fn old_names_are_understood() {
    let old = read(&PLATFORM, &[("JWT_KEY", KEYS[0].1), ("ALLOW_ANONYMOUS", "1")]).unwrap();
    assert!(old.anonymous && old.issuers.own.subscriber.is_some());
    let algorithm = |trusted: Option<Trusted>| match trusted {
        Some(Trusted::Configured(keys)) => format!("{:?}", keys.algorithm()),
        other => panic!("{other:?}"),
    };
    for (pairs, publisher, subscriber) in [
        (&[("JWT_ALGORITHM", "HS512")][..], "HS512", "HS512"),
        (&[("PUBLISHER_JWT_ALGORITHM", "HS384"), ("JWT_ALGORITHM", "HS512")], "HS384", "HS512"),
        (&[("MERCURE_SUBSCRIBER_JWT_ALGORITHM", "HS384")], "HS256", "HS384"),
        (&[("SUBSCRIBER_JWT_ALGORITHM", "HS384")], "HS256", "HS384"),
        (&[("MERCURE_PUBLISHER_JWT_ALGORITHM", "HS384")], "HS384", "HS256"),
    ] {
        let own = config(pairs).unwrap().issuers.own;
        assert_eq!(algorithm(own.publisher), publisher, "{pairs:?}");
        assert_eq!(algorithm(own.subscriber), subscriber, "{pairs:?}");
    }
    let roles = [("PUBLISHER_JWT_KEY", KEYS[0].1), ("SUBSCRIBER_JWT_KEY", KEYS[1].1)];
    assert!(read(&PLATFORM, &roles).is_ok());
}

#[test]
fn an_old_name_must_not_contradict_todays() {
    assert!(config(&[("ALLOW_ANONYMOUS", "1"), ("ANONYMOUS", "1")]).unwrap().anonymous);
    let told = mistakes(&[("ALLOW_ANONYMOUS", "1"), ("ANONYMOUS", "0")]);
    assert!(told.starts_with("ALLOW_ANONYMOUS: is an older name of ANONYMOUS, set"), "{told}");
    // The key for both roles is for the one that is left, if one is.
    assert!(read(&PLATFORM, &[KEYS[0], ("JWT_KEY", KEYS[1].1)]).is_ok());
    assert!(mistakes(&[("JWT_KEY", &"k".repeat(32))]).starts_with("JWT_KEY: "));
}

#[test]
fn names_that_mean_nothing_here_are_mistakes_with_todays_names() {
    for (name, today) in [
        ("MERCURE_EXTRA_DIRECTIVES", "ANONYMOUS=1"),
        ("MERCURE_JWT_KEY", "MERCURE_PUBLISHER_JWT_KEY and MERCURE_SUBSCRIBER_JWT_KEY"),
        ("MERCURE_JWT_SECRET", "MERCURE_PUBLISHER_JWT_KEY and MERCURE_SUBSCRIBER_JWT_KEY"),
    ] {
        let told = mistakes(&[(name, "0")]);
        assert!(told.starts_with(&format!("{name}: ")) && told.contains(today), "{told}");
        assert!(config(&[(name, "")]).is_ok(), "{name}");
    }
}

#[test]
fn who_is_here_is_not_told_of_readers_that_poll() {
    assert!(config(&[("DISPATCH_SUBSCRIPTIONS", "1")]).unwrap().subscriptions);
    let told = mistakes(&[("SUBSCRIPTIONS", "1"), ("STREAM_LIFETIME", "0")]);
    assert!(told.starts_with("SUBSCRIPTIONS: is on, and STREAM_LIFETIME=0"), "{told}");
}

#[test]
fn values_that_are_not_text_count_as_what_they_say() {
    let on = |pairs: &[(&str, Value)]| {
        let keys = KEYS.map(|(name, value)| (name.to_owned(), json!(value)));
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Config::read_json(&PLATFORM, keys.into_iter().chain(pairs))
    };
    let issuers = json!([{"issuer": "https://a.example", "key": "k".repeat(32)}]);
    let config = on(&[
        ("QUERY_AUTHORIZATION", json!(0)),
        ("ANONYMOUS", json!(true)),
        ("PROTOCOL", json!(1.0)),
        ("ORIGIN_SECRET", json!(123_456)),
        ("HISTORY_SIZE", json!(500)),
        ("HUB_ALIASES", json!(["/hub", "/events"])),
        ("MERCURE_TRUSTED_ISSUERS", issuers),
    ])
    .unwrap();
    assert!(config.anonymous && !config.query_authorization);
    assert_eq!(config.protocol, Generations::Only(Generation::V1));
    assert_eq!(config.origin_secret, Secret::parse("123456").ok());
    assert_eq!((config.history_size, config.hub_aliases.len()), (500, 2));
    assert_eq!(config.issuers.trusted.len(), 1);

    // One that cannot be read does not hide what is wrong with others, nor a name.
    let wrong = [
        ("HEARTBEAT", Value::Null),
        ("CORS_ORIGINS", json!([1])),
        ("MAX_TOPICS", json!(1.5)),
        ("ANONYMOS", Value::Null),
    ];
    let told = on(&wrong).unwrap_err().to_string();
    for name in ["HEARTBEAT: has no value", "CORS_ORIGINS: has no value", "MAX_TOPICS: `1.5`"] {
        assert!(told.contains(name), "{name} in {told}");
    }
    assert!(told.contains("did you mean ANONYMOUS?"), "{told}");
}

#[test]
fn without_the_hubs_url_any_host_is_an_audience() {
    let issuer = ("MERCURE_TRUSTED_ISSUERS", "https://auth.example");
    let url = ("HUB_URL", "https://hub.example/hub");
    for (platform, pairs, is_pointed_out) in [
        (&PLATFORM, &[issuer][..], true),
        (&PLATFORM, &[issuer, ("PROTOCOL", "1.0")], true),
        (&PLATFORM, &[issuer, ("PROTOCOL", "0.x")], false),
        (&PLATFORM, &[issuer, url], false),
        (&PLATFORM, &[], false),
        (&OTHER, &[issuer], false),
    ] {
        let config = on(platform, pairs).unwrap();
        let told = config.warnings().concat();
        assert_eq!(told.contains("HUB_URL is not set"), is_pointed_out, "{pairs:?}: {told}");
    }
}

#[test]
fn somebody_must_be_able_to_publish() {
    let list = |tokens: &str| {
        let key = "k".repeat(32);
        format!(r#"[{{"issuer": "https://a.example", "key": "{key}", "tokens": [{tokens}]}}]"#)
    };
    let config = |protocol: &str, issuers: &str| {
        let variables =
            [("PROTOCOL", protocol), ("ANONYMOUS", "1"), ("MERCURE_TRUSTED_ISSUERS", issuers)];
        read(&PLATFORM, &variables)
    };
    assert!(config("both", &list("\"1.0\"")).is_ok());
    assert!(config("1.0", &list("\"1.0\"")).is_ok());
    for (protocol, tokens) in [("1.0", "\"0.x\""), ("0.x", "\"1.0\"")] {
        let mistake = config(protocol, &list(tokens)).unwrap_err().to_string();
        assert!(mistake.starts_with("MERCURE_PUBLISHER_JWT_KEY: "), "{mistake}");
    }
    assert!(config("both", "https://a.example").is_err());
}

#[test]
fn a_previous_key_comes_after_another() {
    let previous = ("MERCURE_SUBSCRIBER_JWT_KEY_PREVIOUS", "a subscriber's key of the last year");
    assert!(config(&[previous]).is_ok());
    let alone = mistakes(&[("MERCURE_SUBSCRIBER_JWT_KEY", ""), ("ANONYMOUS", "1"), previous]);
    assert!(alone.starts_with("MERCURE_SUBSCRIBER_JWT_KEY_PREVIOUS: is set, and"), "{alone}");
    let short = config(&[("MERCURE_PUBLISHER_JWT_KEY_PREVIOUS", "short")]).unwrap();
    assert!(short.warnings()[0].starts_with("MERCURE_PUBLISHER_JWT_KEY_PREVIOUS is shorter"));
    let list = |previous: &str| {
        let entry = format!(r#"{{"issuer": "https://a", "key": "{}"{previous}}}"#, "k".repeat(32));
        config(&[("MERCURE_TRUSTED_ISSUERS", &format!("[{entry}]"))]).map_err(|it| it.to_string())
    };
    assert!(list("").is_ok());
    assert!(list(&format!(r#", "previous": {{"key": "{}"}}"#, "p".repeat(32))).is_ok());
    assert!(list(r#", "previous": {"key": 1}"#).unwrap_err().contains("publisher's previous key"));
}

#[test]
fn a_role_has_its_keys_in_one_place() {
    let url = ("MERCURE_PUBLISHER_JWKS_URI", "https://auth.example/jwks");
    let anonymous = ("ANONYMOUS", "1");
    let hub = read(&PLATFORM, &[url, anonymous]).unwrap();
    assert!(hub.key_ring().is_some() && hub.warnings().is_empty());
    assert_eq!(Vec::from_iter(hub.key_places()), ["https://auth.example/jwks"]);
    assert!(config(&[]).unwrap().key_ring().is_none());
    for other in ["MERCURE_PUBLISHER_JWT_KEY", "MERCURE_PUBLISHER_JWT_KEY_PREVIOUS"] {
        let key = (other, "a publisher's key of thirty-two bytes");
        let both = read(&PLATFORM, &[url, key, anonymous]).unwrap_err().to_string();
        assert!(both.starts_with("MERCURE_PUBLISHER_JWKS_URI: is set, and so is"), "{both}");
    }
    let secret = ("MERCURE_PUBLISHER_JWT_ALG", "HS256");
    let mistake = read(&PLATFORM, &[url, secret, anonymous]).unwrap_err().to_string();
    assert!(mistake.contains("everybody can read what is published"), "{mistake}");
}

#[test]
fn keys_without_tls_are_for_this_machine() {
    let url = ("MERCURE_PUBLISHER_JWKS_URI", "http://localhost:3000/jwks");
    let with = |hub| read(&PLATFORM, &[url, ("ANONYMOUS", "1"), ("HUB_URL", hub)]).unwrap();
    let developers = with("http://localhost:8787/.well-known/mercure");
    assert!(developers.warnings().is_empty());
    assert!(developers.deployment_mistakes()[0].contains("without TLS"));
    let deployed = with("https://hub.example/.well-known/mercure");
    assert!(deployed.warnings()[0].contains("without TLS"));
    let elsewhere = [("MERCURE_PUBLISHER_JWKS_URI", "http://auth.example/jwks")];
    let mistake = read(&PLATFORM, &elsewhere).unwrap_err().to_string();
    assert!(mistake.starts_with("MERCURE_PUBLISHER_JWKS_URI: is not https"), "{mistake}");
}

#[test]
fn an_issuer_of_a_list_may_publish_its_keys() {
    let list = |entry: &str| {
        let issuers = format!("[{entry}]");
        config(&[("HUB_URL", "https://hub.example/hub"), ("MERCURE_TRUSTED_ISSUERS", &issuers)])
    };
    let places = |entry| Vec::from_iter(list(entry).unwrap().key_places());
    let url = "https://a.example/jwks";
    for entry in [
        r#"{"issuer": "a", "jwks_uri": "https://a.example/jwks"}"#,
        r#"{"issuer": "a", "jwks_uri": "https://a.example/jwks", "algorithm": "ES256"}"#,
        r#"{"issuer": "a", "publisher": {"jwks_uri": "https://a.example/jwks"}}"#,
    ] {
        assert_eq!(places(entry), [url], "{entry}");
    }
    assert_eq!(places(r#"{"issuer": "https://a.example"}"#), ["the metadata of https://a.example"]);
    for (entry, what) in [
        (r#"{"issuer": "a"}"#, "it has no key, so its keys would be looked for by its identifier"),
        (r#"{"issuer": "http://a.example"}"#, "which is not https"),
        (r#"{"issuer": "a", "jwks_uri": "http://a.example"}"#, "`jwks_uri` is not https"),
        (r#"{"issuer": "a", "jwks_uri": "https://a", "key": "x"}"#, "which is meant?"),
        (r#"{"issuer": "a", "jwks_uri": "https://a", "publisher": {}}"#, "which is meant?"),
        (r#"{"issuer": "a", "publisher": {}}"#, "neither a `key` nor a `jwks_uri`"),
        (r#"{"issuer": "a", "jwks_uri": "https://a", "algorithm": "HS256"}"#, "shared secret"),
        (r#"{"issuer": "https://a", "algorithm": "x"}"#, "`algorithm` that is none of"),
    ] {
        let mistake = list(entry).unwrap_err().to_string();
        assert!(mistake.contains(what), "{what} in {mistake}");
    }
}

#[test]
fn a_hub_of_0_x_has_its_own_cookie() {
    let name = |pairs: &[(&str, &str)]| config(pairs).unwrap().cookie_name;
    assert_eq!(name(&[("PROTOCOL", "0.x")]), "mercureAuthorization");
    assert_eq!(name(&[("PROTOCOL", "0.x"), ("COOKIE_NAME", "mine")]), "mine");
    assert_eq!(name(&[]), "__Secure-mercure_access_token");
}

#[test]
fn a_public_key_or_a_stand_in_is_no_secret_wherever_it_is_configured() {
    let public = "MCowBQYDK2VwAyEAAYGosms0F2LIl0uR9eAskcbZFcQIVSD1nMoyPcdqTV0=";
    for text in [public, "$(cat key.pem)", "/run/secrets/key"] {
        let list = |entry: String| format!(r#"[{{"issuer": "https://a.example", {entry}}}]"#);
        for (name, value) in [
            ("MERCURE_PUBLISHER_JWT_KEY", text.to_owned()),
            ("MERCURE_SUBSCRIBER_JWT_KEY", text.to_owned()),
            ("MERCURE_TRUSTED_ISSUERS", list(format!(r#""key": "{text}""#))),
            ("MERCURE_TRUSTED_ISSUERS", list(format!(r#""subscriber": {{"key": "{text}"}}"#))),
        ] {
            let mistake = mistakes(&[(name, &value)]);
            assert!(mistake.starts_with(&format!("{name}: ")), "{mistake}");
            assert!(!mistake.contains(text), "{mistake}");
        }
    }
}

#[test]
fn misspelt_names_are_pointed_out_and_others_left_alone() {
    let config = config(&[("ANONYMOS", "1"), ("DATABASE_URL", "x"), ("HISTORYSIZE", "5")]).unwrap();
    assert_eq!(config.warnings().len(), 2);
    assert!(config.warnings().iter().any(|line| line.contains("did you mean ANONYMOUS?")));
    assert_eq!(config.deployment_mistakes(), config.warnings());
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    for name in ["HUB_URL", "CORS_ORIGINS", "PUBLISH_ORIGINS"] {
        let told = mistakes(&[(name, "https://user:c2VjcmV0@a.example/hub")]);
        assert!(told.contains("a.example") && !told.contains("c2VjcmV0"), "{told}");
    }
}

#[test]
fn values_are_checked() {
    for (name, value) in [
        ("HUB_URL", "/hub"),
        ("HUB_URL", "https://a.example/hub/"),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("CORS_ORIGINS", "* https://a.example"),
        ("PUBLISH_ORIGINS", "*"),
        ("COOKIE_NAME", "a b"),
        ("COOKIE_NAME", " "),
        ("CORS_ORIGINS", "https://*.example"),
        ("CORS_ORIGINS", "\"*\""),
        ("MERCURE_PUBLISHER_JWT_KEY", "-----BEGIN PUBLIC KEY-----\nMFkw"),
        ("MERCURE_TRUSTED_ISSUERS", ","),
        ("HISTORY_AGE", "1000000d"),
        ("HEARTBEAT", "0s"),
        ("STREAM_LIFETIME", "-1h"),
        ("HISTORY_SIZE", "0"),
        ("MAX_REQUEST_BODY_SIZE", "0"),
        ("MAX_STREAMS", "1.5"),
        ("RELAYS", "-1"),
        ("RELAYS", "1001"),
        ("RELAY_REGIONS", "weur europe"),
        ("RELAY_REGIONS", "weur weur"),
        // Without relays, there are none anywhere.
        ("RELAY_REGIONS", "weur"),
        ("OUTBOX_SIZE", "1 elephant"),
        ("OUTBOXES_SIZE", "4MiB"),
        ("NATIVE_READERS", "some"),
        ("SERVES", "none"),
        ("POLL_FAST", "1"),
        ("MERCURE_PUBLISHER_JWT_ALG", "ES512"),
        ("MERCURE_PUBLISHER_JWT_ALG", "none"),
        ("MERCURE_TRUSTED_ISSUERS", "https://a https://b"),
        ("MERCURE_TRUSTED_ISSUERS", "https://a;https://b"),
        ("MERCURE_TRUSTED_ISSUERS", "'https://a'"),
        ("MERCURE_TRUSTED_ISSUERS", "[]"),
        ("MERCURE_PUBLISHER_JWT_KEY", "\n"),
        ("MERCURE_PUBLISHER_JWT_KEY", " "),
        ("MERCURE_TRUSTED_ISSUERS", r#"[{"issuer": "https://a", "key": "\n"}]"#),
        ("MERCURE_TRUSTED_ISSUERS", r#"[{"issuer": "https://a", "key": ""}]"#),
        ("ORIGIN_SECRET", " "),
        ("ORIGIN_SECRET", "${ORIGIN_SECRET}"),
        ("ORIGIN_SECRET", "/run/secrets/ORIGIN_SECRET"),
        ("MERCURE_TRUSTED_ISSUERS", "[{\"issuer\": \"a\"}]"),
        (
            "MERCURE_TRUSTED_ISSUERS",
            r#"[{"issuer": "https://a?b", "key": "k of thirty-two bytes or more, ok", "authorization_server": true}]"#,
        ),
        ("HUB_ALIASES", "hub"),
        ("HUB_ALIASES", "/hub/"),
        ("HUB_ALIASES", "/healthz"),
        ("HUB_ALIASES", "/robots.txt"),
        ("HUB_ALIASES", "/hub?x"),
        ("HUB_ALIASES", "/.well-known/mercure"),
        ("HUB_ALIASES", "/hub /.well-known/mercure/subscriptions"),
        ("HUB_ALIASES", "/.well-known/oauth-protected-resource/x"),
        ("MERCURE_PUBLISHER_JWKS_URI", "https://a.example/jwks"),
        ("MERCURE_SUBSCRIBER_JWKS_URI", "/jwks"),
        ("PROTOCOL", "1.0"),
        ("PROTOCOL", "7"),
        ("TARGETS", "maybe"),
        ("MAX_STREAMS_PER_TOKEN", "0"),
        ("MAX_STREAMS_PER_ADDRESS", "-1"),
        ("MAX_PUBLICATIONS_PER_SECOND", "0.5"),
        ("MAX_PUBLICATIONS_PER_SECOND", "10/s"),
        ("ADDRESS_HEADER", "X Real IP"),
        ("ADDRESS_HEADER", "X-Real-IP:"),
    ] {
        assert!(mistakes(&[(name, value)]).starts_with(&format!("{name}: ")), "{name}={value}");
    }
}

#[test]
fn each_region_has_so_many_relays() {
    let given = [("RELAYS", "2"), ("RELAY_REGIONS", "weur,apac")];
    let config = config(&given).unwrap();
    let names: Vec<&str> = config.relay_regions().iter().map(Region::name).collect();
    assert_eq!((config.relays(), names), (2, vec!["weur", "apac"]));
    let told = mistakes(&[("RELAYS", "600"), ("RELAY_REGIONS", "weur apac")]);
    let what = "RELAYS: is for each of 2 regions, and makes 1200 relays; 500 is the most";
    assert!(told.contains(what), "{told}");
}
