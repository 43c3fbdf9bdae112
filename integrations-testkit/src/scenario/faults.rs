//! What if a call goes wrong in the middle of a sync?

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use integrations_core::ErrorKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::fake::{Answer, NotHere};
use super::host::{Host, THREE_PAGES};
use super::subject::Subject;
use crate::conformance::ok;
use crate::fault::Fault;

/// What the provider asks a client to wait: longer than one waits that was told nothing.
const TOLD: Duration = Duration::from_secs(240);

/// Each operation that reading a page takes, with a host whose provider has three pages.
async fn for_each_operation<F: Future<Output = Answer>>(
    subject: &Subject,
    play: impl Fn(Host, &'static str) -> F,
) -> Answer {
    let operations = Host::new(subject).await?.fake.listing();
    for operation in operations {
        let host = Host::new(subject).await?;
        host.add(THREE_PAGES);
        play(host, operation).await?;
    }
    Ok(())
}

/// The second call fails; the run says how, and the next one goes on where it stood.
async fn fails_and_is_made_good(host: &Host, fault: Fault, kind: ErrorKind) {
    let what = format!("{fault:?}");
    host.fault(fault);
    let error = match host.run(&host.gateway).await {
        Ok(report) => panic!("it went well: {report:?} in spite of {what}"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), kind, "{error}: {what}");
    let before = host.records().len() as u64;
    let report = host.sync().await;
    assert_eq!(report.upserted, THREE_PAGES as u64 - before, "what was committed is not read again");
    host.judge();
}

/// The provider says how long to wait: nothing goes out before, and then the run goes on.
pub async fn a_rate_limit_is_waited_out_as_told(subject: Subject) -> Answer {
    let told = TOLD.as_secs().to_string();
    for_each_operation(&subject, |host, operation| {
        let fault = Fault::on(operation).nth(2).status(429).header("retry-after", &told);
        async move {
            host.fault(fault);
            let process = host.patient_process();
            let report = ok(host.while_time_passes(host.run(&process)).await);
            assert_eq!(report.upserted, THREE_PAGES as u64);
            host.judge();
            let sent = host.wire.sent();
            let Some(refused) = sent.iter().position(|request| request.status == Some(429)) else {
                panic!("no call of {operation} was refused: {sent:?}")
            };
            let (Some(answered), Some(next)) = (sent[refused].answered, sent.get(refused + 1)) else {
                panic!("nothing was tried again: {sent:?}")
            };
            let waited = next.at.saturating_sub(answered);
            assert!(waited >= TOLD, "{operation} was tried again after {waited:?}");
            Ok(())
        }
    })
    .await
}

/// Without a retry the run ends with the time to come back; the next one, after that, loses nothing.
pub async fn a_rate_limit_that_is_not_waited_out_says_when_to_come_back(subject: Subject) -> Answer {
    for_each_operation(&subject, |host, operation| async move {
        let told = TOLD.as_secs().to_string();
        host.fault(Fault::on(operation).nth(2).status(429).header("retry-after", &told));
        let error = match host.run(&host.gateway).await {
            Ok(report) => panic!("it went well: {report:?}"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        assert!(error.retry_after() >= Some(TOLD), "{:?}", error.retry_after());
        host.clock.advance(TOLD);
        host.sync().await;
        host.judge();
        Ok(())
    })
    .await
}

/// The token dies between two pages: it is refreshed, once, and the page is read all the same.
pub async fn a_token_that_is_refused_between_pages_is_refreshed_once(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    if !host.capabilities().refresh {
        return Err(NotHere("the service's tokens do not expire"));
    }
    for_each_operation(&subject, |host, operation| async move {
        let held = host.hold(operation, 2).await;
        host.fake.server().expire_tokens()?;
        let report = ok(held.finish().await);
        assert_eq!((report.upserted, report.resyncs), (THREE_PAGES as u64, 0));
        assert_eq!(host.calls("token.refresh"), 1);
        host.judge();
        Ok(())
    })
    .await
}

/// One answer of 500 is tried again, and nobody notices; a provider that is down is left alone, and what was
/// read stays.
pub async fn a_server_error_that_passes_is_passed_over(subject: Subject) -> Answer {
    for_each_operation(&subject, |host, operation| async move {
        host.fault(Fault::on(operation).nth(2).status(500));
        let process = host.patient_process();
        let report = ok(host.while_time_passes(host.run(&process)).await);
        assert_eq!(report.upserted, THREE_PAGES as u64);
        host.judge();
        Ok(())
    })
    .await?;
    for_each_operation(&subject, |host, operation| async move {
        let fault = Fault::on(operation).nth(2).status(500);
        fails_and_is_made_good(&host, fault, ErrorKind::ServiceUnavailable).await;
        Ok(())
    })
    .await
}

/// A load balancer's page is not taken for an empty one, with whatever status it comes.
pub async fn a_page_of_html_is_no_answer(subject: Subject) -> Answer {
    for (status, kind) in [
        (200, ErrorKind::DataFormat),
        (502, ErrorKind::ServiceUnavailable),
        (503, ErrorKind::ServiceUnavailable),
    ] {
        for_each_operation(&subject, |host, operation| async move {
            fails_and_is_made_good(&host, Fault::on(operation).nth(2).status(status).html(), kind).await;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// A connection that breaks before the answer, or in its middle.
pub async fn half_an_answer_is_no_answer(subject: Subject) -> Answer {
    for_each_operation(&subject, |host, operation| async move {
        let fault = Fault::on(operation).nth(2);
        fails_and_is_made_good(&host, fault.truncate(40), ErrorKind::Network).await;
        Ok(())
    })
    .await?;
    for_each_operation(&subject, |host, operation| async move {
        let fault = Fault::on(operation).nth(2);
        fails_and_is_made_good(&host, fault.reset(), ErrorKind::Network).await;
        Ok(())
    })
    .await
}

/// A host of somebody else's, to which the provider sends the client, sees no token.
pub async fn a_redirect_does_not_get_the_token(subject: Subject) -> Answer {
    for status in [302, 307] {
        for_each_operation(&subject, |host, operation| async move {
            let foreign = Foreign::start().await;
            let fault = Fault::on(operation).nth(2).status(status).header("location", &foreign.url);
            host.fault(fault);
            let outcome = host.run(&host.gateway).await;
            assert!(outcome.is_err(), "a redirect is no page: {outcome:?}");
            assert!(!foreign.has_seen("authorization"), "{operation} was sent on with its token");
            host.sync().await;
            host.judge();
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// A host that would gladly take a token.
struct Foreign {
    url: String,
    seen: Arc<Mutex<String>>,
}

impl Foreign {
    async fn start() -> Self {
        let listener = match TcpListener::bind(("127.0.0.1", 0)).await {
            Ok(listener) => listener,
            Err(error) => panic!("no port for the foreign host: {error}"),
        };
        let url = listener.local_addr().map(|address| format!("http://{address}/next")).unwrap_or_default();
        let seen = Arc::new(Mutex::new(String::new()));
        tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let mut head = vec![0; 16 << 10];
                    let length = stream.read(&mut head).await.unwrap_or(0);
                    let text = String::from_utf8_lossy(&head[..length]).to_lowercase();
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    // Whoever has gone away has said what it had to say.
                    let _ = stream.write_all(answer).await;
                }
            }
        });
        Self { url, seen }
    }

    fn has_seen(&self, word: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(word)
    }
}
