//! draft-08, "URL Pattern", and the patterns that clients send.

use super::*;

fn check(text: &str, selected: &[&str], others: &[&str]) {
    for topic in selected {
        assert!(selects(text, topic), "{text:?} does not select {topic:?}");
    }
    for topic in others {
        assert!(!selects(text, topic), "{text:?} selects {topic:?}");
    }
}

#[test]
fn the_examples_of_the_specification() {
    check(
        "https://example.com/books/:id",
        &[
            "https://example.com/books/1",
            "https://example.com/books/%2F",
            "https://EXAMPLE.com/books/é",
        ],
        &[
            "https://example.com/books/",
            "https://example.com/books/1/2",
            "http://example.com/books/1",
            "https://example.com/Books/1",
            "https://example.com:8443/books/1",
            "/books/1",
        ],
    );
    // A pattern matches anything in the parts after its last.
    check(
        "https://example.com/books/:id",
        &["https://example.com/books/1?x=y#z", "https://user:pass@example.com/books/1"],
        &[],
    );
    check(
        "https://example.com/bar/:id",
        &["https://example.com/bar/1"],
        &["https://example.com/foo"],
    );
    check(
        "https://example.com/users/42/*",
        &["https://example.com/users/42/", "https://example.com/users/42/books/1"],
        &["https://example.com/users/42", "https://example.com/users/421/x"],
    );
    check("https://example.com/:selector", &["https://example.com/x"], &["https://example.com/"]);
}

#[test]
fn relative_patterns_and_topics_have_the_base_of_the_hub() {
    check(
        "/books/:id",
        &[
            "/books/1",
            "https://hub.example.com/books/1",
            "../books/1",
            "//hub.example.com/books/1",
            "/books/1?x=y#z",
        ],
        &["https://example.com/books/1", "books/1", "http://hub.example.com/books/1"],
    );
    // They are relative to the directory of the hub's path.
    check("books/:id", &["books/1", "/.well-known/books/1"], &["/books/1"]);
    check("", &["/.well-known/"], &["", "/"]);
    check("?a=:b", &["?a=1", "/.well-known/mercure?a=2"], &["?b=1", "/?a=1"]);
    check("*", &["/.well-known/x/y"], &["/x"]);
    check("https://hub.example.com/*", &["pub", "/x"], &["https://example.com/x"]);
    // A topic that does not parse matches no pattern.
    check("*://*:*/*", &["https://a/"], &["https://[", "http://a b/", "//"]);
    check(":a(.*)\\:*", &[], &["https://["]);
    assert!(ParsedTopic::new("http://[not-a-url/x", &hub()).is_none());
}

#[test]
fn characters_of_the_hubs_path_are_no_syntax() {
    let hub = HubUrl::parse("http://localhost:8080/a+b(c):d*/hub").unwrap();
    let pattern = UrlPattern::parse("x/:y", &hub).unwrap();
    assert!(pattern.matches(&ParsedTopic::new("x/1", &hub).unwrap()));
    assert!(pattern.matches(&ParsedTopic::new("/a+b(c):d*/x/1", &hub).unwrap()));
    assert!(!pattern.matches(&ParsedTopic::new("/aab(c):dd/x/1", &hub).unwrap()));
}

#[test]
fn what_laravel_echo_sends() {
    let topic = "https%3A%2F%2Flaravel.alt%2Fecho%2Fchannel%2Fpresence-room.1";
    let event =
        |subscriber: &str| format!("/.well-known/mercure/subscriptions/exact/{topic}{subscriber}");
    let stream = format!("/.well-known/mercure/subscriptions/:match_type/{topic}/:subscriber");
    assert!(selects(&stream, &event("/urn%3Auuid%3Abb3de268-05b0-4c65-b44e-8f9acefc29d6")));
    assert!(!selects(&stream, &event("")));
    assert!(!selects(&stream, &event("/a/b")));
    assert!(!selects(&stream, &event("/a").replace("room.1", "room.2")));
    // `.` is a character like any other, and percent-encodings are compared as they are.
    assert!(!selects(&stream, &event("/a").replace("room.1", "room-1")));
    assert!(!selects(&stream, &event("/a").replace("%3A", "%3a")));

    let grant = format!("/.well-known/mercure/subscriptions/:match_type/{topic}{{/:subscriber}}?");
    assert!(selects(&grant, &event("")));
    assert!(selects(&grant, &event("/a")));
    assert!(!selects(&grant, &event("/")));
    assert!(!selects(&grant, &event("/a/b")));
    // A name with `:` is encoded twice.
    check(
        "/s/:t/presence-a%253Ab/:u",
        &["/s/exact/presence-a%253Ab/1"],
        &["/s/exact/presence-a%3Ab/1"],
    );
}

#[test]
fn schemes_of_every_kind() {
    // "URL patterns whose `protocol` component is a wildcard … can match `data:`, `javascript:`".
    for topic in ["data:text/plain,x", "javascript:alert(1)", "file:///etc/passwd", "urn:a:b"] {
        assert!(selects("*\\:*", topic), "{topic}");
        assert!(!selects("http{s}?://*", topic), "{topic}");
        assert!(!selects("/*", topic), "{topic}");
    }
    check("data\\:text/:type,*", &["data:text/plain,x"], &["data:image/png,x", "text/plain,x"]);
    check("urn\\:uuid\\:*", &["urn:uuid:1", "URN:uuid:1"], &["urn:x:1", "/uuid:1", "urn:UUID:1"]);
    check(
        "http{s}?://example.com/:id",
        &["http://example.com/1", "https://example.com/1"],
        &["ws://example.com/1"],
    );
    check("HTTPS://Example.COM/A", &["https://example.com/A"], &["https://example.com/a"]);
    check("https://*.example.com/*", &["https://a.b.example.com/"], &["https://example.com/"]);
    check(
        "https://{:sub.}?example.com/",
        &["https://a.example.com/", "https://example.com/"],
        &["https://a.b.example.com/"],
    );
    check(
        "https://bücher.example/:id",
        &["https://xn--bcher-kva.example/1", "https://BÜCHER.example/1"],
        &["https://bucher.example/1"],
    );
    check("https://[\\:\\:1]/:x", &["https://[::1]/1", "https://[0:0::1]/1"], &["https://[::2]/1"]);
    check("https://example.com:443/", &["https://example.com/"], &["https://example.com:8443/"]);
    check("https://example.com:*/", &["https://example.com:8443/", "https://example.com/"], &[]);
    check("app://rooms/:id", &["app://rooms/1", "app://rooms/1/2"], &["app://other/1"]);
    check("/é/:x", &["/é/1", "/%C3%A9/1"], &["/%c3%a9/1", "/e/1"]);
    check("/a/../b/:x", &["/b/1", "/c/../b/1"], &["/a/b/1"]);
}

#[test]
fn regular_expressions_are_ecmascripts() {
    check("/(\\d+)", &["/1", "/42"], &["/x", "/", "/4x"]);
    check("/:x(a|b)?", &["/a", "/b"], &["/ab", "/"]);
    check("/([[a-z]--[aeiou]]+)", &["/xyz"], &["/a", "/X"]);
    check("/([[:alpha:]]+)", &["/:alph"], &["/xyz"]);
    check("/([\\w&&[^\\d]]{2,3})", &["/ab", "/abc"], &["/a", "/a1", "/abcd"]);
    check("/((?i:ab)c)", &["/ABc", "/abc"], &["/abC"]);
    check("/((?:a|b)*)", &["/", "/abba"], &["/c"]);
    check("/([^\\/]+)", &["/x"], &["/x/y", "/"]);
    check("/([^])", &["/x"], &["/"]);
    check("/x([])", &[], &["/x"]);
    check("/(\\p{L}+)", &["/e", "/Ab"], &["/é", "/1", "/a1"]);
    check("/(\\P{L}+)", &["/1"], &["/a"]);
    check("/([\\p{Lu}\\p{Nd}_]+)", &["/A_1"], &["/a"]);
    check("/([^\\p{Lowercase}\\/]+)", &["/A-1"], &["/a"]);
    check("/([\\p{L}--[a-c]]\\p{gc=Nd}{2})", &["/d12", "/A12"], &["/a12", "/d1"]);
    check("/(\\p{Script=Greek})", &[], &["/α", "/a"]);
    check("/([\\q{ab|c|}d])", &["/ab", "/c", "/d", "/"], &["/a", "/abc", "/b"]);
    check("/([\\q{ab|cd}--\\q{ab}]x)", &["/cdx"], &["/abx", "/x"]);
    check("/([\\q{ab|c|d}&&[c\\q{ab}]])", &["/ab", "/c"], &["/d"]);
    check("/([^\\q{a|b}\\/])", &["/c"], &["/a"]);
    // Assertions see what is beside them, even if it is fixed.
    check("/foo(^bar)", &[], &["/foobar", "/bar"]);
    check("/foo(\\bbar)", &[], &["/foobar"]);
    check("/foo-(\\bbar\\b)-x", &["/foo-bar-x"], &[]);
    check("/foo(bar$)x", &[], &["/foobarx"]);
    // These match no topic, since parsed topics are ASCII.
    check("/(\\u{e9}|x)", &["/x"], &["/é"]);

    let refused = |text: &str| match UrlPattern::parse(text, &hub()) {
        Err(InvalidUrlPattern::Regexp(error)) => error,
        other => panic!("{text}: {other:?}"),
    };
    for text in ["/(a(?=b).*)", "/(a(?!b).*)", "/(.*(?<!b)a)", "/(.(?<=b)a)"] {
        assert_eq!(refused(text), InvalidRegexp::LookAround);
    }
    for text in ["/((?:a)\\1)", "/((?<n>a)\\k<n>)", "/(\\1)", "/(a{2}\\2)"] {
        assert_eq!(refused(text), InvalidRegexp::BackReference);
    }
    for text in ["/((?i:\\p{L}))", "/((?i:[\\q{ab}]))", "/((?i:\\u017f))", "/((?i:[a-\\u{212a}]))"]
    {
        assert_eq!(refused(text), InvalidRegexp::Unsupported);
    }
    for text in ["/(\\p{l})", "/(\\p{Latin})", "/([\\P{Script=latin}])", "/(\\p{RGI_Emoji})"] {
        assert_eq!(refused(text), InvalidRegexp::NoProperty, "{text}");
    }
    for text in [
        "/([^/])",
        "/([a-])",
        "/([\\w-.])",
        "/([a|b])",
        "/([a)",
        "/([)(])",
        "/([a&&b--c])",
        "/([\\d-z])",
        "/([\\q{ab])",
        "/([\\q{[}])",
    ] {
        assert!(
            matches!(refused(text), InvalidRegexp::BareInClass | InvalidRegexp::Malformed),
            "{text}"
        );
    }
    for text in [
        "/(a**)",
        "/(a*+)",
        "/(*)x(+)",
        "/(a{1)",
        "/(a{2,1})",
        "/(a{,2})",
        "/(^*)",
        "/(\\b+)",
        "/(\\m)",
        "/(\\<a)",
        "/(\\A)",
        "/(\\-)",
        "/(a])",
        "/(})",
        "/([b-a])",
        "/([a-c&&b])",
        "/([a&&&b])",
        "/([!!])",
        "/(\\x4)",
        "/(\\u{110000})",
        "/(\\u{})",
        "/(\\01)",
        "/(\\c1)",
        "/((?x:a))",
        "/((?ii:a))",
        "/((?-:a))",
        "/((?<1>a))",
        "/([\\m])",
        "/(\\q{a})",
        "/([^\\q{ab}])",
        "/(\\p)",
        "/(\\pL)",
        "/(\\p{L)",
    ] {
        assert_eq!(refused(text), InvalidRegexp::Malformed, "{text}");
    }
}

#[test]
fn what_is_no_pattern() {
    let refused = |text: &str| UrlPattern::parse(text, &hub()).unwrap_err();
    assert_eq!(refused("/("), InvalidUrlPattern::Incomplete);
    assert_eq!(refused("/(?:a)"), InvalidUrlPattern::Incomplete);
    assert_eq!(refused("/\\"), InvalidUrlPattern::Incomplete);
    assert_eq!(refused("/{a"), InvalidUrlPattern::Group);
    assert_eq!(refused("/:a/:a"), InvalidUrlPattern::Group);
    assert_eq!(refused("https://exa mple.com/"), InvalidUrlPattern::Url);
    assert_eq!(refused("https://example.com:65536/"), InvalidUrlPattern::Url);
    // Here a counter in the crate goes below zero.
    assert_eq!(refused("https://a]b/"), InvalidUrlPattern::Url);
    assert!(!selects("https://[]]/", "https://[::1]/"));
}

#[test]
fn a_pattern_is_its_text() {
    let one = pattern("/books/:id");
    assert_eq!(one, pattern("/books/:id"));
    assert_ne!(one, pattern("/books/:name"));
    assert!(one < pattern("/books/:name"));
    let written = serde_json::to_string(&one).unwrap();
    assert_eq!(
        written,
        r#"{"text":"/books/:id","base":"https://hub.example.com/.well-known/mercure"}"#
    );
    let read: UrlPattern = serde_json::from_str(&written).unwrap();
    assert_eq!(read, one);
    assert!(read.matches(&ParsedTopic::new("/books/1", &hub()).unwrap()));
    // For another hub it is another pattern, unless it is absolute.
    let other = HubUrl::parse("https://other.example/hub").unwrap();
    assert_ne!(one, UrlPattern::parse("/books/:id", &other).unwrap());
    let absolute = "https://example.com/:id";
    assert_eq!(pattern(absolute), UrlPattern::parse(absolute, &other).unwrap());
    let written = serde_json::to_string(&pattern(absolute)).unwrap();
    assert_eq!(serde_json::from_str::<UrlPattern>(&written).unwrap(), pattern(absolute));
    for broken in [
        r#"{"text":"/(","base":"https://a/hub"}"#,
        r#"{"text":"/a","base":null}"#,
        r#"{"text":"/a","base":"hub"}"#,
        r#"{"text":"https://a/b","base":"https://a/hub"}"#,
    ] {
        assert!(serde_json::from_str::<UrlPattern>(broken).is_err(), "{broken}");
    }
}
