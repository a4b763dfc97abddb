//! What the runtime offers: its clock, its randomness, its configuration, its console.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use cinnabar_core::{Config, Timestamp};
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::{Object, Reflect};
use worker::{Date, Delay, Env, console_error, console_warn};

use crate::deployment::PLATFORM;

/// The current time.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// Lets whatever else is due run first.
pub(crate) async fn let_others_run() {
    Delay::from(Duration::ZERO).await;
}

/// Fresh random bytes.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], worker::Error> {
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes).map_err(|error| worker::Error::from(error.to_string()))?;
    Ok(bytes)
}

/// The configuration, parsed once in the life of an isolate; `None` if it is broken.
pub(crate) fn config(env: &Env) -> Option<Rc<Config>> {
    thread_local! {
        static CONFIG: OnceCell<Option<Rc<Config>>> = const { OnceCell::new() };
    }
    CONFIG.with(|config| config.get_or_init(|| read_config(env)).clone())
}

fn read_config(env: &Env) -> Option<Rc<Config>> {
    // It fails only if a provider is installed already, and then it is this one.
    let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
    match Config::read(&PLATFORM, variables(env)) {
        Ok(config) => {
            for warning in config.warnings() {
                console_warn!("configuration: {warning}");
            }
            Some(Rc::new(config))
        }
        Err(mistakes) => {
            console_error!("The configuration is broken, and no request is served:\n{mistakes}");
            None
        }
    }
}

/// Variables and secrets: those bindings that are text.
fn variables(env: &Env) -> Vec<(String, String)> {
    let env: &JsValue = env.as_ref();
    let names = env.dyn_ref::<Object>().map(Object::keys).unwrap_or_default();
    names
        .iter()
        .filter_map(|name| Some((name.as_string()?, Reflect::get(env, &name).ok()?.as_string()?)))
        .collect()
}
