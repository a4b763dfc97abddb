//! AWS Lambda behind function URLs, on this machine.
//!
//! The hub's function is a binary that fetches invocations from the *Runtime API* and posts its
//! answers there. This program starts that binary as Lambda would, so that tests and developers use
//! the very binary that is deployed, and so that it is treated as Lambda would treat it: one
//! invocation at a time, frozen in between, killed at its deadline, and never told that a client
//! has disconnected.
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
//! | how a request becomes an event | [`event`] |
//! | how a function's bytes become an answer | [`integration`] |
//! | how many environments there are, and which invocations wait for one | [`function`] |
//! | a process: its start, its variables, its end | [`process`] |
//! | its invocations, their deadlines, freezing in between | [`environment`] |
//! | what the process asks and is answered | [`runtime_api`] |
//! | why no process outlives this one | [`tether`] |
//!
//! # As on AWS
//!
//! - The Runtime API, version 2018-06-01: `next` waits as long as it takes, the deadlines it gives
//!   are enforced, a streamed response is read to its end before it is acknowledged, and its
//!   trailers may report an error. ("Using the Lambda runtime API for custom runtimes",
//!   docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
//! - An environment has one invocation at a time, or as many as `AWS_LAMBDA_MAX_CONCURRENCY` says.
//!   ("Understanding the Lambda Managed Instances execution environment", the same guide)
//! - An environment without an invocation is frozen. ("Understanding the Lambda execution
//!   environment lifecycle", lambda-runtime-environment.html)
//! - A client that disconnects does not interrupt the function. ("Response streaming for Lambda
//!   functions", configuration-response-streaming.html: "billed for the full function duration")
//! - Requests and buffered answers in payload format 2.0; form bodies in base64. ("Invoking Lambda
//!   function URLs", urls-invocation.html)
//! - A request, as an event, is at most 6 MB; a buffered answer 6 MB, a streamed one 200 MB.
//!   ("Lambda quotas", gettingstarted-limits.html)
//! - A streamed answer without a body has no end: AWS documents nothing, but adapters for other
//!   frameworks have met it.
//! - `WWW-Authenticate` and some other fields come out as `x-amzn-remapped-…`.
//! - Above the reserved concurrency, requests are answered 429.
//! - A process that has registered an extension gets SIGTERM when its environment ends, and some
//!   time to act on it; any other is killed. ("Understanding the Lambda execution environment
//!   lifecycle")
//!
//! # Not as on AWS
//!
//! - One host serves both functions, chosen by method, as the template's CloudFront does (with the
//!   field `X-Origin-Verify` if `ORIGIN_SECRET` is set), and over plain HTTP/1.1. CloudFront itself
//!   would refuse the method `QUERY`; the documentation of function URLs lists seven methods and
//!   not this one, so what they do with it is not known. Here it passes.
//! - `requestContext.domainName` is the `Host` of the request.
//! - After its first 6 MB, AWS streams at 2 MB a second; here there is no such limit.
//! - How much AWS buffers for a client that does not read is not documented; here it is only what
//!   the sockets hold.
//! - AWS gives an environment 10 seconds to start, and starts a slower one again within the
//!   invocation; here it has a minute, for slow machines.
//! - AWS gives a process half a second between SIGTERM and SIGKILL; here it has five seconds.
//! - AWS ends idle environments after a while, and every environment sooner or later; here an
//!   environment lives until it fails.
//! - The rate of requests is not limited (AWS: ten a second for each reserved concurrency).
//! - Environments with several invocations at a time are started when invocations need them, while
//!   Managed Instances scale with load; at a deadline the invocation is abandoned and the process
//!   goes on.
//! - When a function fails (502) or is throttled (429), only the status is documented; the texts
//!   are this program's own.
//! - Extensions get no events, and freezing does not wait for them; there is no X-Ray, no telemetry
//!   and no bill.

mod arguments;
mod environment;
mod event;
mod front;
mod function;
mod integration;
mod invocation;
mod process;
mod runtime_api;
mod settings;
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

/// How long the last bytes of streams get to reach their clients when this program ends.
const FLUSH: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => run(&serve),
        Command::Tether(tethered) => tether::become_tethered(tethered.parent, &tethered.command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lambda: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs on one thread, which lives as long as the program: the system ties a child to the thread
/// that started it ([`tether`]).
#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &arguments::Serve) -> std::io::Result<()> {
    let front = Front {
        publish: Function::new(arguments.publish(), process::launch),
        subscribe: Function::new(arguments.subscribe(), process::launch),
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
    sleep(FLUSH).await;
    Ok(())
}
