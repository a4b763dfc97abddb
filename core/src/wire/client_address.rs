//! Where a request comes from, as far as one client is told from another.
//!
//! The platform vouches for the address of a connection. Behind a proxy that is the proxy's, and the
//! client's is in a header field, if the hub's owner says which. Whoever can go past the proxy can
//! write there what they like.

use std::net::{IpAddr, SocketAddr};

use crate::wire::request::Request;

/// The address of a client, or the network that it can choose its addresses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAddress {
    V4([u8; 4]),
    /// The first 64 bits. Each household has a network of that size, and each of its machines may
    /// take a new address at any time (RFC 8981).
    V6([u8; 8]),
}

impl ClientAddress {
    /// Where a request comes from, if that is known. A `field` that has no address in it leaves that
    /// of the connection.
    pub(crate) fn of(request: &Request, field: Option<&str>) -> Option<Self> {
        let named = field.and_then(|name| {
            let last = request.header_values(name).last()?;
            // Each proxy appends what it sees, so the last one is what the nearest proxy vouches for.
            let last = last.rsplit(|&byte| byte == b',').next().unwrap_or(last);
            parse(std::str::from_utf8(last).ok()?)
        });
        named.or_else(|| parse(request.address()?)).map(Self::from)
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        // A socket for both versions shows addresses of version 4 as `::ffff:192.0.2.1`.
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// An address, alone or with a port, as some proxies write it.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(from: &str, fields: &[(&str, &str)]) -> Option<ClientAddress> {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new("GET", "https://hub.example/", fields).sent_from(from);
        ClientAddress::of(&request, Some("x-forwarded-for"))
    }

    const PROXY: Option<ClientAddress> = Some(ClientAddress::V4([127, 0, 0, 1]));
    const CLIENT: Option<ClientAddress> = Some(ClientAddress::V4([192, 0, 2, 1]));

    #[test]
    fn an_address_is_read_however_it_is_written() {
        for written in [
            "192.0.2.1",
            " 192.0.2.1 ",
            "192.0.2.1:4711",
            "::ffff:192.0.2.1",
            "[::ffff:c000:201]:80",
        ] {
            assert_eq!(address(written, &[]), CLIENT, "{written}");
        }
        let network = Some(ClientAddress::V6([0x20, 1, 0xd, 0xb8, 0, 1, 0, 2]));
        for written in
            ["2001:db8:1:2::", "2001:db8:1:2:ffff::1", "[2001:db8:1:2::9]", "[2001:DB8:1:2::9]:443"]
        {
            assert_eq!(address(written, &[]), network, "{written}");
        }
        assert_ne!(address("2001:db8:1:3::", &[]), network);
        for wrong in ["", "unknown", "192.0.2", "192.0.2.256", "example.com", "192.0.2.1:x", "é"] {
            assert_eq!(address(wrong, &[]), None, "{wrong}");
        }
    }

    #[test]
    fn the_nearest_proxy_is_believed_and_nobody_before_it() {
        let named = |value| address("127.0.0.1", &[("X-Forwarded-For", value)]);
        assert_eq!(named("192.0.2.1"), CLIENT);
        assert_eq!(named("203.0.113.9, 10.0.0.1,192.0.2.1"), CLIENT);
        let twice = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "192.0.2.1")];
        assert_eq!(address("127.0.0.1", &twice), CLIENT);
        for unreadable in ["", "unknown", "192.0.2.1, unknown", "192.0.2.1,"] {
            assert_eq!(named(unreadable), PROXY, "{unreadable}");
        }
        assert_eq!(address("127.0.0.1", &[("X-Real-IP", "192.0.2.1")]), PROXY);
    }

    #[test]
    fn no_field_is_believed_unless_its_name_is_given() {
        let fields: [(&str, &[u8]); 1] = [("x-forwarded-for", b"203.0.113.9")];
        let request = Request::new("GET", "https://hub.example/", fields);
        assert_eq!(ClientAddress::of(&request, None), None);
        assert_eq!(ClientAddress::of(&request.sent_from("192.0.2.1"), None), CLIENT);
    }
}
