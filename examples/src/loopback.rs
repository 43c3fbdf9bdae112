//! How does a user come back to a program that is no web server? (RFC 8252, 7.3)

use std::io;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use integrations_core::clock::Clock;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use url::{Url, form_urlencoded};

/// How long the user has.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// How long the browser has to take the last page.
const FAREWELL: Duration = Duration::from_secs(2);

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>Back to the terminal</title>\
    <main><h1>You can close this page</h1><p>The program goes on in the terminal.</p></main></html>";

/// A listener on the loopback address that waits for the user to come back once.
///
/// It listens before anybody is sent away, so that nobody else can have the port meanwhile.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
}

impl Loopback {
    /// Listens on the port that `LOOPBACK_PORT` names in the environment, else on a free one. Most providers
    /// take any port of this machine; Slack takes a user back to an address that is registered, port and all.
    ///
    /// # Errors
    /// When the loopback address cannot be listened on.
    pub async fn listen() -> io::Result<Self> {
        let port = std::env::var("LOOPBACK_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0);
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let redirect_uri = format!("http://{}/callback", listener.local_addr()?);
        Ok(Self { listener, redirect_uri })
    }

    /// Where the provider sends the user back to.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the user who was sent to this authorization address, and returns the address that they
    /// came back to. Whatever else is asked for, e.g. the icon, another path or another state, gets a 404
    /// and does not end the wait. The listener is gone afterwards.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] after [`PATIENCE`], and when the listener fails.
    ///
    /// # Cancel safety
    /// The listener is gone after a drop: begin again.
    pub async fn came_back(self, sent_to: &Url, clock: &dyn Clock) -> io::Result<String> {
        let Self { listener, redirect_uri } = self;
        let expected = state_of(sent_to.query().unwrap_or_default());
        let (sender, came_back) = oneshot::channel();
        let sender = Arc::new(Mutex::new(Some(sender)));
        let callback = move |RawQuery(query): RawQuery| async move {
            let query = query.filter(|query| expected.is_some() && state_of(query) == expected);
            let sender = sender.lock().unwrap_or_else(PoisonError::into_inner).take_if(|_| query.is_some());
            let (Some(sender), Some(query)) = (sender, query) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            let _ = sender.send(query);
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
                (header::REFERRER_POLICY, "no-referrer"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
                (header::CONNECTION, "close"),
            ];
            (headers, PAGE).into_response()
        };
        let app = Router::new().route("/callback", get(callback));
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, app).with_graceful_shutdown(async move {
            let _ = stopped.await;
        });
        let mut server = tokio::spawn(async move { server.await });
        let outcome = tokio::select! {
            query = came_back => query.map_err(|_| io::Error::other("the loopback listener has stopped")),
            () = clock.sleep(PATIENCE) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("nobody came back within {} s; begin again", PATIENCE.as_secs()),
            )),
        };
        drop(stop);
        tokio::select! {
            _ = &mut server => {}
            () = clock.sleep(FAREWELL) => server.abort(),
        }
        outcome.map(|query| format!("{redirect_uri}?{query}"))
    }
}

/// The only state of a query; `None` where there is none, or more than one.
fn state_of(query: &str) -> Option<String> {
    let mut states = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "state");
    let state = states.next()?.1.into_owned();
    states.next().is_none().then_some(state)
}

/// Opens an address in the system's browser; says whether there was a program to ask.
pub fn open_browser(url: &str) -> bool {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "windows") {
        // What `start` does, without a shell that would read `&`.
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let (input, output, errors) = (Stdio::null(), Stdio::null(), Stdio::null());
    Command::new(program).args(before).arg(url).stdin(input).stdout(output).stderr(errors).spawn().is_ok()
}

/// Does what a browser does for a user who consents at once: asks for the page and follows the redirect.
///
/// # Errors
/// When a page cannot be had, or is no success. The address is not shown: it holds the state.
pub async fn browse(url: &str) -> io::Result<()> {
    let failed = |error: reqwest::Error| io::Error::other(error.without_url());
    let browser = reqwest::Client::builder().no_proxy().build().map_err(failed)?;
    browser.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    Ok(())
}
