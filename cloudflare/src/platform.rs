//! What the runtime offers: its clock, its randomness, its configuration, its console.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use cinnabar_core::{Config, Timestamp};
use serde_json::Value;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::{Array, JSON, Object, Reflect};
use worker::{Date, Delay, Env, console_error, console_warn};

use crate::deployment::PLATFORM;

/// The current time.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// Lets whatever else is due run first.
pub(crate) async fn let_others_run() {
    sleep(Duration::ZERO).await;
}

/// Waits for so long.
pub(crate) async fn sleep(duration: Duration) {
    Delay::from(duration).await;
}

/// Fresh random bytes.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], worker::Error> {
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes).map_err(|error| worker::Error::from(error.to_string()))?;
    Ok(bytes)
}

/// The object that holds the log. It has to be asked for anew after it was lost.
pub(crate) fn shard<T: wasm_bindgen::JsCast>(env: &Env) -> Result<T, worker::Error> {
    Ok(env.durable_object("SHARD")?.get_by_name("hub")?.into_rpc())
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
    match Config::read_json(&PLATFORM, variables(env)) {
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

/// Variables and secrets, and the names of all else that is bound.
fn variables(env: &Env) -> impl Iterator<Item = (String, Value)> {
    let env: JsValue = AsRef::<JsValue>::as_ref(env).clone();
    let names = env.dyn_ref::<Object>().map(Object::keys).unwrap_or_default();
    names.into_iter().filter_map(move |name| {
        let value = Reflect::get(&env, &name).map_or(Value::Null, |value| json(&value));
        Some((name.as_string()?, value))
    })
}

/// What was written in `[vars]`: `null` if this is not from there, but a binding to something.
fn json(value: &JsValue) -> Value {
    // Asked before it is made into text: a binding to a service would take that for a call.
    let is_plain = || Object::get_prototype_of(value) == Object::get_prototype_of(&Object::new());
    if value.is_object() && !Array::is_array(value) && !is_plain() {
        return Value::Null;
    }
    let text = JSON::stringify(value).ok().and_then(|text| text.as_string());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}
