//! What keeps it from starting, in words.

use std::process::Output;

use crate::server::{Folder, Server, cinnabar};

fn refused(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(1));
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn every_mistake_of_the_configuration_is_named_at_once() {
    let folder = Folder::create();
    let mistakes = [("HEARTBEAT", "soon"), ("ANONYMOUS", "perhaps"), ("TLS_KEY", "key.pem")];
    let output = cinnabar(&folder.data()).envs(mistakes).output().unwrap();
    let told = refused(&output);
    for name in ["HEARTBEAT: ", "ANONYMOUS: ", "TLS_CERT: "] {
        assert!(told.contains(name), "{name} in {told}");
    }
    assert!(!folder.data().exists());
}

#[test]
fn a_second_process_on_one_file_is_told_whose_it_is() {
    let folder = Folder::create();
    let first = Server::start(&folder.data(), &[]);
    let output = cinnabar(&folder.data()).output().unwrap();
    let told = refused(&output);
    let expected = format!("in use by another hub (process {})", first.id());
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = Folder::create();
    let first = Server::start(&folder.data(), &[]);
    let other = Folder::create();
    let output = cinnabar(&other.data()).args(["--listen", &first.address]).output().unwrap();
    let told = refused(&output);
    assert!(told.contains(&first.address) && told.contains("--listen"), "{told}");
}

#[test]
fn a_certificate_that_cannot_be_read_is_named() {
    let folder = Folder::create();
    let files = [("TLS_CERT", "/nowhere.pem"), ("TLS_KEY", "/nowhere.pem")];
    let output = cinnabar(&folder.data()).envs(files).output().unwrap();
    let told = refused(&output);
    assert!(told.contains("TLS_CERT: /nowhere.pem"), "{told}");
}
