//! The cache of the data centre in which an isolate runs: what isolates leave to one another.
//!
//! `worker` has a wrapper of it, which panics where the runtime has no cache, and takes the isolate
//! along. Without a cache, and if it fails, each isolate fetches for itself.

use cinnabar_core::KeyFetch;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::{self, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Headers, Result, web_sys};

/// How long keys are kept: they serve for as long as their issuer is away. How old they are is in
/// what is kept.
const KEEP: &str = "max-age=604800";

#[wasm_bindgen]
extern "C" {
    type Raw;

    #[wasm_bindgen(method, catch, js_name = "match")]
    fn find(this: &Raw, url: &str) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(
        this: &Raw,
        url: &str,
        response: &web_sys::Response,
    ) -> std::result::Result<Promise, JsValue>;
}

pub(crate) struct EdgeCache(Raw);

impl EdgeCache {
    /// `None` if the runtime has none.
    pub(crate) fn open() -> Option<Self> {
        let caches = Reflect::get(&js_sys::global(), &"caches".into()).ok()?;
        let cache = Reflect::get(&caches, &"default".into()).ok()?;
        cache.is_object().then(|| Self(cache.unchecked_into()))
    }

    /// What was kept of a fetch.
    pub(crate) async fn get(&self, fetch: &KeyFetch) -> Option<Vec<u8>> {
        self.try_get(fetch).await.ok().flatten()
    }

    async fn try_get(&self, fetch: &KeyFetch) -> Result<Option<Vec<u8>>> {
        let found = JsFuture::from(self.0.find(&address(fetch))?).await?;
        let Ok(response) = found.dyn_into::<web_sys::Response>() else { return Ok(None) };
        let bytes = JsFuture::from(response.array_buffer()?).await?;
        Ok(Some(Uint8Array::new(&bytes).to_vec()))
    }

    /// Keeps what came of a fetch, if it can.
    pub(crate) async fn put(&self, fetch: &KeyFetch, keep: Vec<u8>) {
        // Without it, the next isolate fetches for itself.
        let _ = self.try_put(fetch, keep).await;
    }

    async fn try_put(&self, fetch: &KeyFetch, keep: Vec<u8>) -> Result<()> {
        let response = worker::Response::from_bytes(keep)?;
        let headers = Headers::new();
        headers.set("cache-control", KEEP)?;
        let response: web_sys::Response = response.with_headers(headers).into();
        JsFuture::from(self.0.put(&address(fetch), &response)?).await?;
        Ok(())
    }
}

/// A name for what is kept: a URL that leads nowhere, so that nothing else is kept under it.
fn address(fetch: &KeyFetch) -> String {
    let name = js_sys::encode_uri_component(fetch.name());
    format!("https://keys.cinnabar.invalid/{}", String::from(name))
}
