//! Keeps a copy of what somebody can read at Slack, and prints the latest messages of each channel.
//!
//! `cargo run --example sync_slack` runs against a fake: no account, no network. With `-- --real` it runs
//! against Slack; it needs `SLACK_CLIENT_ID` and `SLACK_CLIENT_SECRET` of an app that uses PKCE, and
//! `LOOPBACK_PORT`, with `http://127.0.0.1:PORT/callback` registered at Slack.

use std::{collections::HashMap, error::Error};

use integrations_core::auth::Vault;
use integrations_core::model::{PersonRef, RecordKind};
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_slack::{SERVICE, Slack};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `SlackConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(Slack::new(providers.slack()?)?)
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists the people, the channels, and what was said in each.
    gateway.sync(&connection.id).await?.into_result()?;
    let all = |kind| RecordQuery::new().connection(&connection.id).kind(kind);
    let people = store.records(&all(RecordKind::Person)).await?;
    let names: HashMap<_, _> = people.iter().map(|one| (one.id(), one.entity.title())).collect();
    let name = |who: &Option<PersonRef>| names.get(who.as_ref()?.id.as_deref()?).copied().flatten();
    for record in store.records(&all(RecordKind::Channel)).await? {
        let Some(channel) = record.entity.as_channel() else { continue };
        println!("{}:", channel.name.as_deref().or(name(&channel.with)).unwrap_or_default());
        let messages = all(RecordKind::Message).stream(&*channel.id).newest_first().limit(3);
        for record in store.records(&messages).await? {
            let Some(message) = record.entity.as_message() else { continue };
            let who = name(&message.from).unwrap_or("Somebody");
            println!("  {who:<20} {}", message.title().unwrap_or_default());
        }
    }

    // From now on a sync reads the latest messages again, and brings what is new or was changed.
    watch.take();
    providers.let_something_happen().await?;
    gateway.sync(&connection.id).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}
