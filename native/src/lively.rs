//! What every connection is told.

use tokio::net::TcpStream;

/// How long the other side may take nothing of what it is sent, in milliseconds.
#[cfg(target_os = "linux")]
const STUCK: u32 = 60_000;

/// Has a connection send at once, and end if what is sent is not taken.
pub(crate) fn keep_lively(stream: &TcpStream) {
    // Updates are small and must not be held back; a failure would only delay them.
    let _ = stream.set_nodelay(true);
    // hyper asks a body for nothing while its client takes nothing, and would not see its end.
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, STUCK);
}
