//! Does a ring change under those who use it?

use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::auth::{KeyProvider, KeyRing, Vault};
use integrations_core::clock::ManualClock;
use integrations_core::memory::MemoryStore;
use integrations_core::{Error, ErrorKind, Gateway, Result};

use crate::host::{Nowhere, Provider, SERVICE, both, only};

/// A key management service that is out of order, or gives what it is told to.
#[derive(Debug)]
struct Kms(Option<KeyRing>);

#[async_trait]
impl KeyProvider for Kms {
    async fn key_ring(&self) -> Result<KeyRing> {
        self.0.clone().ok_or_else(|| Error::new(ErrorKind::Network, "the service does not answer"))
    }
}

#[tokio::test]
async fn a_provider_gives_the_ring_and_a_newer_one_later() {
    assert_eq!(Vault::from_provider(&Kms(None)).await.unwrap_err().kind(), ErrorKind::Network);
    let vault = Vault::from_provider(&Kms(Some(only("old")))).await.unwrap();
    assert_eq!(vault.reload(&Kms(None)).await.unwrap_err().kind(), ErrorKind::Network);
    assert_eq!(&*vault.primary_key_id(), "old");
    vault.reload(&Kms(Some(both("new")))).await.unwrap();
    assert_eq!(&*vault.primary_key_id(), "new");
    let refused = vault.reload(&Kms(Some(only("old")))).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.provider_code()),
        (ErrorKind::Configuration, Some("primary_key_dropped"))
    );
    // A ring is a provider, too.
    vault.reload(&only("new")).await.unwrap();
    assert_eq!(format!("{vault:?}"), r#"Vault { primary: "new", keys: ["new"] }"#);
}

#[tokio::test]
async fn a_flow_that_was_begun_under_the_old_key_ends_while_the_key_is_in_the_ring() {
    for (ring, ends) in [(both("new"), true), (only("new"), false)] {
        let vault = Vault::from(only("old"));
        let clock = ManualClock::at("2026-03-01T09:00:00Z");
        let gateway = Gateway::builder()
            .adapter(Provider::new())
            .store(MemoryStore::with_clock(Arc::new(clock.clone())))
            .vault(vault.clone())
            .transport(Arc::new(Nowhere))
            .clock(Arc::new(clock))
            .build()
            .unwrap();
        let begun =
            gateway.connect("ada", SERVICE).redirect_uri("https://app.example/").begin().await.unwrap();
        let callback = format!("{}&code=ada", begun.url);
        // The gateway's own vault is a clone of this one.
        vault.replace_ring(both("new")).unwrap();
        vault.replace_ring(ring).unwrap();
        match gateway.complete("ada", &callback).await {
            Ok(connection) => {
                assert!(ends);
                assert_eq!(crate::host::keys(&connection), ("new", "new"));
            }
            Err(error) => {
                assert!(!ends);
                assert_eq!(error.provider_code(), Some("unknown_key"));
            }
        }
    }
}
