//! The page, served in this process, against fakes.

use std::future::IntoFuture;

use integrations_core::auth::Vault;
use integrations_examples::providers::{Consent, Fakes};
use integrations_stores::SqliteStore;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use crate::web_connect::app::{App, Parts};
use crate::web_connect::routes::router;

pub(super) struct Host {
    /// Without a slash at the end.
    pub(super) url: String,
    pub(super) fakes: Fakes,
    pub(super) app: App,
    server: JoinHandle<()>,
}

impl Host {
    pub(super) async fn start(consent: Consent) -> Self {
        Self::start_with(consent, "Ada Lovelace", None).await
    }

    /// With another name for Ada, and another public address than the one that is listened at.
    pub(super) async fn start_with(consent: Consent, name: &str, public: Option<&str>) -> Self {
        let fakes = Fakes::start_with(consent, name).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let parts = Parts {
            adapters: fakes.adapters().unwrap(),
            store: SqliteStore::builder().clock(fakes.story.clock()).in_memory().await.unwrap(),
            vault: Vault::ephemeral().unwrap(),
            public: Url::parse(public.unwrap_or(&url)).unwrap(),
            fake: true,
            clock: fakes.story.clock(),
        };
        let app = App::new(parts).unwrap();
        let serving = axum::serve(listener, router(app.clone())).into_future();
        let server = tokio::spawn(async move { serving.await.unwrap() });
        Self { url, fakes, app, server }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server.abort();
    }
}
