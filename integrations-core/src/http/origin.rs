//! Who may see a token?

use url::{Host, Origin, Url};

use crate::error::{Error, ErrorKind, Result};

/// The origins (scheme, host, port) to which credentials may go.
#[derive(Debug, Clone)]
pub struct Origins(Vec<(String, Host, u16)>);

impl Origins {
    /// The origins of these addresses.
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Self {
        let tuple = |origin| match origin {
            Origin::Tuple(scheme, host, port) => Some((scheme, host, port)),
            // Such an address is nobody's.
            Origin::Opaque(_) => None,
        };
        Self(urls.into_iter().map(Url::origin).filter_map(tuple).collect())
    }

    /// Whether credentials may go to this address: a listed origin, over TLS or to this machine itself.
    pub fn allow(&self, url: &Url) -> bool {
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        let clean = url.username().is_empty() && url.password().is_none();
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return false };
        // Part by part, because every call comes here, and an origin is two allocations.
        let listed = self.0.iter().any(|known| known.0 == url.scheme() && known.1 == host && known.2 == port);
        safe && clean && listed
    }

    /// Refuses an address that is not allowed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with code `foreign_host`.
    pub fn check(&self, url: &Url, operation: &'static str) -> Result<()> {
        if self.allow(url) {
            return Ok(());
        }
        let host = url.host_str().unwrap_or("no host");
        Err(Error::new(
            ErrorKind::InvalidRequest,
            format!("refused to send credentials to {host}: it is not an origin of this service"),
        )
        .with_code("foreign_host")
        .with_operation(operation))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_origins_over_tls_or_loopback_are_allowed() {
        let urls =
            ["https://www.googleapis.com/calendar/v3/", "http://127.0.0.1:4000/", "http://plain.example/"]
                .map(|url| Url::parse(url).unwrap());
        let origins = Origins::of(&urls);
        for (url, allowed) in [
            ("https://www.googleapis.com/other", true),
            ("http://127.0.0.1:4000/x", true),
            ("http://127.0.0.1:4001/x", false),
            ("http://www.googleapis.com/calendar", false),
            ("https://www.googleapis.com.evil.example/", false),
            ("https://www.googleapis.com:8443/", false),
            ("https://user@www.googleapis.com/", false),
            ("http://plain.example/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(origins.allow(&Url::parse(url).unwrap()), allowed, "{url}");
        }
    }
}
