//! A resource that names its hub.

use std::sync::Arc;

use super::{Example, with_one_secret};
use crate::case::Suite;
use crate::http::{Endpoint, Request};
use crate::port::Port;

pub(super) fn a_resource_is_followed_by_its_address_alone(suite: &Suite) {
    let hub = with_one_secret(suite, &[]);
    let port = Port::take().expect("a port");
    let number = port.number().to_string();
    let mut app =
        Example::start_with(&hub, "examples/discovery/app.mjs", &[], &[("PORT", &number)]);
    app.wait_for("http://");
    let book = Request::new(Arc::new(Endpoint::local(port.number())), "PUT", "/books/1".into());
    let change = |change: &str| book.clone().body(change).send().expect_status(204);
    change(r#"{"pages":272}"#);

    let url = format!("http://localhost:{number}/books/1");
    let mut reader = Example::start(&hub, "examples/discovery/follow.mjs", &[&url]);
    reader.wait_for(r#"{"title":"Piranesi","pages":272}"#);
    // Whether or not it has subscribed by now: it does so from where the resource was.
    change(r#"{"pages":245}"#);
    reader.wait_for(r#"{"title":"Piranesi","pages":245}"#);
}
