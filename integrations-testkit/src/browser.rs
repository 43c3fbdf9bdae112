//! How does a test consent without a browser?

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// Fetches an address as a browser would, without following the redirect; returns where it leads.
pub(crate) async fn location(url: &Url) -> Result<String, String> {
    let host = url.host_str().ok_or("the authorization URL has no host")?;
    let port = url.port_or_known_default().ok_or("the authorization URL has no port")?;
    if url.scheme() != "http" {
        return Err("the fake speaks plain http only".to_owned());
    }
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = format!("GET {target} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_end(&mut answer).await
    };
    exchange.await.map_err(|error| format!("the authorization endpoint did not answer: {error}"))?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) =
        answer.split_once("\r\n\r\n").ok_or("the authorization endpoint closed the connection")?;
    let location = head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
    });
    location.ok_or_else(|| format!("no redirect: {}: {body}", head.lines().next().unwrap_or_default()))
}
