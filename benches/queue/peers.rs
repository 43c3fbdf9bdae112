//! How fast are the queues that others use, in the same minute on the same server?

use std::path::PathBuf;
use std::process::{Command, Stdio};

use integrations_benches::Result;
use integrations_benches::figures::{Spread, count};
use serde::Deserialize;

use super::backend::{Backend, Site, postgres_url, redis_url};
use super::load;

/// Who is compared with what.
struct Peer {
    name: &'static str,
    script: &'static str,
    batch: Option<usize>,
    /// What of ours does the same.
    ours: Way,
    /// How many times as fast ours is to be.
    goal: f64,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    /// A pool that does so many jobs at once.
    Pool(usize),
    /// Eight loops that take so many at a time.
    Loops(usize),
}

impl Way {
    async fn run(self, site: &Site, jobs: usize) -> Result<f64> {
        load::fill(&*site.queue, jobs).await?;
        match self {
            Self::Pool(concurrency) => load::pool(&site.queue, jobs, concurrency).await,
            Self::Loops(batch) => load::loops(&site.queue, jobs, 8, batch).await,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Pool(concurrency) => format!("pool of {concurrency}"),
            Self::Loops(batch) => format!("8 loops of {batch}"),
        }
    }
}

fn of(backend: Backend) -> Vec<Peer> {
    let peer = |name, script, batch, ours, goal| Peer { name, script, batch, ours, goal };
    match backend {
        Backend::Postgres => vec![
            peer("pg-boss, 8 workers of 100", "pg-boss.mjs", Some(100), Way::Loops(100), 2.0),
            peer("pg-boss, 8 workers of 1000", "pg-boss.mjs", Some(1_000), Way::Loops(1_000), 2.0),
            peer("graphile-worker, local queue", "graphile-worker.mjs", None, Way::Pool(8), 1.0),
            peer("graphile-worker, local queue", "graphile-worker.mjs", None, Way::Pool(100), 1.0),
            peer("graphile-worker, local queue", "graphile-worker.mjs", None, Way::Loops(100), 1.0),
        ],
        Backend::Redis => vec![
            peer("BullMQ, concurrency 8", "bullmq.mjs", None, Way::Pool(8), 2.0),
            peer("BullMQ, concurrency 8", "bullmq.mjs", None, Way::Loops(100), 2.0),
        ],
        _ => Vec::new(),
    }
}

/// Races ours against each peer, in turns, and prints the figures.
pub(crate) async fn race(backend: Backend, jobs: usize, rounds: usize) -> Result<()> {
    for Peer { name, script, batch, ours, goal } in of(backend) {
        let (mut own, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            own.push(backend.with(async |site| ours.run(site, jobs).await).await?);
            match run(script, jobs, batch)? {
                Some(rate) => theirs.push(rate),
                None => return Ok(()),
            }
        }
        let ratio = Spread::of(own.clone()).median / Spread::of(theirs.clone()).median;
        println!(
            "  {name}: {}/s; our {}: {}/s; ratio of the medians {ratio:.2}, by rounds {} (goal {goal}{})",
            count(Spread::of(theirs.clone()).median),
            ours.name(),
            count(Spread::of(own.clone()).median),
            Spread::of_ratios(&own, &theirs),
            if ratio < goal { ", MISSED" } else { "" }
        );
    }
    Ok(())
}

/// Jobs a second; `None` when Node or the packages are missing, which is said.
fn run(script: &str, jobs: usize, batch: Option<usize>) -> Result<Option<f64>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outcome {
        per_second: f64,
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers/queues");
    let version = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !folder.join("node_modules").is_dir() || !version.is_ok_and(|status| status.success()) {
        println!("  no peers: install Node 20 or later, and say `npm install` in benches/peers/queues");
        return Ok(None);
    }
    let output = Command::new("node")
        .arg(folder.join(script))
        .arg(jobs.to_string())
        .args(batch.map(|batch| batch.to_string()))
        .env("POSTGRES_URL", postgres_url())
        .env("REDIS_URL", redis_url())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{script} has failed").into());
    }
    Ok(Some(serde_json::from_slice::<Outcome>(&output.stdout)?.per_second))
}
