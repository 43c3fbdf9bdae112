//! A page on which users connect their accounts, see how they stand, and disconnect them: a web host.
//!
//! `cargo run --example web_connect` runs against fakes of five providers: no account, no network. With
//! `-- --real` it offers each service whose credentials stand in the environment; register
//! `http://127.0.0.1:8080/callback/SERVICE` there, or give the address that the world knows with
//! `--public-url`.
//!
//! What a host takes over: [`app`](web_connect::app) and [`routes`](web_connect::routes), with a login of
//! its own in place of [`session`](web_connect::session).

mod web_connect {
    pub(crate) mod app;
    pub(crate) mod card;
    pub(crate) mod page;
    pub(crate) mod routes;
    pub(crate) mod session;
    pub(crate) mod sync;
    pub(crate) mod words;
}

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use integrations_core::auth::Vault;
use integrations_examples::providers::{Providers, Way};
use integrations_stores::SqliteStore;
use tokio::net::TcpListener;
use url::Url;

use crate::web_connect::app::{App, Parts};
use crate::web_connect::routes::router;

/// Serves a page on which users connect their accounts.
#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The address that browsers use, e.g. `https://demo.example`, where it is not the one above.
    #[arg(long)]
    public_url: Option<Url>,
    /// Connect accounts at the providers instead of at fakes of them.
    #[arg(long)]
    real: bool,
    /// Keep the database here. It needs a key in `TOKEN_ENCRYPTION_KEY`.
    #[arg(long)]
    db: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let providers = if options.real { Providers::Real } else { Providers::asking().await };
    // Without a public address, users come back to this machine.
    let way = if options.public_url.is_some() { Way::Web } else { Way::Program };
    let (adapters, missing) = providers.adapters_for(way);
    for error in &missing {
        println!("Not offered: {}", error.message());
    }
    let temporary = tempfile::tempdir()?;
    let (db, vault) = match options.db {
        Some(db) => (db, Vault::from_env()?),
        None => (temporary.path().join("web_connect.db"), Vault::ephemeral()?),
    };
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen at {}: {error}; try --listen", options.listen))?;
    let public = match options.public_url {
        Some(url) => url,
        None => Url::parse(&format!("http://{}", listener.local_addr()?))?,
    };
    println!("Open {public}");
    let clock = providers.clock();
    let store = SqliteStore::builder().clock(Arc::clone(&clock)).open(&db).await?;
    let app = App::new(Parts { adapters, store, vault, public, fake: !options.real, clock })?;
    axum::serve(listener, router(app)).await?;
    Ok(())
}
