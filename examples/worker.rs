//! Keeps the calendars of many users up to date, with several worker processes on one queue.
//!
//! `cargo run --example worker` starts a fake of Google, connects 20 users, and two processes that work. It shows what
//! the queue holds and what each worker does until Ctrl-C; the workers then end what they are at.
//!
//! `--store sqlite|postgres` and `--queue sqlite|postgres|redis|nats` say where everything rests; addresses come from
//! `POSTGRES_URL`, `REDIS_URL` and `NATS_URL`. `--status` prints once, as JSON, what the queue holds; give it the same
//! `--dir`, `--store` and `--queue` as the host that runs.

#[path = "worker/backends.rs"]
mod backends;
#[path = "worker/host.rs"]
mod host;
#[path = "worker/provider.rs"]
mod provider;
#[path = "worker/view.rs"]
mod view;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use self::backends::{Backends, QueueIn, StoreIn};

/// What the program takes.
#[derive(Parser)]
struct Options {
    /// Where connections and records rest.
    #[arg(long, value_enum, default_value_t)]
    store: StoreIn,
    /// Where jobs rest; by default where connections and records do.
    #[arg(long, value_enum)]
    queue: Option<QueueIn>,
    /// The folder of the SQLite file.
    #[arg(long, default_value = "target/worker")]
    dir: PathBuf,
    /// How many users there are.
    #[arg(long, default_value_t = 20)]
    users: usize,
    /// How many processes work.
    #[arg(long, default_value_t = 2)]
    processes: usize,
    /// Stops after so many seconds; 0 for Ctrl-C.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// Prints once, as JSON, what the queue holds and what each worker does.
    #[arg(long)]
    status: bool,
    /// Works, under this name, until standard input ends: what the program starts others for.
    #[arg(long, hide = true)]
    work_as: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let queue = options.queue.unwrap_or(options.store.into());
    let backends = Backends::open(options.store, queue, &options.dir).await?;
    if options.status {
        println!("{}", serde_json::to_string_pretty(&view::status(&*backends.queue).await?)?);
        return Ok(());
    }
    match &options.work_as {
        Some(name) => host::work(&backends, name).await,
        None => host::watch(&backends, &options, Duration::from_secs(options.seconds)).await,
    }
}
