//! Staying connected.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use integrations_core::ErrorKind;
use integrations_core::auth::TokenStore;

use super::{Host, Subject, failed};
use crate::conformance::ok;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::oauth::{Dialect, FakeOAuthBuilder};

/// Once in a token's life, before its end, through many lives; no refresh token is used twice.
pub async fn a_token_is_refreshed_in_time_and_every_rotation_is_kept(subject: Subject) {
    let host = Host::with(subject, FakeOAuthBuilder::with_family_revocation).await;
    let connection = host.connect().await;
    for life in 1..=5 {
        let before = host.tokens(&connection.id).await;
        host.come_due(&connection.id).await;
        ok(host.touch(&connection.id).await);
        ok(host.touch(&connection.id).await);
        assert_eq!(host.fake.tally().refreshes, life);
        let after = host.tokens(&connection.id).await;
        assert_ne!(before.access.expose(), after.access.expose());
        assert!(after.refresh.is_some(), "a refresh token stays");
        let stored = host.stored(&connection.id).await;
        assert_eq!(stored.refreshing_since, None);
        assert_eq!(stored.scopes, connection.scopes, "what was granted stays known");
    }
    assert_eq!(host.fake.tally().spent_refresh_tokens, 0);
    assert!(host.fake.requests().iter().all(|request| request.status != 401), "no dead token went out");
}

/// 200 callers in four processes: one exchange, though a second would end the grant.
pub async fn many_callers_cause_one_exchange(subject: Subject) {
    let host = Host::with(subject, FakeOAuthBuilder::with_family_revocation).await;
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    let processes: Vec<_> = (0..4).map(|_| host.another_process()).collect();
    let calls = processes.iter().flat_map(|gateway| (0..50).map(|_| host.touch_by(gateway, &connection.id)));
    let outcomes = host.while_time_passes(Duration::from_millis(5), join_all(calls)).await;
    for outcome in outcomes {
        ok(outcome);
    }
    let tally = host.fake.tally();
    assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (1, 0));
}

/// The answer comes after the caller has gone: it is stored all the same.
pub async fn a_caller_who_gives_up_loses_no_token(subject: Subject) {
    let host = Arc::new(Host::with(subject, FakeOAuthBuilder::with_family_revocation).await);
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    let gate = Gate::new();
    host.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
    let caller = tokio::spawn({
        let (host, id) = (Arc::clone(&host), connection.id.clone());
        async move { host.touch(&id).await }
    });
    gate.arrived(1).await;
    caller.abort();
    let _ = caller.await;
    gate.open();
    // Waits for the exchange that is under way.
    ok(host.touch(&connection.id).await);
    let tally = host.fake.tally();
    assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (1, 0));
}

/// 500, 503, 429, HTML, half an answer, none at all: the old token serves until it expires, and what comes
/// then is an error that passes.
pub async fn failures_for_now_do_no_harm_while_the_old_token_lives(subject: Subject) {
    let faults = [
        Fault::on("token.refresh").status(500),
        Fault::on("token.refresh").status(503).header("retry-after", "30"),
        Fault::on("token.refresh").status(429).header("retry-after", "30"),
        Fault::on("token.refresh").reset(),
    ];
    for fault in faults {
        let host = Host::new(subject).await;
        let connection = host.connect().await;
        let left = host.come_due(&connection.id).await;
        let what = format!("{fault:?}");
        host.fake.fault(fault.always());
        ok(host.touch(&connection.id).await);
        ok(host.touch(&connection.id).await);
        assert_eq!(host.fake.count("token.refresh"), 1, "a failing endpoint is not hammered: {what}");
        host.clock.advance(left + Duration::from_secs(31));
        let error = failed(host.touch(&connection.id).await);
        let passes = matches!(error.disposition(), integrations_core::Disposition::Retry { .. });
        assert!(passes, "{what}: {error}");
        assert_eq!(host.stored(&connection.id).await.status.as_str(), "active", "{what}");
        host.fake.clear_faults();
        host.clock.advance(Duration::from_secs(61));
        ok(host.touch(&connection.id).await);
    }
}

/// The user has taken it back at the provider: the connection says so once, nothing more is asked, and
/// connecting again mends it.
pub async fn a_grant_that_is_gone_is_said_and_mended_by_connecting_again(subject: Subject) {
    let host = Host::new(subject).await;
    let connection = host.connect().await;
    host.fake.revoke_account("ada@example.com");
    host.expire(&connection.id).await;
    let error = failed(host.touch(&connection.id).await);
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "{error}");
    assert!(host.stored(&connection.id).await.status.needs_user());
    assert_eq!(host.heard.notices("StatusChanged"), 1);
    let calls = host.fake.requests().len();
    assert_eq!(failed(host.touch(&connection.id).await).kind(), ErrorKind::ReauthorizationRequired);
    assert_eq!(host.fake.requests().len(), calls);
    let again = host.connect().await;
    assert_eq!(again.id, connection.id);
    ok(host.touch(&connection.id).await);
}

/// The exchange took place and its answer never came. Where the old refresh token still works, nothing is
/// lost; where it was single use, the connection says that it needs its user.
pub async fn an_answer_that_is_lost_is_survived_or_explained(subject: Subject) {
    let host = Host::new(subject).await;
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    host.fake.fault(Fault::on("token.refresh").lose_answer());
    let error = failed(host.touch(&connection.id).await);
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    let survives = matches!(subject.dialect, Dialect::Google | Dialect::Microsoft);
    host.clock.advance(Duration::from_secs(1));
    match host.touch(&connection.id).await {
        Ok(_) => assert!(survives),
        Err(error) => {
            assert!(!survives, "{error}");
            assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "{error}");
            assert!(host.stored(&connection.id).await.status.needs_user());
        }
    }
}

/// Another process has begun an exchange and lost its guard (it ran out, or the server that kept it was
/// lost): nobody makes the exchange a second time while it may be under way.
pub async fn an_exchange_of_another_process_is_waited_for(subject: Subject) {
    let host = Arc::new(Host::with(subject, FakeOAuthBuilder::with_family_revocation).await);
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    let gate = Gate::new();
    host.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
    let slow = tokio::spawn({
        let (host, id) = (Arc::clone(&host), connection.id.clone());
        async move { host.touch(&id).await }
    });
    gate.arrived(1).await;
    // The guard is gone, and the exchange is in its middle.
    host.store.lose_guards();
    let other = host.another_process();
    let waiting = host.touch_by(&other, &connection.id);
    let opener = async {
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
        gate.open();
    };
    let both = join(waiting, opener);
    let (outcome, ()) = host.while_time_passes(Duration::from_millis(5), both).await;
    ok(outcome);
    ok(slow.await.unwrap_or_else(|error| panic!("{error}")));
    let tally = host.fake.tally();
    assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (1, 0));

    // A process that has ended in the middle is not waited for for ever.
    host.expire(&connection.id).await;
    let mut stored = host.stored(&connection.id).await;
    stored.refreshing_since = Some(integrations_core::clock::Clock::now(&host.clock));
    ok(host.store.put(&stored).await);
    let third = host.another_process();
    let outcome =
        host.while_time_passes(Duration::from_millis(500), host.touch_by(&third, &connection.id)).await;
    ok(outcome);
}

/// No guard keeps anybody back, and all find the tokens due before the first of them says that it begins:
/// the others see it when they want to say the same.
pub async fn those_who_begin_together_make_one_exchange(subject: Subject) {
    let host = Host::with(subject, FakeOAuthBuilder::with_family_revocation).await;
    let connection = host.connect().await;
    host.store.lose_guards();
    for round in 1..=5 {
        host.expire(&connection.id).await;
        let processes: Vec<_> = (0..8).map(|_| host.another_process()).collect();
        let calls = processes.iter().map(|gateway| host.touch_by(gateway, &connection.id));
        let outcomes = host.while_time_passes(Duration::from_millis(5), join_all(calls)).await;
        for outcome in outcomes {
            ok(outcome);
        }
        let tally = host.fake.tally();
        assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (round, 0));
    }
}

/// The storage was slow to take the mark of the exchange: it is made anew, so that it does not look old
/// while the exchange is under way.
pub async fn a_mark_that_was_long_on_its_way_is_made_anew(subject: Subject) {
    let host = Arc::new(Host::new(subject).await);
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    let gate = Gate::new();
    host.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
    host.store.slow_down(&host.clock, Duration::from_secs(30));
    let caller = tokio::spawn({
        let (host, id) = (Arc::clone(&host), connection.id.clone());
        async move { host.touch(&id).await }
    });
    gate.arrived(1).await;
    let now = integrations_core::clock::Clock::now(&host.clock);
    assert_eq!(host.stored(&connection.id).await.refreshing_since, Some(now));
    gate.open();
    ok(caller.await.unwrap_or_else(|error| panic!("{error}")));
}

/// The storage is down when the answer comes: the tokens wait in memory, and are stored at the next use.
pub async fn tokens_that_cannot_be_stored_are_kept_and_stored_later(subject: Subject) {
    let host = Host::with(subject, FakeOAuthBuilder::with_family_revocation).await;
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    // The mark of the exchange goes through, the tokens do not.
    host.store.fail_writes(1, 2);
    let error = failed(host.touch(&connection.id).await);
    assert_eq!(error.kind(), ErrorKind::Store, "{error}");
    assert_eq!(host.heard.notices("TokensNotStored"), 1);
    let error = failed(host.touch(&connection.id).await);
    assert_eq!(error.kind(), ErrorKind::Store, "{error}");
    ok(host.touch(&connection.id).await);
    let tally = host.fake.tally();
    assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (1, 0));
    assert!(host.fake.is_live(host.tokens(&connection.id).await.access.expose()));
}

/// Tokens that could not be stored outlive what the host does with the connection meanwhile.
pub async fn a_pause_loses_no_token(subject: Subject) {
    let host = Host::with(subject, FakeOAuthBuilder::with_family_revocation).await;
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    host.store.fail_writes(1, 1);
    assert_eq!(failed(host.touch(&connection.id).await).kind(), ErrorKind::Store);
    ok(host.gateway.pause(&connection.id).await);
    assert_eq!(failed(host.touch(&connection.id).await).provider_code(), Some("paused"));
    ok(host.gateway.resume(&connection.id).await);
    // Without them it would be waited for the end of the exchange.
    ok(host.while_time_passes(Duration::from_millis(500), host.touch(&connection.id)).await);
    let tally = host.fake.tally();
    assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (1, 0));
}

/// The operator's mistake is nobody's grant gone: the service rests, says so once, and goes on by itself.
pub async fn a_wrong_secret_marks_nobody(subject: Subject) {
    let host = Host::new(subject).await;
    let connection = host.connect().await;
    let (name, _) = subject
        .errors
        .iter()
        .find(|(_, kind)| *kind == ErrorKind::InvalidCredentials)
        .unwrap_or_else(|| panic!("the provider's error for a wrong secret is not in the table"));
    host.expire(&connection.id).await;
    host.fake.fail_token_with(name);
    for _ in 0..3 {
        assert_eq!(failed(host.touch(&connection.id).await).kind(), ErrorKind::InvalidCredentials);
    }
    assert_eq!(host.fake.count("token.refresh"), 1, "the service rests");
    assert_eq!(host.heard.notices("ServicePaused"), 1);
    assert_eq!(host.stored(&connection.id).await.status.as_str(), "active");
    host.clock.advance(Duration::from_secs(60));
    ok(host.touch(&connection.id).await);
    assert_eq!(host.heard.notices("ServiceResumed"), 1);
}

/// Nobody whose token lives notices it: neither who is refused, nor who would be next.
pub async fn a_wrong_secret_harms_no_token_that_lives(subject: Subject) {
    let host = Host::new(subject).await;
    let first = host.connect().await;
    host.fake.switch_account("grace@example.com");
    let second = host.connect().await;
    host.come_due(&first.id).await;
    let wrong = subject.errors.iter().find(|(_, kind)| *kind == ErrorKind::InvalidCredentials);
    host.fake.fail_token_with(wrong.map_or("invalid_client", |(name, _)| name));
    ok(host.touch(&first.id).await);
    ok(host.touch(&second.id).await);
    assert_eq!(host.fake.count("token.refresh"), 1);
    assert_eq!(host.heard.notices("ServicePaused"), 1);
}
