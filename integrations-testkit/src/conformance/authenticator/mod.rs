//! Does a provider connect accounts, keep them connected and let them go, as the family promises?
//!
//! The suite drives a gateway with the provider's own adapter over real HTTP against the
//! [fake](crate::oauth::FakeOAuth) of the provider's OAuth server. A new provider gets all of it by one line.

mod connecting;
mod refreshing;
mod store;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use integrations_core::auth::{TokenStore, Tokens, Vault};
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Account, ConnectionId};
use integrations_core::http::Transport;
use integrations_core::memory::MemoryStore;
use integrations_core::observe::{AuditAction, AuditEntry, AuditLog, Notice, Observer};
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::{Connection, Error, ErrorKind, Gateway, Result, ServiceAdapter};

pub use self::connecting::*;
pub use self::refreshing::*;
use self::store::Unreliable;
use crate::oauth::{Dialect, FakeOAuth, FakeOAuthBuilder};

/// Expands to a module `authenticator` with a test per promise; the function gives the [`Subject`].
///
/// ```ignore
/// fn subject() -> Subject {
///     Subject {
///         dialect: Dialect::Zoom,
///         adapter: |fake| integrations_zoom::Zoom::new(config(fake)).unwrap(),
///         transport: || Arc::new(ReqwestTransport::new("tests").unwrap()),
///         errors: &[("invalid_grant", ErrorKind::ReauthorizationRequired)],
///     }
/// }
/// integrations_testkit::authenticator_conformance!(subject);
/// ```
#[macro_export]
macro_rules! authenticator_conformance {
    ($subject:ident) => {
        $crate::authenticator_conformance!(@ $subject, [
            an_account_is_connected_and_known_by_its_stable_id,
            connecting_again_keeps_the_connection,
            a_user_who_says_no_is_told_apart_and_nothing_is_stored,
            a_state_serves_one_user_once_and_for_ten_minutes,
            a_callback_of_another_address_or_issuer_is_refused,
            renewing_with_another_account_is_noticed,
            a_scope_that_is_not_granted_disables_its_feature_alone,
            a_failed_exchange_stores_nothing_and_is_not_repeated,
            disconnecting_takes_the_grant_back,
            disconnecting_works_when_the_provider_does_not,
            every_error_of_the_token_endpoint_is_classified,
            a_token_is_refreshed_in_time_and_every_rotation_is_kept,
            many_callers_cause_one_exchange,
            a_caller_who_gives_up_loses_no_token,
            failures_for_now_do_no_harm_while_the_old_token_lives,
            a_grant_that_is_gone_is_said_and_mended_by_connecting_again,
            an_answer_that_is_lost_is_survived_or_explained,
            an_exchange_of_another_process_is_waited_for,
            those_who_begin_together_make_one_exchange,
            a_mark_that_was_long_on_its_way_is_made_anew,
            tokens_that_cannot_be_stored_are_kept_and_stored_later,
            a_pause_loses_no_token,
            a_wrong_secret_marks_nobody,
            a_wrong_secret_harms_no_token_that_lives,
        ]);
    };
    (@ $subject:ident, [$($case:ident,)+]) => {
        mod authenticator {
            use super::*;

            $(
                #[test]
                fn $case() {
                    $crate::conformance::run($crate::conformance::authenticator::$case($subject()));
                }
            )+
        }
    };
}

/// What stands under test.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// Whose server the fake stands for.
    pub dialect: Dialect,
    /// The adapter, set up for a fake: its client and its address.
    pub adapter: fn(&FakeOAuth) -> Arc<dyn ServiceAdapter>,
    /// The HTTP client.
    pub transport: fn() -> Arc<dyn Transport>,
    /// The token endpoint's errors at a refresh, by the name that
    /// [`FakeOAuth::fail_token_with`] takes, and what each means.
    pub errors: &'static [(&'static str, ErrorKind)],
}

/// The user of the cases.
pub(super) const USER: &str = "ada";
/// Where the user comes back to.
pub(super) const REDIRECT: &str = "https://app.example/callback/service";

#[derive(Debug, Default)]
pub(super) struct Heard {
    notices: Mutex<Vec<String>>,
    audit: Mutex<Vec<AuditEntry>>,
}

impl Heard {
    pub(super) fn notices(&self, of: &str) -> usize {
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.iter().filter(|notice| notice.starts_with(of)).count()
    }

    pub(super) fn audit(&self) -> Vec<AuditEntry> {
        self.audit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Heard {
    fn notice(&self, notice: &Notice<'_>) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{notice:?}"));
    }
}

#[async_trait::async_trait]
impl AuditLog for Heard {
    async fn append(&self, entry: &AuditEntry) -> Result<()> {
        self.audit.lock().unwrap_or_else(PoisonError::into_inner).push(entry.clone());
        Ok(())
    }
}

/// A host with the provider's fake, in memory, on a manual clock: what the cases are made of, also those
/// that are a provider's own. It gives up at the first failure and knows of no quota: nothing waits on the
/// clock.
#[derive(Debug)]
pub struct Host {
    /// What stands under test.
    pub subject: Subject,
    /// The clock of host and fake.
    pub clock: ManualClock,
    /// The provider.
    pub fake: FakeOAuth,
    /// The provider's adapter.
    pub adapter: Arc<dyn ServiceAdapter>,
    /// The gateway.
    pub gateway: Gateway,
    store: Arc<Unreliable>,
    memory: MemoryStore,
    vault: Vault,
    heard: Arc<Heard>,
}

impl Host {
    /// A host whose user has not connected anything yet.
    pub async fn new(subject: Subject) -> Self {
        Self::with(subject, |fake| fake).await
    }

    /// The same with a fake that is set up in another way.
    pub async fn with(subject: Subject, set_up: impl Fn(FakeOAuthBuilder) -> FakeOAuthBuilder) -> Self {
        let clock = super::clock();
        let builder = FakeOAuth::builder(subject.dialect)
            .clock(Arc::new(clock.clone()))
            .account("ada@example.com")
            .account("grace@example.com");
        let fake = set_up(builder).start().await;
        let adapter = (subject.adapter)(&fake);
        let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
        let store = Arc::new(Unreliable::new(memory.clone()));
        let vault = Vault::new("test", [7; 32]).unwrap_or_else(|error| panic!("{error}"));
        let heard = Arc::new(Heard::default());
        let (gateway, adapter) = gateway(subject, &clock, adapter, (&store, &memory), &vault, &heard);
        Self { subject, clock, fake, adapter, gateway, store, memory, vault, heard }
    }

    /// Another process on the same storage.
    pub fn another_process(&self) -> Gateway {
        let adapter = (self.subject.adapter)(&self.fake);
        gateway(self.subject, &self.clock, adapter, (&self.store, &self.memory), &self.vault, &self.heard).0
    }

    /// The service's id.
    pub fn service(&self) -> &str {
        self.adapter.info().id.as_str()
    }

    /// Sends the user away; returns where they come back to.
    pub(super) async fn callback(&self) -> String {
        let begun = self.gateway.connect(USER, self.service()).redirect_uri(REDIRECT).begin().await;
        let begun = super::ok(begun);
        self.fake.consent(begun.url.as_str()).await.unwrap_or_else(|page| panic!("the consent page: {page}"))
    }

    /// Walks the user through, to a connection.
    pub async fn connect(&self) -> Connection {
        super::ok(self.gateway.complete(USER, &self.callback().await).await)
    }

    /// The error of a callback.
    pub(super) async fn refusal(&self, user: &str, callback: &str) -> Error {
        match self.gateway.complete(user, callback).await {
            Ok(connection) => panic!("{} was connected", connection.id),
            Err(error) => error,
        }
    }

    /// The connection as it is stored.
    pub async fn stored(&self, id: &ConnectionId) -> Connection {
        super::ok(self.gateway.connection(id).await)
    }

    /// Writes a connection as somebody would who has the storage in hand.
    pub async fn put(&self, connection: &Connection) {
        super::ok(self.store.put(connection).await);
    }

    /// Its tokens, opened.
    pub async fn tokens(&self, id: &ConnectionId) -> Tokens {
        super::ok(self.vault.open_tokens(&self.stored(id).await))
    }

    pub(super) async fn connections(&self) -> usize {
        super::ok(self.gateway.connections(USER).await).len()
    }

    /// How many notices of a name were given.
    pub fn notices(&self, name: &str) -> usize {
        self.heard.notices(name)
    }

    /// The audit log.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.heard.audit()
    }

    /// How many entries of an action the audit log has.
    pub fn audited(&self, action: AuditAction) -> usize {
        self.audit().iter().filter(|entry| entry.action == action).count()
    }

    /// Uses the connection: whose account is it?
    ///
    /// # Errors
    /// Those of the call.
    pub async fn touch(&self, id: &ConnectionId) -> Result<Account> {
        self.touch_by(&self.gateway, id).await
    }

    /// The same by another gateway.
    ///
    /// # Errors
    /// As [`touch`](Self::touch).
    pub async fn touch_by(&self, gateway: &Gateway, id: &ConnectionId) -> Result<Account> {
        let session = gateway.session(id).await?;
        self.adapter.authenticator().identify(&session).await
    }

    /// Lets the access token come within its last minutes, and says how much is left.
    pub async fn come_due(&self, id: &ConnectionId) -> Duration {
        let left = Duration::from_secs(60);
        let expires_at = self.stored(id).await.tokens.expires_at;
        let expires_at = expires_at.unwrap_or_else(|| panic!("the access token does not expire"));
        let now = integrations_core::clock::Clock::now(&self.clock);
        self.clock.advance((expires_at - now).to_std().unwrap_or_default().saturating_sub(left));
        left
    }

    /// Lets the access token expire.
    pub async fn expire(&self, id: &ConnectionId) {
        let left = self.come_due(id).await;
        self.clock.advance(left + Duration::from_secs(1));
    }

    /// Walks the clock on for as long as this takes, in small steps: those who wait for another process
    /// wait on the clock.
    pub(super) async fn while_time_passes<T>(&self, step: Duration, work: impl Future<Output = T>) -> T {
        let clock = self.clock.clone();
        let pace = tokio::spawn(async move {
            loop {
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
                clock.advance(step);
            }
        });
        let outcome = work.await;
        pace.abort();
        outcome
    }
}

fn gateway(
    subject: Subject,
    clock: &ManualClock,
    adapter: Arc<dyn ServiceAdapter>,
    (connections, memory): (&Arc<Unreliable>, &MemoryStore),
    vault: &Vault,
    heard: &Arc<Heard>,
) -> (Gateway, Arc<dyn ServiceAdapter>) {
    let gateway = Gateway::builder()
        .adapter(Arc::clone(&adapter))
        .store(memory.clone())
        .token_store(Arc::clone(connections) as _)
        .vault(vault.clone())
        .transport((subject.transport)())
        .clock(Arc::new(clock.clone()))
        .observer(Arc::clone(heard) as _)
        .audit_log(Arc::clone(heard) as _)
        // Nothing waits on the clock, which stands still.
        .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
        .rate_limiter(Arc::new(Unlimited))
        .build();
    (super::ok(gateway), adapter)
}

/// The error of what must fail.
#[track_caller]
pub(super) fn failed<T>(outcome: Result<T>) -> Error {
    match outcome {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error,
    }
}
