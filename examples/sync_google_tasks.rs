//! Keeps a copy of somebody's lists at Google Tasks, and prints what is to do.
//!
//! `cargo run --example sync_google_tasks` runs against a fake: no account, no network. With `-- --real` it
//! runs against Google; it needs `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET` of a desktop client.

use std::error::Error;

use integrations_core::auth::Vault;
use integrations_core::model::TaskStatus;
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_google::{GoogleTasks, tasks::SERVICE};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `GoogleConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(GoogleTasks::new(providers.google()?))
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists what there is. Each list is a stream.
    gateway.sync(&connection.id).await?.into_result()?;
    for list in gateway.streams(&connection.id).await? {
        println!("{}:", list.title);
        for record in store.records(&RecordQuery::new().connection(&connection.id).stream(&list.id)).await? {
            let Some(task) = record.entity.as_task() else { continue };
            let mark = if task.status == TaskStatus::Completed { "☑" } else { "☐" };
            let due = task.due.as_ref().map(|due| format!(", due {due}")).unwrap_or_default();
            println!("  {mark} {}{due}", task.title.as_deref().unwrap_or("(untitled)"));
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
