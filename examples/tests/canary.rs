//! No secret of any of the five flows appears where it does not have to: in a log line, an error, a Debug
//! output, a notice, an audit entry, or a byte that is stored.
//!
//! One test, in a binary of its own: it listens to everything that the process logs, at the level of
//! traces. A transport on the way writes down what goes out, so that also the secrets that nobody hands
//! out (states, PKCE verifiers, signed tokens) are known and can be looked for.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use integrations_core::auth::{Callback, Vault};
use integrations_core::clock::ManualClock;
use integrations_core::connection::ConnectionId;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::observe::{Notice, Observer};
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::{ApiKey, Data, Error, Gateway, Result, ServiceAdapter};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::AuditQuery;
use integrations_testkit::Fault;
use integrations_testkit::oauth::{Dialect, FakeOAuth, FakeOAuthBuilder, InstallationSpec};

const REDIRECT: &str = "https://app.example/callback/service";
const CANARY: &str = "CANARY";
const SECRET: &str = "CANARY-client-secret";
const KEY: &str = "CANARY-typed-in";

/// Everything that a host could see.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// Not the log itself, which would then be written into itself.
impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

impl Log {
    fn add(&self, text: impl AsRef<str>) {
        let mut bytes = self.0.lock().unwrap();
        bytes.extend_from_slice(text.as_ref().as_bytes());
        bytes.push(b'\n');
    }

    /// All that a host could print of an error.
    fn error(&self, error: &Error) {
        self.add(format!("{error} {error:?} {error:#?} {:?}", error.challenge()));
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            self.add(format!("{inner} {inner:?}"));
            cause = inner.source();
        }
    }

    fn outcome<T: std::fmt::Debug>(&self, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => {
                self.add(format!("{value:?}"));
                Some(value)
            }
            Err(error) => {
                self.error(&error);
                None
            }
        }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Observer for Log {
    fn notice(&self, notice: &Notice<'_>) {
        self.add(format!("{notice:?}"));
    }
}

/// Secrets that were seen on the way out.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeSet<String>>>);

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

impl Seen {
    fn add(&self, secret: &str) {
        // Shorter ones would be found by chance.
        if secret.len() >= 12 {
            self.0.lock().unwrap().insert(secret.to_owned());
        }
    }
}

#[derive(Debug)]
struct Recording(ReqwestTransport, Seen);

#[async_trait]
impl Transport for Recording {
    async fn send(&self, request: Request) -> Result<Response> {
        for (name, value) in url_form(&request.body) {
            if matches!(name.as_str(), "code" | "code_verifier" | "refresh_token" | "client_secret" | "token")
            {
                self.1.add(&value);
            }
        }
        if let Some(value) = request.headers.get("authorization").and_then(|value| value.to_str().ok()) {
            value.split(' ').for_each(|part| self.1.add(part));
        }
        self.0.send(request).await
    }
}

fn url_form(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// A provider: its adapter, what its service is called, and an error of its token endpoint.
struct Provider {
    dialect: Dialect,
    service: &'static str,
    adapter: fn(&FakeOAuth, &str, &Log) -> Arc<dyn ServiceAdapter>,
    error: &'static str,
}

fn noted<C: std::fmt::Debug>(log: &Log, config: C) -> C {
    log.add(format!("{config:?} {config:#?}"));
    config
}

const PROVIDERS: &[Provider] = &[
    Provider {
        dialect: Dialect::Google,
        service: "google_calendar",
        error: "invalid_grant",
        adapter: |fake, _, log| {
            let builder = noted(log, integrations_google::GoogleConfig::builder().client("client", SECRET));
            let config = noted(log, builder.base_url(fake.url()).build().unwrap());
            integrations_google::GoogleCalendar::new(config)
        },
    },
    Provider {
        dialect: Dialect::Slack,
        service: "slack",
        error: "invalid_refresh_token",
        adapter: |fake, _, log| {
            let builder = noted(log, integrations_slack::SlackConfig::builder().client("client", SECRET));
            integrations_slack::Slack::new(noted(log, builder.base_url(fake.url()).build().unwrap())).unwrap()
        },
    },
    Provider {
        dialect: Dialect::Microsoft,
        service: "outlook_calendar",
        error: "50173",
        adapter: |fake, _, log| {
            let builder = noted(log, integrations_msgraph::GraphConfig::builder().client("client", SECRET));
            let config = noted(log, builder.base_url(fake.url()).build().unwrap());
            integrations_msgraph::OutlookCalendar::new(config).unwrap()
        },
    },
    Provider {
        dialect: Dialect::GitHub,
        service: "github",
        error: "bad_refresh_token",
        adapter: |fake, pem, log| {
            let builder = integrations_github::GitHubConfig::builder().client("client", SECRET);
            let builder = noted(log, builder.private_key(pem));
            integrations_github::GitHub::new(noted(log, builder.base_url(fake.url()).build().unwrap()))
        },
    },
    Provider {
        dialect: Dialect::Zoom,
        service: "zoom",
        error: "4741",
        adapter: |fake, _, log| {
            let builder = noted(log, integrations_zoom::ZoomConfig::builder().client("client", SECRET));
            integrations_zoom::Zoom::new(noted(log, builder.base_url(fake.url()).build().unwrap())).unwrap()
        },
    },
];

/// A private and a public key in PEM.
fn keys() -> (String, String) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = |kind: &str, bytes: &[u8]| {
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(bytes))
    };
    (pem("PRIVATE KEY", private.as_ref()), pem("RSA PUBLIC KEY", pair.public_key().as_ref()))
}

struct Host<'a> {
    log: &'a Log,
    seen: &'a Seen,
    clock: &'a ManualClock,
    provider: &'a Provider,
    fake: FakeOAuth,
    adapter: Arc<dyn ServiceAdapter>,
    gateway: Gateway,
}

impl Host<'_> {
    async fn callback(&self) -> String {
        let connect = self.gateway.connect("ada", self.provider.service).redirect_uri(REDIRECT);
        self.log.add(format!("{connect:?}"));
        let begun = connect.begin().await.unwrap();
        self.log.add(format!("{begun:?}"));
        let state = begun.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        self.seen.add(&state);
        let callback = self.fake.consent(begun.url.as_str()).await.unwrap();
        self.log.add(format!("{:?}", Callback::parse(&callback)));
        callback
    }

    async fn connect(&self) -> Option<ConnectionId> {
        let callback = self.callback().await;
        let connections = self.log.outcome(self.gateway.complete_all("ada", &callback).await)?;
        // Once more, and by somebody else.
        self.log.outcome(self.gateway.complete("ada", &callback).await);
        self.log.outcome(self.gateway.complete("mallory", &self.callback().await).await);
        Some(connections[0].id.clone())
    }

    async fn touch(&self, id: &ConnectionId) {
        let session = self.gateway.session(id).await.unwrap();
        self.log.add(format!("{session:?}"));
        self.log.outcome(self.adapter.authenticator().identify(&session).await);
    }

    async fn expire(&self, id: &ConnectionId) {
        let stored = self.gateway.connection(id).await.unwrap();
        self.log.add(format!("{stored:?} {}", serde_json::to_string(&stored).unwrap()));
        self.clock.advance(Duration::from_secs(14 * 3_600));
    }

    async fn run(&self) {
        for fault in [
            Fault::on("token.code").status(500),
            Fault::on("token.code").html(),
            Fault::on("token.code")
                .body(r#"{"access_token": 7, "refresh_token": "CANARY-odd""#, "application/json"),
            Fault::on("token.code").lose_answer(),
            Fault::on("userinfo").status(401),
        ] {
            self.fake.fault(fault);
            self.connect().await;
            self.fake.clear_faults();
        }
        self.fake.deny_next_consent();
        self.connect().await;
        let id = self.connect().await.unwrap();
        self.touch(&id).await;
        // Lives, with failures in between, and a token that dies before its time.
        for fault in [
            Fault::on("token.refresh").status(500),
            Fault::on("token.refresh").html(),
            Fault::on("token.refresh").truncate(20),
            Fault::on("token.refresh").status(429).header("retry-after", "5"),
        ] {
            self.expire(&id).await;
            self.fake.fault(fault);
            self.touch(&id).await;
            self.touch(&id).await;
        }
        self.fake.expire_access_tokens();
        self.touch(&id).await;
        self.expire(&id).await;
        self.fake.fail_token_with(self.provider.error);
        self.touch(&id).await;
        self.touch(&id).await;
        let reconnect = self.gateway.reconnect(&id).await.unwrap();
        self.log.add(format!("{reconnect:?}"));
        self.connect().await;
        if self.provider.dialect == Dialect::Microsoft {
            self.fake.require_claims(Some(r#"{"access_token":{"nbf":{"essential":true}}}"#));
            self.touch(&id).await;
            self.fake.require_claims(None);
            self.connect().await;
        }
        self.fake.revoke_account("ada@example.com");
        self.touch(&id).await;
        let id = self.connect().await.unwrap();
        self.log.outcome(self.gateway.pause(&id).await);
        self.touch(&id).await;
        self.log.outcome(self.gateway.resume(&id).await);
        self.log.outcome(self.gateway.rotate_keys().await);
        self.log.outcome(self.gateway.disconnect_with(&id, Data::Erase).await);

        for subject in ["42", self.fake.accounts()[0].organization.as_str()] {
            let made = self.gateway.connect_application("acme", self.provider.service, subject).await;
            if let Some(made) = self.log.outcome(made) {
                self.expire(&made.id).await;
                self.touch(&made.id).await;
                self.log.outcome(self.gateway.disconnect(&made.id).await);
            }
        }
        for key in [ApiKey::new(KEY), ApiKey::new("CANARY-wrong-key")] {
            self.log.add(format!("{key:?}"));
            let made = self.gateway.connect_with_key("ada", self.provider.service, key).await;
            if let Some(made) = self.log.outcome(made) {
                self.touch(&made.id).await;
            }
        }
        self.log.add(format!("{:?} {:?}", self.gateway, self.adapter));
    }
}

fn assert_clean(bytes: &[u8], secrets: &BTreeSet<String>, place: &str) {
    let text = String::from_utf8_lossy(bytes);
    for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
        if let Some(at) = text.find(secret) {
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            panic!("a secret ({secret:.16}…) in {place}, behind: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_five_flows_appears_anywhere() {
    let (log, seen) = (Log::default(), Seen::default());
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let (private, public) = keys();
    seen.add(private.lines().nth(1).unwrap());
    let folder = tempfile::tempdir().unwrap();
    for provider in PROVIDERS {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let set_up = |builder: FakeOAuthBuilder| match provider.dialect {
            Dialect::GitHub => {
                builder.github_app("1", &public).installation(InstallationSpec::new(42, "octo-org"))
            }
            _ => builder,
        };
        let builder = FakeOAuth::builder(provider.dialect)
            .clock(Arc::new(clock.clone()))
            .client("client", SECRET)
            .account("ada@example.com")
            .open_token(KEY)
            .canary(CANARY);
        let fake = set_up(builder).start().await;
        let db = folder.path().join(format!("{}.db", provider.service));
        let store = SqliteStore::builder().clock(Arc::new(clock.clone())).open(&db).await.unwrap();
        let adapter = (provider.adapter)(&fake, &private, &log);
        let transport = Recording(ReqwestTransport::new("tests").unwrap(), seen.clone());
        let gateway = Gateway::builder()
            .adapter(Arc::clone(&adapter))
            .store(store.clone())
            .audit_log(Arc::new(store.clone()))
            .vault(Vault::new("test", [5; 32]).unwrap())
            .transport(Arc::new(transport))
            .clock(Arc::new(clock.clone()))
            .observer(Arc::new(log.clone()))
            // Nothing waits on the clock, which stands still.
            .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
            .rate_limiter(Arc::new(Unlimited));
        log.add(format!("{gateway:?}"));
        let gateway = gateway.build().unwrap();
        let host = Host { log: &log, seen: &seen, clock: &clock, provider, fake, adapter, gateway };
        host.run().await;
        host.fake.issued_secrets().iter().for_each(|secret| seen.add(secret));

        for (_, entry) in store.audit(&AuditQuery::new()).await.unwrap() {
            log.add(format!("{entry:?} {}", serde_json::to_string(&entry).unwrap()));
        }
        let secrets = seen.0.lock().unwrap().clone();
        assert!(secrets.len() > 30, "{}: {} secrets", provider.service, secrets.len());
        assert_clean(&log.0.lock().unwrap(), &secrets, provider.service);
        for suffix in ["", "-wal"] {
            let bytes = std::fs::read(format!("{}{suffix}", db.display())).unwrap_or_default();
            assert_clean(&bytes, &secrets, "the database");
        }
    }
    println!("{} secrets, {} bytes of log", seen.0.lock().unwrap().len(), log.0.lock().unwrap().len());
}
