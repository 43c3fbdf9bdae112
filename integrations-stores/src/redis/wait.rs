//! How does somebody who waits for a job learn that there is one?
//!
//! One connection of the process listens, from when somebody first waits. Whenever it begins to listen, also after it was
//! lost, it may have missed something, so everybody is woken.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use integrations_core::clock::Clock;
use integrations_core::queue::JobKind;
use redis::{Client, RedisError};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// How long after a failure it tries to listen again.
const PAUSE: Duration = Duration::from_secs(1);

/// News that one waiter has not heard yet; whoever misses some is woken all the same.
const UNHEARD: usize = 256;

/// A kind of which there is something new; `None` for any.
type News = Option<JobKind>;

pub(super) struct Bell {
    client: Client,
    channel: String,
    clock: Arc<dyn Clock>,
    news: broadcast::Sender<News>,
    ear: Mutex<Option<JoinHandle<()>>>,
}

impl Bell {
    pub(super) fn new(client: Client, channel: String, clock: Arc<dyn Clock>) -> Self {
        let (news, _) = broadcast::channel(UNHEARD);
        Self { client, channel, clock, news, ear: Mutex::new(None) }
    }

    /// What is new from now on.
    pub(super) fn listen(&self) -> Listener {
        let listener = Listener(self.news.subscribe());
        let mut ear = self.ear.lock().unwrap_or_else(PoisonError::into_inner);
        // A runtime that is gone has taken its tasks along.
        if ear.as_ref().is_none_or(JoinHandle::is_finished) {
            let (client, channel) = (self.client.clone(), self.channel.clone());
            *ear = Some(tokio::spawn(hear(client, channel, Arc::clone(&self.clock), self.news.clone())));
        }
        listener
    }

    /// There is something new of this kind: nobody of this process waits for the server to say so.
    pub(super) fn ring(&self, kind: &JobKind) {
        let _ = self.news.send(Some(kind.clone()));
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        if let Some(ear) = self.ear.get_mut().unwrap_or_else(PoisonError::into_inner) {
            ear.abort();
        }
    }
}

pub(super) struct Listener(broadcast::Receiver<News>);

impl Listener {
    /// Returns when there is something new of one of these kinds.
    pub(super) async fn heard(&mut self, kinds: &[JobKind]) {
        loop {
            match self.0.recv().await {
                Ok(Some(kind)) if !kinds.contains(&kind) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

async fn hear(client: Client, channel: String, clock: Arc<dyn Clock>, news: broadcast::Sender<News>) {
    loop {
        if let Err(error) = hear_once(&client, &channel, &news).await {
            tracing::debug!(kind = ?error.kind(), "the news of the queue cannot be heard; trying again");
        }
        clock.sleep(PAUSE).await;
    }
}

async fn hear_once(client: &Client, channel: &str, news: &broadcast::Sender<News>) -> Result<(), RedisError> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(channel).await?;
    let _ = news.send(None);
    let mut messages = subscription.into_on_message();
    while let Some(message) = messages.next().await {
        let kind: String = message.get_payload()?;
        let _ = news.send(Some(kind.into()));
    }
    Ok(())
}
