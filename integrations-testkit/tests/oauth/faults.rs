//! What goes wrong on the way, and what is held back.

use integrations_testkit::oauth::Dialect;
use integrations_testkit::{Fault, Gate};

use super::*;

#[tokio::test]
async fn an_answer_that_is_lost_has_had_its_effect_and_a_reset_has_not() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        let (_, first) = connect(&fake).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", first.as_str())];
        fake.fault(Fault::on("token.refresh").reset());
        assert!(token_request(&fake, &form).send().await.is_err());
        assert_eq!(fake.tally().refreshes, 0);
        fake.fault(Fault::on("token.refresh").lose_answer());
        assert!(token_request(&fake, &form).send().await.is_err());
        assert_eq!(fake.tally().refreshes, 1);
        let again = token(&fake, &form).await.1;
        let spent = matches!(dialect, Dialect::Slack | Dialect::GitHub | Dialect::Zoom);
        assert_eq!(again.get("access_token").is_none(), spent, "{dialect:?}");
        assert_eq!(fake.tally().spent_refresh_tokens, u64::from(dialect != Dialect::Google));
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_code_leaves_the_code_used() {
    let fake = start(Dialect::Zoom).await;
    let code = code(&fake, &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    fake.fault(Fault::on("token.code").lose_answer());
    assert!(token_request(&fake, &form).send().await.is_err());
    assert_eq!((fake.tally().codes, fake.live_grants()), (1, 1));
    refused(token(&fake, &form).await);
    assert_eq!((fake.tally().reused_codes, fake.live_grants()), (1, 0));
}

#[tokio::test]
async fn a_gate_holds_a_request_before_its_work_or_the_answer_after_it() {
    let fake = builder(Dialect::Slack, &clock())
        .open_refresh_token("first")
        .open_refresh_token("second")
        .start()
        .await;
    for (token, done_meanwhile) in [("first", 0), ("second", 2)] {
        let gate = Gate::new();
        let fault = Fault::on("token.refresh");
        fake.fault(if done_meanwhile == 0 { fault.hold(&gate) } else { fault.hold_answer(&gate) });
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let held = tokio::spawn(token_request(&fake, &form).send());
        gate.arrived(1).await;
        assert_eq!((gate.waiting(), held.is_finished()), (1, false));
        assert_eq!(fake.tally().refreshes, done_meanwhile, "{token}");
        gate.open();
        assert_eq!(answer(held.await.unwrap().unwrap()).await.1["ok"], true);
        assert_eq!((gate.waiting(), fake.tally().refreshes), (0, done_meanwhile.max(1)));
    }
}

#[tokio::test]
async fn two_refreshes_that_meet_at_a_gate_show_who_was_late() {
    let fake = builder(Dialect::GitHub, &clock()).open_refresh_token("open").start().await;
    let gate = Gate::new();
    fake.fault(Fault::on("token.refresh").times(2).hold(&gate));
    let form = [("grant_type", "refresh_token"), ("refresh_token", "open")];
    let both =
        [tokio::spawn(token_request(&fake, &form).send()), tokio::spawn(token_request(&fake, &form).send())];
    gate.arrived(2).await;
    gate.open();
    let mut won = 0;
    for one in both {
        won += u32::from(answer(one.await.unwrap().unwrap()).await.1.get("access_token").is_some());
    }
    assert_eq!((won, fake.tally().refreshes, fake.tally().spent_refresh_tokens), (1, 1, 1));
}

#[tokio::test]
async fn bodies_come_broken_and_as_html() {
    for dialect in Dialect::ALL {
        let fake = builder(dialect, &clock()).open_refresh_token("open").start().await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", "open")];
        fake.fault(Fault::on("token.*").html());
        let page = token_request(&fake, &form).send().await.unwrap();
        assert_eq!((page.status().as_u16(), fake.tally().refreshes), (200, 0));
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        fake.fault(Fault::on("token.*").truncate(20));
        let cut = token_request(&fake, &form).send().await.unwrap();
        assert_eq!((cut.status().as_u16(), fake.tally().refreshes), (200, 1));
        assert!(cut.bytes().await.is_err(), "{dialect:?}");
    }
}

#[tokio::test]
async fn an_outage_lasts_as_long_as_the_test_says_and_tells_when_to_come_back() {
    for dialect in Dialect::ALL {
        let fake = builder(dialect, &clock()).open_refresh_token("open").start().await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", "open")];
        let call = async || token_request(&fake, &form).send().await.unwrap();
        fake.fault(Fault::on("token.*").times(2).status(503).header("retry-after", "7"));
        for _ in 0..2 {
            let down = call().await;
            assert_eq!((down.status().as_u16(), down.headers()["retry-after"].to_str().unwrap()), (503, "7"));
            assert!(answer(down).await.1.is_object());
        }
        let outage = fake.fault(Fault::on("token.*").always().status(500));
        fake.fault(Fault::on("token.refresh").status(429));
        for _ in 0..3 {
            assert_eq!(call().await.status(), 500, "{dialect:?}");
        }
        outage.take_back();
        assert_eq!(call().await.status(), 429, "{dialect:?}");
        fake.fault(fake.token_failure("invalid_client").always());
        assert!(answer(call().await).await.1.get("access_token").is_none());
        fake.clear_faults();
        assert!(answer(call().await).await.1.get("access_token").is_some());
        assert_eq!((fake.count("token.refresh"), fake.tally().refreshes), (8, 1));
        fake.reset_counters();
        assert_eq!((fake.count("token.refresh"), fake.tally().refreshes), (0, 1));
    }
}
