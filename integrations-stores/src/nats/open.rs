//! Which server is it, and can it keep a queue?

use std::time::Duration;

use async_nats::{Client, ConnectOptions, ServerAddr};
use integrations_core::queue::Payload;
use integrations_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::NatsQueueBuilder;
use super::failure::{invalid_url, not_connected, refused};
use super::names::Names;
use super::server::Server;
use super::shared::Shared;

const OPERATION: &str = "nats.connect";

/// Room for what is known of a job beside its payload.
const OVERHEAD: usize = 64 * 1024;

pub(super) async fn connect(url: &str, settings: &NatsQueueBuilder) -> Result<Client> {
    Names::new(&settings.name)?;
    let addresses: Vec<ServerAddr> = url
        .split(',')
        .map(|one| match one.trim() {
            "" => Err(invalid_url()),
            one => one.parse().map_err(|_| invalid_url()),
        })
        .collect::<Result<_>>()?;
    let options = ConnectOptions::new()
        .name("integrations")
        .connection_timeout(settings.answer_timeout)
        .reconnect_delay_callback(|attempts| {
            let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
            Duration::from_millis(50).saturating_mul(attempts).min(Duration::from_secs(2))
        });
    options.connect(addresses).await.map_err(|error| not_connected(error.kind()))
}

pub(super) async fn open(client: Client, settings: &NatsQueueBuilder) -> Result<Shared> {
    let names = Names::new(&settings.name)?;
    let most = client.max_payload();
    if most < Payload::MAX + OVERHEAD {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "the server takes messages of {most} bytes, and a job may have {}; raise its `max_payload`, the \
                 default of which is 1 MiB",
                Payload::MAX + OVERHEAD
            ),
        )
        .with_code("max_payload_too_small")
        .with_operation(OPERATION));
    }
    let server = Server::new(client, settings.answer_timeout);
    // JetStream answers, if it is there.
    match server.api::<Value>(OPERATION, "INFO".into(), &json!({})).await {
        Ok(Ok(_)) => {}
        Ok(Err(refusal)) => return Err(refused(OPERATION, &refusal)),
        Err(error) => return Err(error),
    }
    let (clock, margin) = settings.clock_and_margin();
    Ok(Shared::new(server, names, clock, margin))
}
