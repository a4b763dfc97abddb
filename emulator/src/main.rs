//! AWS Lambda behind function URLs, on this machine.
//!
//! The hub's function is a binary that fetches invocations from the *Runtime API* and posts its
//! answers there. This program starts that binary as Lambda would, so that what is tested and
//! developed with is the very binary that is deployed, and so that it meets what Lambda does to
//! it: one invocation at a time, frozen between two of them, ended at its deadline, and told
//! nothing about the clients that have gone.
//!
//! ```text
//!                          front                    function            environment
//!            ┌ POST ─────▶ event, prelude ─▶ publish   ─┬─ waiting, idle ─▶ Runtime API ◀─▶ process
//! client ────┤                                          └─ …
//!            └ any other ▶ event, prelude ─▶ subscribe ─── …
//! ```
//!
//! | to find | look in |
//! |---|---|
//! | which request goes to which function, and what a client sees of failures | [`front`] |
//! | the event that a request becomes | [`event`] |
//! | the answer that a function's bytes become | [`integration`] |
//! | how many environments there are, and who waits for one | [`function`] |
//! | a process: its start, freezing, deadlines, end | [`environment`] |
//! | what the process asks and is answered | [`runtime_api`] |
//! | why no process outlives this one | [`tether`] |
//!
//! # As on AWS
//!
//! - The Runtime API, version 2018-06-01: `next` waits as long as it takes, deadlines are those
//!   that will be kept, a streamed response is read to its end before it is acknowledged, and its
//!   trailers may report an error. ("Using the Lambda runtime API for custom runtimes",
//!   docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
//! - An environment has one invocation at a time, or as many as `AWS_LAMBDA_MAX_CONCURRENCY` says.
//!   ("Understanding the Lambda Managed Instances execution environment", the same guide)
//! - An environment without an invocation is frozen. ("Understanding the Lambda execution
//!   environment lifecycle", lambda-runtime-environment.html)
//! - A client that goes does not interrupt the function. ("Response streaming for Lambda
//!   functions", configuration-response-streaming.html: "billed for the full function duration")
//! - Requests and buffered answers in payload format 2.0; form bodies in base64. ("Invoking Lambda
//!   function URLs", urls-invocation.html)
//! - A request is 6 MB at most, as an event; a buffered answer 6 MB, a streamed one 200 MB.
//!   ("Lambda quotas", gettingstarted-limits.html)
//! - `WWW-Authenticate` and some other fields come out as `x-amzn-remapped-…`.
//! - Above the reserved concurrency, requests are answered 429.
//! - A process that has registered an extension gets SIGTERM when its environment ends, and some
//!   time; any other is killed. ("Understanding the Lambda execution environment lifecycle")
//!
//! # Not as on AWS
//!
//! - One host serves both functions, by method, as the template's CloudFront does (with the field
//!   `X-Origin-Verify`, where `ORIGIN_SECRET` is set), and over plain HTTP/1.1. CloudFront itself would refuse the method `QUERY`; a function URL's documentation
//!   names seven methods and not this one, so what it does is not known. Here it passes.
//! - `requestContext.domainName` is the `Host` of the request.
//! - After its first 6 MB, AWS streams at 2 MB a second; here there is no such limit.
//! - How much AWS buffers for a client that does not read is not documented; here it is what the
//!   sockets hold, and no more.
//! - AWS gives the start of an environment 10 seconds, and repeats one that takes longer within
//!   the invocation; here it has a minute, for slow machines.
//! - AWS gives a process half a second between SIGTERM and SIGKILL; here it has five seconds.
//! - AWS ends idle environments after some time, and all of them once in a while; here an
//!   environment lives until it fails.
//! - The rate of requests is not limited (AWS: ten a second for each reserved concurrency).
//! - Concurrent environments are started when invocations need them, where Managed Instances scale
//!   by load; at a deadline an invocation is given up and the process goes on.
//! - What a client sees of a function that fails (502) or is throttled (429) is not documented
//!   beyond the status; the texts are this program's own.
//! - Extensions get no events, and freezing does not wait for them; there is no X-Ray and no
//!   telemetry, and nothing is billed.

mod arguments;
mod environment;
mod event;
mod front;
mod function;
mod integration;
mod invocation;
mod runtime_api;
mod tether;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::arguments::{Arguments, Command};
use crate::front::Front;
use crate::function::Function;

/// How long the last bytes of streams may take, when this ends.
const FLUSH: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => run(&serve),
        Command::Tether(tethered) => tether::become_tethered(&tethered),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lambda: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread, which lives as long as the program: children are bound to the thread that starts
/// them ([`tether`]).
#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &arguments::Serve) -> std::io::Result<()> {
    let front = Front {
        publish: Function::new(arguments.publish()),
        subscribe: Function::new(arguments.subscribe()),
    };
    let front = Arc::new(front);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        failed = front::serve(arguments.port, Arc::clone(&front)) => return failed,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tokio::join!(front.publish.shut_down(), front.subscribe.shut_down());
    // The last bytes of streams are on their way to the clients.
    sleep(FLUSH).await;
    Ok(())
}
