//! Which streams, which part of them, and until when?

use chrono::TimeDelta;
use integrations_core::clock::Clock as _;
use integrations_core::sync::{Position, SyncReport, SyncRequest, Window};
use integrations_core::{Data, ErrorKind};

use super::fake::{Answer, NotHere};
use super::host::{Host, PAGE, THREE_PAGES};
use super::subject::Subject;
use crate::conformance::ok;
use crate::fault::Fault;

/// One stream breaks down; the others are read to their end, and the next run makes it good.
pub async fn a_stream_that_fails_does_not_stop_the_others(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.add(THREE_PAGES);
    let mut known = vec![host.fake.stream()];
    match host.fake.add_stream() {
        Ok(second) => {
            host.add_to(&second, PAGE);
            known.push(second);
        }
        // Where every account has the same streams, there may be several of them.
        Err(not_here) if ok(host.gateway.streams(&host.connection.id).await).len() < 2 => {
            return Err(not_here);
        }
        Err(_) => {}
    }
    host.fault(Fault::on(host.fake.listing()[0]).status(500));
    let request = SyncRequest::incremental().parallel(1);
    let report = ok(host.gateway.sync_with(&host.connection.id, request).await);
    let failed: Vec<_> = report.failures().map(|(key, _)| key.stream.clone()).collect();
    assert_eq!(failed.len(), 1, "one call failed: {report:?}");
    assert!(report.streams.len() > 1, "{report:?}");
    for stream in known.iter().filter(|stream| **stream != failed[0]) {
        host.judge_stream(stream);
    }
    host.sync().await;
    for stream in &known {
        host.judge_stream(stream);
    }
    Ok(())
}

/// It is read from its start, beside those that were there.
pub async fn a_stream_that_appears_is_read_from_its_start(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.add(PAGE);
    host.sync().await;
    let new = host.then(|| host.fake.add_stream())?;
    host.add_to(&new, THREE_PAGES);
    let report = ok(host.gateway.sync(&host.connection.id).await.and_then(SyncReport::into_result));
    let Some((_, Ok(of_new))) = report.streams.iter().find(|(key, _)| key.stream == new) else {
        panic!("the new stream was not read: {report:?}")
    };
    assert_eq!((of_new.started_in, of_new.upserted), ("start", THREE_PAGES as u64));
    assert_eq!(report.vanished, []);
    host.judge_stream(&new);
    host.judge();
    Ok(())
}

/// It is named by every run, and what was read of it stays until the host forgets it.
pub async fn a_stream_that_vanishes_is_named_and_kept(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.add(PAGE);
    let gone = host.fake.add_stream()?;
    host.add_to(&gone, PAGE);
    host.sync().await;
    host.judge_stream(&gone);
    host.then(|| host.fake.remove_stream(&gone));
    for _ in 0..2 {
        let report = ok(host.gateway.sync(&host.connection.id).await.and_then(SyncReport::into_result));
        assert_eq!(report.vanished, [host.key(&gone)]);
        assert_eq!(host.records_of(&gone), PAGE, "absence is no proof");
    }
    assert_eq!(ok(host.gateway.forget_stream(&host.connection.id, &gone).await), PAGE as u64);
    assert_eq!(host.records_of(&gone), 0);
    let report = ok(host.gateway.sync(&host.connection.id).await);
    assert_eq!(report.vanished, []);
    host.judge();
    Ok(())
}

/// Items of 25, 7 and 1 days ago, and a window of the 10th to the 5th day before now.
struct Windowed {
    host: Host,
    ids: [String; 3],
    window: Window,
}

impl Windowed {
    async fn new(subject: &Subject) -> Answer<Self> {
        let host = Host::new(subject).await?;
        let now = host.clock.now();
        let ago = |days| now - TimeDelta::days(days);
        let ids = [host.fake.add_at(ago(25))?, host.fake.add_at(ago(7))?, host.fake.add_at(ago(1))?];
        Ok(Self { window: Window::since(ago(10)).until(ago(5)), host, ids })
    }

    /// Asserts that of these items there are records, and of no others.
    #[track_caller]
    fn has(&self, items: &[usize]) {
        let wanted = items.iter().map(|&item| self.ids[item].clone()).collect();
        assert_eq!(self.host.ids(), wanted);
    }
}

/// What lies outside is not kept, now or later, though nobody says the window again.
pub async fn a_window_is_kept_to(subject: Subject) -> Answer {
    let windowed = Windowed::new(&subject).await?;
    let Windowed { host, window, .. } = &windowed;
    let report = host.sync_with(SyncRequest::incremental().within(*window)).await;
    assert_eq!((report.started_in, report.upserted), ("start", 1));
    windowed.has(&[1]);
    host.change(&windowed.ids[0]);
    host.change(&windowed.ids[1]);
    host.add(1);
    host.sync().await;
    windowed.has(&[1]);
    host.sync_with(SyncRequest::full()).await;
    windowed.has(&[1]);
    assert_eq!(host.state().await.position.window(), *window);
    Ok(())
}

/// The adapter does not ask for what would be left out.
pub async fn a_window_is_asked_for(subject: Subject) -> Answer {
    let windowed = Windowed::new(&subject).await?;
    let Windowed { host, window, .. } = &windowed;
    if !host.capabilities().windows {
        return Err(NotHere("the service reads everything; what lies outside is left out afterwards"));
    }
    let report = host.sync_with(SyncRequest::incremental().within(*window)).await;
    assert_eq!((report.upserted, report.outside), (1, 0), "what lies outside was read: {report:?}");
    windowed.has(&[1]);
    Ok(())
}

/// More is wanted than was listed: it is listed again. Less is wanted: nothing changes until a full listing.
pub async fn a_wider_window_lists_again(subject: Subject) -> Answer {
    let windowed = Windowed::new(&subject).await?;
    let Windowed { host, window, .. } = &windowed;
    host.sync_with(SyncRequest::incremental().within(*window)).await;
    let generation = host.state().await.position.generation();

    if host.reads_changes().is_ok() {
        let narrower = window.until(host.clock.now() - TimeDelta::days(8));
        host.sync_with(SyncRequest::incremental().within(narrower)).await;
        windowed.has(&[1]);
    }

    let wider = Window::since(host.clock.now() - TimeDelta::days(30)).until(host.clock.now());
    host.sync_with(SyncRequest::incremental().within(wider)).await;
    windowed.has(&[0, 1, 2]);
    let state = host.state().await;
    assert_eq!(state.position.window(), wider);
    assert!(state.position.generation() > generation, "it was listed again");
    host.judge();

    let report = host.sync_with(SyncRequest::full().within(*window)).await;
    assert_eq!(report.withheld, None);
    // What was read stays where no listing is a proof.
    windowed.has(if host.fake.sweeps().is_ok() { &[1] } else { &[0, 1, 2] });
    Ok(())
}

/// The grant ends at the provider, and nothing is left here; connecting again begins anew.
pub async fn disconnecting_forgets(subject: Subject) -> Answer {
    let mut host = Host::new(&subject).await?;
    host.add(THREE_PAGES);
    host.sync().await;
    let id = host.connection.id.clone();
    ok(host.gateway.disconnect_with(&id, Data::Erase).await);
    if host.capabilities().revoke {
        assert_eq!(host.calls("revoke"), 1);
    }
    assert_eq!(host.records().len(), 0);
    assert_eq!(host.state().await.position, Position::Start);
    let calls = host.wire.sent().len();
    match host.gateway.sync(&id).await {
        Ok(report) => panic!("a connection that is gone was synced: {report:?}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
    }
    assert_eq!(host.wire.sent().len(), calls, "nothing more is asked of the provider");

    let service = host.connection.service.clone();
    host.connection = ok(host.fake.connect(&host.gateway, &service).await);
    assert_eq!(host.connection.id, id, "it is the same account");
    assert_eq!(host.sync().await.started_in, "start");
    host.judge();
    Ok(())
}
