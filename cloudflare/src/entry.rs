//! The Worker: admits requests, and forwards those that only the object can answer.

use cinnabar_core::feed::{self, FORWARD_PATIENCE, MAX_FORWARDED_ANSWER, forwarded};
use cinnabar_core::{
    Admission, Answer, Body, Command, Config, Publish, Request, Step, admit, link_unavailable,
    misconfigured,
};
use futures_util::StreamExt as _;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{self, RequestInit};
use worker::{ByteStream, Context, Env, console_error, event};

use crate::{answer, keys, outbound, placement, platform};

#[wasm_bindgen]
extern "C" {
    /// An object, as the runtime hands it out: the wrapper of `worker` copies each response.
    type Stub;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn publish(this: &Stub, command: &Uint8Array) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/fields.js")]
extern "C" {
    /// Names and values in turn, a line each.
    fn lines(fields: &web_sys::Headers) -> String;
}

#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    context: Context,
) -> worker::Result<web_sys::Response> {
    let Some(config) = platform::config(&env) else {
        return Ok(answer::whole(misconfigured())?);
    };
    let head = head(&request);
    let step = admit(&head, &config, platform::now(), &platform::entropy()?);
    let admission = match keys::settle(step, &config, &context).await {
        Step::Done(admission) => admission,
        Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
        Step::Read(unread) => {
            let body = body(&request, &head, unread.limit()).await;
            match unread.admit(&body, platform::now()) {
                Admission::Forward(Command::Publish(publish)) if config.follow().is_some() => {
                    Admission::Answer(pass_on(&publish, &config, &head, body).await)
                }
                admission => admission,
            }
        }
    };
    respond(admission, &request, &config, &env).await
}

async fn respond(
    admission: Admission,
    request: &web_sys::Request,
    config: &Config,
    env: &Env,
) -> worker::Result<web_sys::Response> {
    match admission {
        Admission::Answer(answer) if answer.begins_link() => begin_link(env).await,
        Admission::Answer(answer) => Ok(answer::whole(answer)?),
        Admission::Forward(command) => match forward(&command, request, config, env).await {
            Ok(response) => Ok(response),
            Err(error) => {
                console_error!("the object did not answer: {}", worker::Error::from(error));
                Ok(answer::whole(command.unavailable(platform::now()))?)
            }
        },
    }
}

/// Another hub begins to follow this one: its WebSocket is the object's.
async fn begin_link(env: &Env) -> worker::Result<web_sys::Response> {
    match connect(env).await {
        Ok(response) => Ok(response),
        Err(error) => {
            console_error!("the object opened no link: {}", worker::Error::from(error));
            Ok(answer::whole(link_unavailable())?)
        }
    }
}

async fn connect(env: &Env) -> Result<web_sys::Response, JsValue> {
    let stub: Stub = platform::shard(env)?;
    let init = RequestInit::new();
    let headers = web_sys::Headers::new()?;
    headers.set("upgrade", "websocket")?;
    init.set_headers(&headers);
    JsFuture::from(stub.fetch("https://object/", &init)?).await?.dyn_into()
}

/// Passes a publication on to the hub that this one follows.
async fn pass_on(publish: &Publish, config: &Config, head: &Request, body: Body) -> Answer {
    let Body::Whole(body) = body else { return publish.unavailable() };
    let Some(request) = feed::forward(config, head, body) else { return publish.unavailable() };
    match outbound::send(&request, MAX_FORWARDED_ANSWER, FORWARD_PATIENCE).await {
        Ok(theirs) => forwarded(publish, theirs),
        Err(error) => {
            if let Some(line) =
                answer::sample(format!("a publication could not be passed on: {error}"))
            {
                console_error!("{line}");
            }
            publish.unavailable()
        }
    }
}

/// Has an object carry out a command. Its response is returned unread, so that the runtime
/// passes its bytes on without waking this Worker.
async fn forward(
    command: &Command,
    request: &web_sys::Request,
    config: &Config,
    env: &Env,
) -> Result<web_sys::Response, JsValue> {
    let bytes = Uint8Array::from(&command.to_bytes()[..]);
    if let Command::Subscribe(subscribe) = command
        && config.relays() > 0
    {
        let found = find_room(&bytes, request, config, env).await?;
        return found.map_or_else(|| answer::whole(subscribe.unavailable(platform::now())), Ok);
    }
    // A hub that follows another has no log of its own; any of its relays asks for what one knows.
    let relay = match config.follow() {
        Some(_) => placement::of(request, config)?.next(),
        None => None,
    };
    let stub: Stub = relay.map_or_else(|| platform::shard(env), |relay| relay.stub(env))?;
    if let Command::Publish(publish) = command {
        // A call costs the runtime less than a request does, which has a body to be streamed.
        let refusal = JsFuture::from(stub.publish(&bytes)?).await?;
        return if refusal.is_undefined() {
            answer::whole(publish.accepted())
        } else {
            refusal.dyn_into()
        };
    }
    post(&stub, &bytes).await
}

/// Takes a subscriber to a relay that has room for it. `None` if none of those does that were tried.
async fn find_room(
    command: &Uint8Array,
    request: &web_sys::Request,
    config: &Config,
    env: &Env,
) -> Result<Option<web_sys::Response>, JsValue> {
    for relay in placement::of(request, config)? {
        match post(&relay.stub(env)?, command).await {
            Ok(response) if answer::is_full(&response) => {}
            Ok(response) => return Ok(Some(response)),
            Err(error) => {
                let (name, error) = (relay.name(), worker::Error::from(error));
                console_error!("{name} did not answer: {error}");
            }
        }
    }
    Ok(None)
}

async fn post(stub: &Stub, command: &Uint8Array) -> Result<web_sys::Response, JsValue> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(command);
    JsFuture::from(stub.fetch("https://object/", &init)?).await?.dyn_into()
}

/// The request's head. The runtime has decoded its fields as UTF-8, so their bytes are the text's.
fn head(request: &web_sys::Request) -> Request {
    let lines = lines(&request.headers());
    let mut lines = lines.split('\n');
    let fields = std::iter::from_fn(|| Some((lines.next()?, lines.next()?.as_bytes())));
    Request::new(&request.method(), &request.url(), fields)
}

/// Reads a body, but not beyond its limit.
async fn body(request: &web_sys::Request, head: &Request, limit: usize) -> Body {
    // Each chunk of a stream would be a turn of its own.
    if head.length().is_some_and(|length| length <= limit)
        && let Ok(whole) = request.array_buffer()
    {
        let whole = JsFuture::from(whole).await;
        return whole.map_or(Body::Broken, |whole| Body::Whole(Uint8Array::new(&whole).to_vec()));
    }
    let mut bytes = Vec::new();
    let Some(stream) = request.body() else { return Body::Whole(bytes) };
    let mut chunks = ByteStream::from(stream);
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else { return Body::Broken };
        bytes.extend(chunk);
        if bytes.len() > limit {
            return Body::TooLarge;
        }
    }
    Body::Whole(bytes)
}
