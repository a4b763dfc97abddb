//! What Lambda does, one case for each rule.

use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::Trial;
use serde_json::json;

use crate::client::Exchange;
use crate::control::{Emulator, Invocation, wait_for};

pub(crate) fn all() -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$(Trial::test(stringify!($case), || {
                $case();
                Ok(())
            })),*]
        };
    }
    trials![
        a_stream_is_handed_on_as_it_is_written,
        the_method_chooses_the_function,
        a_client_that_goes_is_not_told_of,
        an_environment_has_one_invocation,
        an_environment_is_used_again,
        a_concurrent_environment_has_several,
        what_is_above_the_reserved_concurrency_is_429,
        a_deadline_is_kept,
        a_concurrent_environment_outlives_a_deadline,
        a_function_that_dies_is_replaced,
        an_error_is_502,
        an_error_in_a_trailer_breaks_the_stream,
        a_function_that_cannot_start_is_502,
        a_buffered_answer_is_whole,
        a_request_above_6_mb_is_413,
        a_head_has_no_body,
        an_answer_without_a_body_has_no_end,
        no_process_outlives_the_emulator,
        a_process_with_an_extension_is_asked_to_end,
    ]
}

const OK: &str = r#"prelude {"statusCode":200,"headers":{"content-type":"text/event-stream"}}"#;
const END: &str = "\r\n0\r\n\r\n";

/// An invocation whose answer has begun.
fn opened(emulator: &Emulator) -> Invocation {
    let mut invocation = emulator.invocation();
    invocation.then("open");
    invocation.then(OK);
    invocation.then("send :");
    invocation
}

fn a_stream_is_handed_on_as_it_is_written() {
    let emulator = Emulator::start(&[]);
    let mut client = Exchange::get(&emulator);
    let mut invocation = emulator.invocation();
    invocation.then("open");
    invocation.then(
        r#"prelude {"statusCode":401,"headers":{"www-authenticate":"Bearer"},"cookies":["a=1"]}"#,
    );
    let head = client.until("\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert!(head.contains("\r\nx-amzn-remapped-www-authenticate: Bearer\r\n"), "{head}");
    assert!(head.contains("\r\nset-cookie: a=1\r\n"), "{head}");
    invocation.then("send one");
    client.until("one");
    invocation.then("send two");
    client.until("two");
    assert_eq!(invocation.then("end"), 202);
    assert!(client.whole().ends_with(END));
}

fn the_method_chooses_the_function() {
    let emulator = Emulator::start(&[]);
    for (method, function) in [
        ("GET", "subscribe"),
        ("POST", "publish"),
        ("QUERY", "subscribe"),
        ("OPTIONS", "subscribe"),
        ("DELETE", "subscribe"),
    ] {
        let fields = "Content-Type: application/x-www-form-urlencoded\r\nCookie: a=1; b=2\r\n";
        let client = Exchange::send(&emulator, method, fields, b"topic=a");
        let mut invocation = opened(&emulator);
        assert_eq!(invocation.serves(), function);
        let event = invocation.event();
        assert_eq!(event["requestContext"]["http"]["method"], method);
        assert_eq!(event["requestContext"]["domainName"], "hub.test");
        assert_eq!(event["rawPath"], "/.well-known/mercure");
        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!("dG9waWM9YQ=="), &json!(true))
        );
        invocation.then("end");
        assert!(client.whole().starts_with("HTTP/1.1 200 "));
    }
}

fn a_client_that_goes_is_not_told_of() {
    let emulator = Emulator::start(&[]);
    let mut client = Exchange::get(&emulator);
    let mut invocation = opened(&emulator);
    client.until("\r\n\r\n");
    drop(client);
    // More than all buffers on the way hold.
    for _ in 0..200 {
        invocation.then(&format!("send {}", "x".repeat(100_000)));
    }
    assert_eq!(invocation.then("end"), 202);
}

fn an_environment_has_one_invocation() {
    let emulator = Emulator::start(&[]);
    let _first = Exchange::get(&emulator);
    let mut first = opened(&emulator);
    let _second = Exchange::get(&emulator);
    let second = opened(&emulator);
    assert_ne!(first.process(), second.process());
    assert_eq!(first.then("next"), 403);
    assert_eq!(first.then("end"), 202);
}

fn an_environment_is_used_again() {
    let emulator = Emulator::start(&[]);
    let mut processes = Vec::new();
    for _ in 0..3 {
        let client = Exchange::get(&emulator);
        let mut invocation = opened(&emulator);
        let process = invocation.process();
        invocation.then("end");
        drop(invocation);
        client.whole();
        // Without /proc there is no telling whether it is frozen.
        if cfg!(target_os = "linux") {
            wait_for("standstill", || state(process).filter(|state| *state == 'T'));
        }
        processes.push(process);
    }
    processes.dedup();
    assert_eq!(processes.len(), 1);
}

/// The state of a process: `T` if it is stopped.
fn state(process: u64) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn a_concurrent_environment_has_several() {
    let emulator = Emulator::start(&["--environment-concurrency", "2"]);
    let _clients = [Exchange::get(&emulator), Exchange::get(&emulator), Exchange::get(&emulator)];
    let mut processes = [(); 3]
        .map(|()| emulator.invocation())
        .map(|invocation| (invocation.process(), invocation));
    processes.sort_by_key(|(process, _)| *process);
    let mut numbers = processes.iter().map(|(process, _)| *process).collect::<Vec<_>>();
    numbers.dedup();
    assert_eq!(numbers.len(), 2);
}

fn what_is_above_the_reserved_concurrency_is_429() {
    let emulator = Emulator::start(&["--subscribe-concurrency", "1"]);
    let first = Exchange::get(&emulator);
    let mut invocation = opened(&emulator);
    assert!(Exchange::get(&emulator).whole().starts_with("HTTP/1.1 429 "));
    // The other function has a reservation of its own.
    let publisher = Exchange::send(&emulator, "POST", "", b"");
    opened(&emulator).then("end");
    publisher.whole();
    assert_eq!(invocation.then("end"), 202);
    drop(invocation);
    first.whole();
    let _next = Exchange::get(&emulator);
    emulator.invocation();
}

fn a_deadline_is_kept() {
    let emulator = Emulator::start(&["--subscribe-timeout", "1"]);
    let before = now();
    let mut client = Exchange::get(&emulator);
    let invocation = opened(&emulator);
    assert!((before + 1000..=now() + 1000).contains(&invocation.deadline()));
    client.until("\r\n\r\n");
    let process = invocation.process();
    invocation.wait_for_death();
    assert!(now() >= before + 1000);
    assert!(!client.whole().ends_with(END));

    let client = Exchange::get(&emulator);
    assert_ne!(emulator.invocation().process(), process);
    drop(client);
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

fn a_concurrent_environment_outlives_a_deadline() {
    let emulator = Emulator::start(&["--subscribe-timeout", "1", "--environment-concurrency", "2"]);
    let client = Exchange::get(&emulator);
    let mut invocation = opened(&emulator);
    let process = invocation.process();
    assert!(!client.whole().ends_with(END));
    assert_ne!(invocation.then("error"), 202);
    let _client = Exchange::get(&emulator);
    assert_eq!(emulator.invocation().process(), process);
}

fn a_function_that_dies_is_replaced() {
    let emulator = Emulator::start(&[]);
    let client = Exchange::get(&emulator);
    let mut invocation = emulator.invocation();
    let process = invocation.process();
    invocation.start("die");
    assert!(client.whole().starts_with("HTTP/1.1 502 "));

    let mut client = Exchange::get(&emulator);
    let mut invocation = opened(&emulator);
    assert_ne!(invocation.process(), process);
    client.until("\r\n\r\n");
    invocation.start("die");
    assert!(!client.whole().ends_with(END));
}

fn an_error_is_502() {
    let emulator = Emulator::start(&[]);
    let client = Exchange::get(&emulator);
    let mut invocation = emulator.invocation();
    assert_eq!(invocation.then("error"), 202);
    assert_eq!(invocation.then("error"), 400);
    assert!(client.whole().starts_with("HTTP/1.1 502 "));
}

fn an_error_in_a_trailer_breaks_the_stream() {
    let emulator = Emulator::start(&[]);
    let client = Exchange::get(&emulator);
    let mut invocation = opened(&emulator);
    invocation.then("send one");
    assert_eq!(invocation.then("fail"), 202);
    let answer = client.whole();
    assert!(answer.contains("one") && !answer.ends_with(END), "{answer}");
}

fn a_function_that_cannot_start_is_502() {
    for function in ["false", "/no/such/function"] {
        let emulator = Emulator::start_with(&[], function);
        assert!(Exchange::get(&emulator).whole().starts_with("HTTP/1.1 502 "));
    }
}

fn a_buffered_answer_is_whole() {
    let emulator = Emulator::start(&[]);
    let client = Exchange::get(&emulator);
    let mut invocation = emulator.invocation();
    assert_eq!(invocation.then(r#"buffered {"statusCode":418,"body":"tea"}"#), 202);
    let answer = client.whole();
    assert!(answer.starts_with("HTTP/1.1 418 ") && answer.ends_with("\r\n\r\ntea"), "{answer}");
}

fn a_request_above_6_mb_is_413() {
    let emulator = Emulator::start(&[]);
    // Base64 makes it a third larger.
    let client = Exchange::send(&emulator, "POST", "", &vec![b'x'; 5 << 20]);
    assert!(client.whole().starts_with("HTTP/1.1 413 "));
}

fn a_head_has_no_body() {
    let emulator = Emulator::start(&[]);
    let client = Exchange::send(&emulator, "HEAD", "", b"");
    assert_eq!(opened(&emulator).then("end"), 202);
    let answer = client.whole();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}

fn an_answer_without_a_body_has_no_end() {
    let emulator = Emulator::start(&[]);
    for (method, status) in [("GET", 200), ("HEAD", 200), ("OPTIONS", 204)] {
        let client = Exchange::send(&emulator, method, "", b"");
        let mut invocation = emulator.invocation();
        invocation.then("open");
        invocation.then(&format!(r#"prelude {{"statusCode":{status}}}"#));
        assert_eq!(invocation.then("end"), 202);
        client.expect_no_end();
    }
}

fn no_process_outlives_the_emulator() {
    let mut emulator = Emulator::start(&[]);
    let _first = Exchange::get(&emulator);
    let answering = opened(&emulator);
    let second = Exchange::get(&emulator);
    let mut invocation = opened(&emulator);
    let idle = invocation.process();
    invocation.then("end");
    drop(invocation);
    second.whole();
    if cfg!(target_os = "linux") {
        wait_for("standstill", || state(idle).filter(|state| *state == 'T'));
    }
    emulator.kill();
    answering.wait_for_death();
    if cfg!(target_os = "linux") {
        // A dead process that nobody has waited for yet is a zombie.
        wait_for("the end", || state(idle).is_none_or(|state| "ZX".contains(state)).then_some(()));
    }
}

fn a_process_with_an_extension_is_asked_to_end() {
    for (extended, signal) in [(true, "SIGTERM"), (false, "SIGKILL")] {
        let mut emulator = Emulator::start_extended(extended);
        let _client = Exchange::get(&emulator);
        let invocation = opened(&emulator);
        let log = emulator.terminate();
        assert!(log.contains(signal), "{log}");
        invocation.wait_for_death();
    }
}
