//! Do a rotation and a refresh of the same connection both get through?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::ErrorKind;
use integrations_core::auth::{RotationSettings, TokenStore, Vault, rotate_keys};

use crate::host::{Host, both, keys, only};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_rotation_in_the_middle_of_a_refresh_loses_neither() {
    // A process that has not made the new key primary yet seals with the old one, and that is found next.
    for (primary, found_next) in [("new", 0), ("old", 1)] {
        let host = Host::new();
        let id = host.connect(&Vault::from(only("old")), "ada").await;
        let process = host.process(&Vault::from(both(primary)));
        host.clock.advance(HOUR);
        let mut exchange = host.provider.before_exchange.close();
        let refresh = tokio::spawn({
            let (process, id) = (Arc::clone(&process), id.clone());
            async move { process.fresh(&id).await }
        });
        exchange.reached().await;
        let vault = Vault::from(both("new"));
        let rotate = async || {
            rotate_keys(&host.store, &vault, &*host.heard, &RotationSettings::default()).await.unwrap()
        };
        assert_eq!(rotate().await.resealed, 1);
        assert_eq!(keys(&host.read(&id).await), ("new", "new"));
        exchange.go_on();
        let live = refresh.await.unwrap().unwrap();
        assert_eq!(live.access().expose(), "ada/access-1");
        assert_eq!(host.provider.exchanges(), 1);
        let stored = host.read(&id).await;
        assert_eq!(keys(&stored), (primary, primary));
        let tokens = vault.open_tokens(&stored).unwrap();
        assert_eq!(tokens.refresh.unwrap().expose(), host.provider.valid("ada"));
        assert_eq!(rotate().await.resealed, found_next);
        assert_eq!(keys(&host.read(&id).await), ("new", "new"));
        // The next refresh goes on from there.
        host.clock.advance(HOUR);
        assert_eq!(process.fresh(&id).await.unwrap().access().expose(), "ada/access-2");
    }
}

#[tokio::test]
async fn a_refresh_in_the_middle_of_a_rotation_loses_neither() {
    let host = Host::new();
    let id = host.connect(&Vault::from(only("old")), "ada").await;
    let (ready, rotating) = (Vault::from(both("old")), Vault::from(both("new")));
    host.clock.advance(HOUR);
    let mut put = host.store.before_put.close();
    let rotation = tokio::spawn({
        let (store, vault, heard) = (host.store.clone(), rotating.clone(), Arc::clone(&host.heard));
        async move { rotate_keys(&store, &vault, &*heard, &RotationSettings::default()).await }
    });
    put.reached().await;
    let live = host.process(&ready).fresh(&id).await.unwrap();
    assert_eq!(live.access().expose(), "ada/access-1");
    put.go_on();
    let report = rotation.await.unwrap().unwrap();
    assert_eq!((report.seen, report.resealed), (1, 1));
    let stored = host.read(&id).await;
    // Stored, marked as being refreshed, refreshed, sealed anew.
    assert_eq!((keys(&stored), stored.version), (("new", "new"), 4));
    let tokens = rotating.open_tokens(&stored).unwrap();
    assert_eq!(tokens.access.expose(), "ada/access-1");
    assert_eq!(tokens.refresh.unwrap().expose(), host.provider.valid("ada"));
    // Whoever has the token keeps it: a new seal is no new token.
    assert_eq!(host.process(&ready).fresh(&id).await.unwrap().access().expose(), "ada/access-1");
    assert_eq!(host.provider.exchanges(), 1);
}

#[tokio::test]
async fn a_process_without_the_new_key_says_so_and_keeps_what_it_has_exchanged() {
    let host = Host::new();
    let id = host.connect(&Vault::from(only("old")), "ada").await;
    let behind = Vault::from(only("old"));
    let process = host.process(&behind);
    host.clock.advance(HOUR);
    let mut exchange = host.provider.before_exchange.close();
    let refresh = tokio::spawn({
        let (process, id) = (Arc::clone(&process), id.clone());
        async move { process.fresh(&id).await }
    });
    exchange.reached().await;
    let settings = RotationSettings::default();
    rotate_keys(&host.store, &Vault::from(both("new")), &*host.heard, &settings).await.unwrap();
    let rotated = host.read(&id).await;
    exchange.go_on();
    for error in [refresh.await.unwrap().unwrap_err(), process.fresh(&id).await.unwrap_err()] {
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("unknown_key")));
    }
    assert_eq!(host.read(&id).await, rotated, "the connection is as it was");
    assert_eq!(host.heard.all("TokensNotStored").len(), 2);
    // Once the key is there, what was exchanged is stored, without another exchange.
    behind.replace_ring(both("new")).unwrap();
    assert_eq!(process.fresh(&id).await.unwrap().access().expose(), "ada/access-1");
    assert_eq!(host.provider.exchanges(), 1);
    let tokens = behind.open_tokens(&host.read(&id).await).unwrap();
    assert_eq!(tokens.refresh.unwrap().expose(), host.provider.valid("ada"));
}

#[tokio::test]
async fn a_process_without_the_new_key_marks_nothing_even_if_the_grant_is_gone() {
    let host = Host::new();
    let id = host.connect(&Vault::from(only("old")), "ada").await;
    let process = host.process(&Vault::from(only("old")));
    host.clock.advance(HOUR);
    let mut exchange = host.provider.before_exchange.close();
    let refresh = tokio::spawn({
        let (process, id) = (Arc::clone(&process), id.clone());
        async move { process.fresh(&id).await }
    });
    exchange.reached().await;
    let settings = RotationSettings::default();
    rotate_keys(&host.store, &Vault::from(both("new")), &*host.heard, &settings).await.unwrap();
    host.provider.revoke("ada");
    exchange.go_on();
    // It cannot tell whether somebody else has exchanged the token; somebody who has the key can.
    assert_eq!(refresh.await.unwrap().unwrap_err().provider_code(), Some("unknown_key"));
    assert_eq!(host.read(&id).await.status.as_str(), "active");
    // The exchange that was begun is over for certain after a minute.
    host.clock.advance(Duration::from_secs(61));
    let error = host.process(&Vault::from(both("new"))).fresh(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert_eq!(host.read(&id).await.status.as_str(), "reauthorization_required");
    // Its tokens are kept, and rotate as all others.
    assert_eq!(keys(&host.read(&id).await), ("new", "new"));
}

/// Refreshes in two processes, rotations in two more, and whoever is ready next goes next, by a seed. Each
/// refresh token works once, so a lost one shows.
#[tokio::test]
async fn whatever_the_order_every_refresh_and_every_seal_gets_through() {
    for seed in 0..30 {
        let mut host = Host::new();
        host.store = host.store.giving_way(seed);
        let old = Vault::from(only("old"));
        let mut ids = Vec::new();
        for number in 0..12 {
            ids.push(host.connect(&old, &format!("{number:02}")).await);
        }
        let vault = Vault::from(both("new"));
        let processes = [host.process(&vault), host.process(&vault)];
        for _round in 0..3 {
            host.clock.advance(HOUR);
            let rotations = [1, 5].map(|batch| {
                let (store, vault, heard) = (host.store.clone(), vault.clone(), Arc::clone(&host.heard));
                tokio::spawn(async move {
                    let settings = RotationSettings::default().batch(batch);
                    rotate_keys(&store, &vault, &*heard, &settings).await.unwrap()
                })
            });
            let refreshes: Vec<_> = ids
                .iter()
                .flat_map(|id| processes.iter().map(move |process| (Arc::clone(process), id.clone())))
                .map(|(process, id)| tokio::spawn(async move { process.fresh(&id).await.map(|_| ()) }))
                .collect();
            // Who waits for the other process's refresh waits on the clock.
            let pace = tokio::spawn({
                let clock = host.clock.clone();
                async move {
                    loop {
                        for _ in 0..50 {
                            tokio::task::yield_now().await;
                        }
                        clock.advance(Duration::from_millis(100));
                    }
                }
            });
            for refresh in refreshes {
                refresh.await.unwrap().unwrap();
            }
            for rotation in rotations {
                let report = rotation.await.unwrap();
                assert!(report.is_complete() && report.seen == 12, "seed {seed}: {report:?}");
            }
            pace.abort();
        }
        assert_eq!(host.provider.exchanges(), 3 * 12, "seed {seed}");
        let new = Vault::from(only("new"));
        for connection in host.all().await {
            assert_eq!(connection.status.as_str(), "active", "seed {seed}");
            let tokens = new.open_tokens(&connection).unwrap();
            let valid = host.provider.valid(connection.id.as_str());
            assert_eq!(tokens.refresh.unwrap().expose(), valid, "seed {seed}");
        }
        assert!(host.store.get(&ids[0]).await.unwrap().is_some());
    }
}
