//! Examples that publish.

use std::path::Path;

use super::{Example, with_one_secret};
use crate::case::Suite;
use crate::hub::fresh;

const PROGRAMS: [&str; 4] = [
    "examples/publish/publish.sh",
    "examples/publish/publish.php",
    "examples/publish/publish.mjs",
    "examples/publish/publish.py",
];

/// Symfony's component, where the system has a package of it: Composer's registry is for users.
const SYMFONY: &str = "examples/publish/symfony.php";
const SYMFONY_PACKAGE: &str = "/usr/share/php/Symfony/Component/Mercure/autoload.php";

/// Whatever a form, a shell or a quotation could spoil.
const DATA: &str = r#"{"title": "L'été & l'hiver = 100 % + $HOME"}"#;

pub(super) fn a_program_publishes_and_says_what_is_wrong(suite: &Suite) {
    let hub = with_one_secret(suite, &[]);
    let topic = fresh("book");
    let mut stream = hub.subscribe(&topic);
    let has_symfony = Path::new(SYMFONY_PACKAGE).is_file();
    if !has_symfony {
        eprintln!("{SYMFONY} is not run: the system has no php-symfony-mercure");
    }
    for script in PROGRAMS.into_iter().chain(has_symfony.then_some(SYMFONY)) {
        let id = Example::start(&hub, script, &[&topic, DATA]).output();
        let event = stream.event();
        assert_eq!((event.data.as_str(), event.id), (DATA, id), "{script}");

        let wrong = [("MERCURE_JWT_SECRET", "another secret, which the hub does not know")];
        let said = Example::start_with(&hub, script, &[&topic, DATA], &wrong).output();
        assert!(said.contains("The access token is not valid here"), "{script}: {said}");
    }
}

pub(super) fn a_worker_publishes_what_is_posted_to_it(suite: &Suite) {
    let hub = with_one_secret(suite, &[]);
    let mut stream = hub.subscribe("https://example.com/orders/7");
    let worker = path("examples/publish/worker.mjs");
    let arguments = [worker.as_str(), "/orders/7", DATA];
    assert_eq!(Example::start(&hub, "tests/examples/worker.mjs", &arguments).output(), "204");
    stream.expect_data(DATA);
}

pub(super) fn a_function_publishes_what_is_in_its_queue(suite: &Suite) {
    let hub = with_one_secret(suite, &[]);
    let mut stream = hub.subscribe("https://example.com/jobs/7");
    let function = path("examples/publish/lambda.mjs");
    let messages = [r#"{"job":7,"done":1}"#, r#"{"job":7,"done":2}"#];
    let arguments = [function.as_str(), messages[0], messages[1]];
    let returned = Example::start(&hub, "tests/examples/lambda.mjs", &arguments).output();
    assert_eq!(returned, r#"{"batchItemFailures":[]}"#);
    for message in messages {
        stream.expect_data(message);
    }
}

fn path(script: &str) -> String {
    format!("{}/../{script}", env!("CARGO_MANIFEST_DIR"))
}
