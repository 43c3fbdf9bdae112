//! Keeps a copy of somebody's mailbox at Outlook, and prints each folder.
//!
//! `cargo run --example sync_outlook_mail` runs against a fake: no account, no network. With `-- --real` it runs
//! against Microsoft; it needs `MICROSOFT_CLIENT_ID`, and of an app that has one `MICROSOFT_CLIENT_SECRET`.

use std::error::Error;

use integrations_core::auth::Vault;
use integrations_core::model::RecordKind;
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_msgraph::{OutlookMail, mail::SERVICE};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `GraphConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(OutlookMail::new(providers.microsoft()?)?)
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists what there is. Each folder is a stream, and so is the list of the folders.
    gateway.sync(&connection.id).await?.into_result()?;
    for folder in gateway.streams(&connection.id).await? {
        let mails =
            RecordQuery::new().connection(&connection.id).stream(&folder.id).kind(RecordKind::Message);
        let count = store.count(&mails).await?;
        if count == 0 {
            continue;
        }
        println!("{}, {count}:", folder.title);
        for record in store.records(&mails.newest_first().limit(10)).await? {
            let Some(mail) = record.entity.as_message() else { continue };
            let from = mail.from.as_ref().and_then(|from| from.name.as_deref().or(from.email.as_deref()));
            let mark = if mail.read == Some(false) { "●" } else { " " };
            println!("  {mark} {:<21} {}", from.unwrap_or_default(), mail.title().unwrap_or_default());
        }
    }

    // From now on a sync reads what has changed.
    watch.take();
    providers.let_something_happen().await?;
    gateway.sync(&connection.id).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}
