//! Who may see a token?

use url::{Origin, Url};

use crate::error::{Error, ErrorKind, Result};

/// The origins (scheme, host, port) to which credentials may go.
#[derive(Debug, Clone)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// The origins of these addresses.
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Self {
        Self(urls.into_iter().map(Url::origin).collect())
    }

    /// Whether credentials may go to this address: a listed origin, over TLS or to this machine itself.
    pub fn allow(&self, url: &Url) -> bool {
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        let clean = url.username().is_empty() && url.password().is_none();
        safe && clean && self.0.contains(&url.origin())
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
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
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
