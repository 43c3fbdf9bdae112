//! How far has the story been told to whom?
//!
//! The fakes forget everything when the program ends; a database that is kept does not. So the database says
//! how many chapters it has seen, and the fakes are brought to where they were; in every sense, as positions at
//! Microsoft and records of GitHub hold addresses of the server.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use integrations_examples::story::{Deed, Ports, Story};
use integrations_stores::SqliteStore;

const CHAPTERS: &str = "quickstart:chapters";
const PORTS: [&str; 2] = ["quickstart:port:microsoft", "quickstart:port:github"];
const YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The ports that fakes had when the database was made; 0 where there is none, or it is taken now.
pub(crate) async fn ports(db: Option<&Path>) -> Result<Ports> {
    let Some(db) = db.filter(|db| db.exists()) else { return Ok(Ports::default()) };
    let db = SqliteStore::open(db).await?;
    let mut ports = [0; 2];
    for (port, key) in ports.iter_mut().zip(PORTS) {
        let known = u16::try_from(number(&db, key).await?).unwrap_or(0);
        *port = if TcpListener::bind(("127.0.0.1", known)).is_ok() { known } else { 0 };
    }
    let [microsoft, github] = ports;
    Ok(Ports { microsoft, github })
}

/// Tells what was told before.
pub(crate) async fn take_up(story: &Story, db: &SqliteStore) -> Result<()> {
    for (key, url) in PORTS.into_iter().zip([story.microsoft.url(), story.github.url()]) {
        let port = url.rsplit(':').next().unwrap_or_default();
        db.put(key, port.as_bytes(), YEARS).await?;
    }
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
