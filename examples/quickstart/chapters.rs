//! How far has the story been told to whom?
//!
//! The fakes forget everything when the program ends; a database that is kept does not. So the database says
//! how many chapters it has seen, and the fakes are brought to where they were; the one of Microsoft in every sense,
//! as Outlook's positions are addresses of the server.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use integrations_examples::story::{Deed, Story};
use integrations_stores::SqliteStore;

const CHAPTERS: &str = "quickstart:chapters";
const PORT: &str = "quickstart:microsoft_port";
const YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The port that the fake Microsoft had when the database was made; 0 where there is none, or it is taken now.
pub(crate) async fn port(db: Option<&Path>) -> Result<u16> {
    let Some(db) = db.filter(|db| db.exists()) else { return Ok(0) };
    let port = number(&SqliteStore::open(db).await?, PORT).await?;
    let port = u16::try_from(port).unwrap_or(0);
    Ok(if TcpListener::bind(("127.0.0.1", port)).is_ok() { port } else { 0 })
}

/// Tells what was told before.
pub(crate) async fn take_up(story: &Story, db: &SqliteStore) -> Result<()> {
    let port = story.microsoft.url().rsplit(':').next().unwrap_or_default();
    db.put(PORT, port.as_bytes(), YEARS).await?;
    for _ in 0..number(db, CHAPTERS).await? {
        story.go_on();
    }
    Ok(())
}

/// Tells the next chapter.
pub(crate) async fn go_on(story: &Story, db: &SqliteStore) -> Result<Vec<Deed>> {
    let chapters = number(db, CHAPTERS).await? + 1;
    db.put(CHAPTERS, chapters.to_string().as_bytes(), YEARS).await?;
    Ok(story.go_on())
}

async fn number(db: &SqliteStore, key: &str) -> Result<u64> {
    let stored = KeyValueStore::get(db, key).await?;
    Ok(stored.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).unwrap_or(0))
}
