//! How does a user come back to a program that is no web server? (RFC 8252, 7.3)

use std::io;
use std::sync::{Arc, Mutex};

use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Connected</title>\
    <h1>You can close this page</h1><p>Go back to the terminal.</p></html>";

/// A listener on the loopback address that waits for the user to come back once.
#[derive(Debug)]
pub struct Loopback {
    redirect_uri: String,
    query: oneshot::Receiver<String>,
    _stop: oneshot::Sender<()>,
}

impl Loopback {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When the loopback address cannot be listened on.
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let redirect_uri = format!("http://{}/callback", listener.local_addr()?);
        let (came_back, query) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let came_back = Arc::new(Mutex::new(Some(came_back)));
        let callback = move |RawQuery(query): RawQuery| async move {
            // Whatever else a browser asks for has no state, and is not what is waited for.
            let query = query.filter(|query| query.contains("state="));
            let sender =
                came_back.lock().ok().and_then(|mut sender| query.is_some().then(|| sender.take())?);
            match (sender, query) {
                (Some(sender), Some(query)) => {
                    let _ = sender.send(query);
                    let headers = [
                        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                        (header::CACHE_CONTROL, "no-store"),
                        (header::REFERRER_POLICY, "no-referrer"),
                    ];
                    (headers, PAGE).into_response()
                }
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        };
        let app = Router::new().route("/callback", get(callback));
        let server = axum::serve(listener, app).with_graceful_shutdown(async move {
            let _ = stopped.await;
        });
        tokio::spawn(async move { server.await });
        Ok(Self { redirect_uri, query, _stop: stop })
    }

    /// Where the provider sends the user back to.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the user, and returns the query that they came back with.
    ///
    /// # Errors
    /// When the listener has stopped.
    pub async fn came_back(self) -> io::Result<String> {
        self.query.await.map_err(|_| io::Error::other("the loopback listener has stopped"))
    }
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
