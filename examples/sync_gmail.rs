//! Keeps a copy of somebody's mailbox at Gmail, and prints the inbox.
//!
//! `cargo run --example sync_gmail` runs against a fake: no account, no network. With `-- --real` it runs
//! against Google; it needs `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET` of a desktop client.

use std::error::Error;

use chrono::TimeDelta;
use integrations_core::auth::Vault;
use integrations_core::model::RecordKind;
use integrations_core::sync::{SyncRequest, Window};
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_google::{Gmail, gmail::SERVICE};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `GoogleConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(Gmail::new(providers.google()?))
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists the mails of the last two weeks: Gmail gives about 300 in a minute.
    let since = providers.clock().now() - TimeDelta::days(14);
    let request = SyncRequest::incremental().within(Window::since(since));
    gateway.sync_with(&connection.id, request).await?.into_result()?;
    let mails = RecordQuery::new().connection(&connection.id).kind(RecordKind::Message);
    println!("{} messages; the inbox:", store.count(&mails).await?);
    for record in store.records(&mails.newest_first().limit(50)).await? {
        let Some(mail) = record.entity.as_message().filter(|mail| mail.inbox) else { continue };
        let from = mail.from.as_ref().and_then(|from| from.name.as_deref().or(from.email.as_deref()));
        let mark = if mail.read == Some(false) { "●" } else { " " };
        println!("  {mark} {:<20} {}", from.unwrap_or_default(), mail.title().unwrap_or_default());
    }

    // From now on a sync reads what has changed.
    watch.take();
    providers.let_something_happen().await?;
    gateway.sync_with(&connection.id, request).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}
