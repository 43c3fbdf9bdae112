//! What becomes of refresh tokens.

use std::time::Duration;

use integrations_testkit::oauth::{Dialect, Pkce};

use super::*;

const SPENDING: [Dialect; 3] = [Dialect::Slack, Dialect::GitHub, Dialect::Zoom];
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What a dialect says to a refresh token that is spent, expired or unknown.
fn says(dialect: Dialect) -> (u16, String) {
    let (status, error) = match dialect {
        Dialect::Slack => (200, "invalid_refresh_token"),
        Dialect::GitHub => (200, "bad_refresh_token"),
        Dialect::Zoom => (401, "invalid_grant"),
        _ => (400, "invalid_grant"),
    };
    (status, error.to_owned())
}

#[tokio::test]
async fn google_keeps_microsoft_overlaps_and_the_others_spend_their_refresh_tokens() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        let (_, first) = connect(&fake).await;
        let (_, body) = refresh(&fake, &first).await;
        let second = body.get("refresh_token").map(|_| text(&body, "refresh_token"));
        assert_eq!(second.is_none(), dialect == Dialect::Google);
        assert_ne!(second.as_ref(), Some(&first));
        let again = refresh(&fake, &first).await;
        if SPENDING.contains(&dialect) {
            assert_eq!(refused(again), says(dialect), "{dialect:?}");
        } else {
            assert!(again.1.get("access_token").is_some(), "{dialect:?}");
        }
        let presented = u64::from(dialect != Dialect::Google);
        assert_eq!(fake.tally().spent_refresh_tokens, presented, "{dialect:?}");
        // Without revocation of families the newest goes on.
        let newest = second.unwrap_or(first);
        assert!(refresh(&fake, &newest).await.1.get("access_token").is_some(), "{dialect:?}");
        assert_eq!(refused(refresh(&fake, "unknown").await).1, says(dialect).1);
    }
}

#[tokio::test]
async fn with_family_revocation_a_spent_refresh_token_ends_everything_that_came_of_it() {
    for dialect in SPENDING {
        let fake =
            builder(dialect, &clock()).with_family_revocation().account("a@x.example").account("b@x.example");
        let fake = fake.start().await;
        let (_, first) = connect(&fake).await;
        fake.switch_account("b@x.example");
        let (other, _) = connect(&fake).await;
        let (_, body) = refresh(&fake, &first).await;
        let (access, second) = (text(&body, "access_token"), text(&body, "refresh_token"));
        assert!(works(&fake, &access).await);
        assert_eq!(fake.live_grants(), 2);
        assert_eq!(refused(refresh(&fake, &first).await), says(dialect));
        assert!(!works(&fake, &access).await);
        assert_eq!(refused(refresh(&fake, &second).await).1, says(dialect).1);
        assert!(works(&fake, &other).await, "another family goes on");
        assert_eq!((fake.live_grants(), fake.tally().spent_refresh_tokens), (1, 1));
    }
}

#[tokio::test]
async fn refresh_tokens_die_of_age() {
    let lives = [
        (Dialect::Microsoft, Some(90 * DAY)),
        (Dialect::GitHub, Some(Duration::from_secs(15_897_600))),
        (Dialect::Zoom, Some(90 * DAY)),
        (Dialect::Google, Some(180 * DAY)),
        (Dialect::Slack, None),
    ];
    for (dialect, life) in lives {
        let clock = clock();
        let fake = builder(dialect, &clock).start().await;
        let (_, first) = connect(&fake).await;
        clock.advance(life.unwrap_or(4_000 * DAY) - Duration::from_secs(1));
        let (_, body) = refresh(&fake, &first).await;
        assert!(body.get("access_token").is_some(), "{dialect:?} {body}");
        let next = body.get("refresh_token").map_or(first, |_| text(&body, "refresh_token"));
        let Some(life) = life else { continue };
        // Use, or rotation, starts the time anew.
        clock.advance(life - Duration::from_secs(1));
        let (_, body) = refresh(&fake, &next).await;
        assert!(body.get("access_token").is_some(), "{dialect:?} {body}");
        let next = body.get("refresh_token").map_or(next, |_| text(&body, "refresh_token"));
        clock.advance(life);
        let (status, error) = refused(refresh(&fake, &next).await);
        assert_eq!((status, error), says(dialect), "{dialect:?}");
    }
}

#[tokio::test]
async fn a_lifetime_that_the_test_sets_counts_from_when_the_token_came() {
    let clock = clock();
    let fake = builder(Dialect::Google, &clock)
        .refresh_token_lifetime(7 * DAY)
        .access_token_lifetime(Duration::from_secs(60))
        .code_lifetime(Duration::from_secs(5))
        .start()
        .await;
    let late = code(&fake, &[]).await;
    clock.advance(Duration::from_secs(5));
    refused(redeem(&fake, &late).await);
    let (access, first) = connect(&fake).await;
    clock.advance(Duration::from_secs(60));
    assert!(!works(&fake, &access).await);
    clock.advance(7 * DAY - Duration::from_secs(61));
    assert_eq!(refresh(&fake, &first).await.0, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(refused(refresh(&fake, &first).await).0, 400);
}

#[tokio::test]
async fn a_slack_app_with_pkce_needs_no_secret_and_its_refresh_tokens_live_thirty_days() {
    let clock = clock();
    let fake = builder(Dialect::Slack, &clock).pkce(Pkce::Required).start().await;
    let challenge = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let loopback = ("redirect_uri", "http://127.0.0.1:8123/callback");
    let url = authorization_url(&fake, &[challenge[0], challenge[1], loopback]);
    let code = parameter(&fake.consent(&url).await.unwrap(), "code").unwrap();
    let form = [("code", code.as_str()), loopback, ("code_verifier", VERIFIER), ("client_id", "the-client")];
    let url = format!("{}/api/oauth.v2.access", fake.url());
    let (_, body) = answer(http().post(url).form(&form).send().await.unwrap()).await;
    let first = text(&body, "refresh_token");
    clock.advance(30 * DAY);
    assert_eq!(refused(refresh(&fake, &first).await), says(Dialect::Slack));
}

#[tokio::test]
async fn at_github_a_refresh_ends_the_old_access_token_and_at_slack_two_live_side_by_side() {
    for (dialect, side_by_side) in [(Dialect::GitHub, 1), (Dialect::Slack, 2), (Dialect::Zoom, 4)] {
        let fake = start(dialect).await;
        let (access, mut refresh_token) = connect(&fake).await;
        let mut all = vec![access];
        for _ in 0..3 {
            let (_, body) = refresh(&fake, &refresh_token).await;
            all.push(text(&body, "access_token"));
            refresh_token = text(&body, "refresh_token");
        }
        let live: Vec<bool> = all.iter().map(|token| fake.is_live(token)).collect();
        let expected: Vec<bool> = (0..4).map(|index| index + side_by_side >= 4).collect();
        assert_eq!(live, expected, "{dialect:?}");
    }
}

#[tokio::test]
async fn google_keeps_a_hundred_authorizations_of_an_account_and_drops_the_oldest() {
    let fake = start(Dialect::Google).await;
    let (_, first) = connect(&fake).await;
    for _ in 1..100 {
        connect(&fake).await;
    }
    assert_eq!(refresh(&fake, &first).await.0, 200);
    connect(&fake).await;
    assert_eq!(refused(refresh(&fake, &first).await), says(Dialect::Google));
    assert_eq!(fake.live_grants(), 100);
}

#[tokio::test]
async fn the_operator_can_age_tokens_at_once() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        let (access, first) = connect(&fake).await;
        fake.expire_access_tokens();
        assert!(!works(&fake, &access).await);
        let (_, body) = refresh(&fake, &first).await;
        let first = body.get("refresh_token").map_or(first, |_| text(&body, "refresh_token"));
        assert!(works(&fake, &text(&body, "access_token")).await);
        fake.expire_refresh_tokens();
        assert_eq!(refused(refresh(&fake, &first).await), says(dialect));
    }
}
