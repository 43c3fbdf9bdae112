//! The page, served in this process, against fakes.

use std::future::IntoFuture;

use integrations_core::auth::Vault;
use integrations_examples::providers::Providers;
use integrations_examples::story::{Consent, Story};
use integrations_stores::SqliteStore;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use crate::web_connect::app::{App, Parts};
use crate::web_connect::routes::router;

pub(super) struct Host {
    /// Without a slash at the end.
    pub(super) url: String,
    providers: Providers,
    pub(super) app: App,
    server: JoinHandle<()>,
}

impl Host {
    pub(super) async fn start(consent: Consent) -> Self {
        Self::start_with(consent, "Ada Lovelace", None).await
    }

    /// With another name for Ada at Microsoft, and another public address than the one that is listened at.
    pub(super) async fn start_with(consent: Consent, name: &str, public: Option<&str>) -> Self {
        let providers = Providers::Fake(Box::new(Story::begin_as(consent, name).await));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let parts = Parts {
            adapters: providers.adapters().0,
            store: SqliteStore::builder().clock(providers.clock()).in_memory().await.unwrap(),
            vault: Vault::ephemeral().unwrap(),
            public: Url::parse(public.unwrap_or(&url)).unwrap(),
            fake: true,
            clock: providers.clock(),
        };
        let app = App::new(parts).unwrap();
        let serving = axum::serve(listener, router(app.clone())).into_future();
        let server = tokio::spawn(async move { serving.await.unwrap() });
        Self { url, providers, app, server }
    }

    pub(super) fn story(&self) -> &Story {
        self.providers.story().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server.abort();
    }
}
