//! Are the streams there, and of a version that this crate knows?

use std::time::Duration;

use chrono::{DateTime, Utc};
use integrations_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{Refusal, STREAM_NAME_IN_USE, STREAM_NOT_FOUND, missing, refused, unreadable};
use super::names::Names;
use super::server::Server;

const VERSION: u32 = 1;

/// What a description of ours begins with. Servers before 2.10 keep nothing else that we could write into.
const MARK: &str = "integrations job queue, version ";

#[derive(Deserialize)]
pub(super) struct StreamInfo {
    pub(super) created: DateTime<Utc>,
    pub(super) state: StreamState,
    config: StreamConfig,
}

#[derive(Deserialize)]
pub(super) struct StreamState {
    pub(super) last_seq: u64,
}

#[derive(Deserialize)]
struct StreamConfig {
    #[serde(default)]
    description: String,
}

/// What of the streams can be set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) history: Duration,
    pub(super) replicas: usize,
}

pub(super) async fn info(server: &Server, stream: &str, operation: &'static str) -> Result<StreamInfo> {
    match find(server, stream, operation).await? {
        Some(info) => Ok(info),
        None => Err(missing(operation)),
    }
}

/// When the stream of jobs was made, after both streams were seen to be there and known.
pub(super) async fn check(server: &Server, names: &Names, operation: &'static str) -> Result<DateTime<Utc>> {
    let mut created = None;
    for stream in [&names.history, &names.jobs] {
        let info = info(server, stream, operation).await?;
        check_version(&info, stream, operation)?;
        created = Some(info.created);
    }
    created.ok_or_else(|| missing(operation))
}

pub(super) async fn migrate(server: &Server, names: &Names, settings: Settings) -> Result<()> {
    const OPERATION: &str = "nats.migrate";
    // The history first: who finds the jobs finds both.
    for (stream, config) in [(&names.history, history(names, settings)), (&names.jobs, jobs(names, settings))]
    {
        if let Some(info) = find(server, stream, OPERATION).await? {
            check_version(&info, stream, OPERATION)?;
            continue;
        }
        let made: Result<Value, Refusal> =
            server.api(OPERATION, format!("STREAM.CREATE.{stream}"), &config).await?;
        match made {
            Ok(_) => {}
            // Somebody with other settings was faster.
            Err(refusal) if refusal.err_code == STREAM_NAME_IN_USE => {
                check_version(&info(server, stream, OPERATION).await?, stream, OPERATION)?;
            }
            Err(refusal) => return Err(refused(OPERATION, &refusal)),
        }
    }
    Ok(())
}

fn jobs(names: &Names, settings: Settings) -> Value {
    let mut config = config(&names.jobs, &names.all_jobs(), settings);
    config["max_msgs_per_subject"] = json!(1);
    config
}

fn history(names: &Names, settings: Settings) -> Value {
    let mut config = config(&names.history, &[names.all_history()], settings);
    config["max_msgs_per_subject"] = json!(1);
    config["max_age"] = json!(u64::try_from(settings.history.as_nanos()).unwrap_or(0));
    config
}

fn config(stream: &str, subjects: &[String], settings: Settings) -> Value {
    json!({
        "name": stream,
        "description": format!("{MARK}{VERSION}"),
        "subjects": subjects,
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_msgs": -1,
        "max_bytes": -1,
        "max_consumers": -1,
        "num_replicas": settings.replicas,
        "allow_direct": true,
    })
}

async fn find(server: &Server, stream: &str, operation: &'static str) -> Result<Option<StreamInfo>> {
    match server.api(operation, format!("STREAM.INFO.{stream}"), &json!({})).await? {
        Ok(info) => Ok(Some(info)),
        Err(refusal) if refusal.err_code == STREAM_NOT_FOUND => Ok(None),
        Err(refusal) => Err(refused(operation, &refusal)),
    }
}

fn check_version(info: &StreamInfo, stream: &str, operation: &'static str) -> Result<()> {
    let refused = |code: &'static str, message: String| {
        Err(Error::new(ErrorKind::Configuration, message).with_code(code).with_operation(operation))
    };
    let Some(version) = info.config.description.strip_prefix(MARK) else {
        let message = format!("the stream {stream} belongs to something else; give the queue another name");
        return refused("foreign_stream", message);
    };
    match version.parse::<u32>() {
        Ok(VERSION) => Ok(()),
        Ok(newer) if newer > VERSION => refused(
            "schema_too_new",
            format!(
                "the stream {stream} is of version {newer}, and this crate knows {VERSION}; run the version of the \
                 crate that made it, or a newer one"
            ),
        ),
        _ => Err(unreadable(operation)),
    }
}
