//! What happens around Ada in the first days of March 2026?
//!
//! A small world for the examples: fakes of Google, Slack, Microsoft, GitHub and Zoom that tell of the same people
//! and the same week. It begins on Monday, 2 March 2026, at half past eight in Berlin, where Ada lives, and goes on
//! chapter by chapter. Whoever starts it again finds it word for word as it was.

mod calendars;
mod chapters;
mod chat;
mod clock;
mod code;
mod mail;
mod meetings;
mod todo;
mod university;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::Result;
use integrations_core::clock::Clock;
use integrations_github::GitHubConfig;
use integrations_google::GoogleConfig;
use integrations_msgraph::GraphConfig;
use integrations_slack::SlackConfig;
use integrations_testkit::github::FakeGitHub;
use integrations_testkit::google::{FakeGoogle, FakeGoogleBuilder};
use integrations_testkit::msgraph::FakeGraph;
use integrations_testkit::oauth::{AccountSpec, Pkce};
use integrations_testkit::slack::{FakeSlack, FakeSlackBuilder, UserSpec};
use integrations_testkit::zoom::FakeZoom;
use integrations_zoom::ZoomConfig;

pub use self::chapters::Deed;
use self::chapters::Threads;
use self::clock::StoryClock;

/// Whose accounts they are.
pub const ADA: &str = "ada@example.com";
/// The same Ada, at Microsoft.
pub const ADA_AT_UNIVERSITY: &str = "ada@goettingen.example";

/// Somebody at Ada's company, with an account at Slack and an address.
#[derive(Debug, Clone, Copy)]
struct Colleague {
    id: &'static str,
    login: &'static str,
    name: &'static str,
    title: &'static str,
    zone: &'static str,
}

const ADA_AT_SLACK: &str = "U0ADA";
const GRACE: Colleague = Colleague {
    id: "U0GRACE",
    login: "grace",
    name: "Grace Hopper",
    title: "Head of engineering",
    zone: "America/New_York",
};
const KATHERINE: Colleague = Colleague {
    id: "U0KATHERINE",
    login: "katherine",
    name: "Katherine Johnson",
    title: "Numbers",
    zone: "America/New_York",
};
const CHARLES: Colleague = Colleague {
    id: "U0CHARLES",
    login: "charles",
    name: "Charles Babbage",
    title: "Hardware",
    zone: "Europe/Berlin",
};
const HARUKA: Colleague = Colleague {
    id: "U0HARUKA",
    login: "haruka",
    name: "Haruka Sato",
    title: "Tokyo office",
    zone: "Asia/Tokyo",
};

impl Colleague {
    /// As a mail names them.
    fn mailbox(self) -> String {
        format!("{} <{}@example.com>", self.name, self.login)
    }

    fn user(self) -> UserSpec {
        let user = UserSpec::new(self.login).id(self.id).real_name(self.name);
        user.title(self.title).time_zone(self.zone)
    }
}

/// The midnight before the story begins, in Berlin: 2 March 2026.
const MONDAY: i64 = 1_772_406_000;

/// A time in Berlin, so many days after that Monday.
fn at(day: i64, hour: i64, minute: i64) -> DateTime<Utc> {
    let minutes = (day * 24 + hour) * 60 + minute;
    DateTime::UNIX_EPOCH + TimeDelta::seconds(MONDAY) + TimeDelta::minutes(minutes)
}

/// How a fake answers a user who is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// It agrees for them.
    AtOnce,
    /// It asks on a page.
    Page,
}

/// Where those fakes listen whose answers hold addresses of their own; 0, the default, means any port that is free.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// Of Microsoft.
    pub microsoft: u16,
    /// Of GitHub.
    pub github: u16,
}

/// The world, as far as it has been told.
#[derive(Debug)]
pub struct Story {
    /// Ada's calendars, her mailbox and her task lists.
    pub google: FakeGoogle,
    /// The workspace of Ada's company. Its app uses PKCE: Slack lets no other send users back to a program.
    pub slack: FakeSlack,
    /// Ada's calendars and her mailbox at the university.
    pub microsoft: FakeGraph,
    /// The repositories of Ada's company, and one of her own. The app is an OAuth app: its tokens do not expire.
    pub github: FakeGitHub,
    /// Ada's meetings.
    pub zoom: FakeZoom,
    clock: StoryClock,
    threads: Mutex<Threads>,
}

impl Story {
    /// Everything up to Monday morning.
    pub async fn begin(consent: Consent) -> Self {
        Self::begin_at(consent, Ports::default()).await
    }

    /// The same, on these ports.
    pub async fn begin_at(consent: Consent, ports: Ports) -> Self {
        Self::set_up(consent, ports, "Ada Lovelace").await
    }

    /// The same, with another name for Ada at Microsoft.
    pub async fn begin_as(consent: Consent, name: &str) -> Self {
        Self::set_up(consent, Ports::default(), name).await
    }

    async fn set_up(consent: Consent, ports: Ports, name: &str) -> Self {
        let clock = StoryClock::standing_at(at(-10, 9, 0));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let google = calendars::specs().into_iter().fold(FakeGoogle::builder(), FakeGoogleBuilder::calendar);
        let google = todo::lists().into_iter().fold(google, FakeGoogleBuilder::task_list);
        let google = google.clock(Arc::clone(&shared)).user(ADA).interactive(consent == Consent::Page);
        let grace = AccountSpec::new("grace@example.com").name(GRACE.name).id(GRACE.id);
        let slack =
            FakeSlack::builder().clock(Arc::clone(&shared)).user(ADA).user_id(ADA_AT_SLACK).account(grace);
        let others = [KATHERINE, CHARLES, HARUKA].map(Colleague::user);
        let slack = others.into_iter().fold(slack, FakeSlackBuilder::add_user);
        let slack = slack.add_user(UserSpec::new("deploys").id(chat::DEPLOYS).real_name("Deploys").bot());
        let slack = chat::channels().into_iter().fold(slack, FakeSlackBuilder::channel);
        let slack = slack.pkce(Pkce::Required).interactive(consent == Consent::Page);
        let asks = consent == Consent::Page;
        let microsoft = university::fake()
            .user_name(name)
            .port(ports.microsoft)
            .clock(Arc::clone(&shared))
            .interactive(asks);
        let grace = AccountSpec::new("grace@example.com").name(GRACE.name);
        let github =
            code::fake().port(ports.github).clock(Arc::clone(&shared)).account(grace).interactive(asks);
        let zoom = meetings::fake().clock(shared).interactive(asks);
        let (google, slack) = (google.start().await, slack.start().await);
        let (microsoft, github, zoom) = (microsoft.start().await, github.start().await, zoom.start().await);

        calendars::fill(&google);
        let mut threads = Threads::default();
        code::fill(&github, &clock, &mut threads);
        let seminar = meetings::fill(&zoom, &google, &clock, &mut threads);
        university::fill_calendars(&microsoft, &google, &seminar, &mut threads);
        university::fill_mailbox(&microsoft, &google, &clock, &mut threads);
        mail::fill(&google, &mut threads);
        todo::fill(&google, &clock, &mut threads);
        chat::fill(&slack, &clock, &mut threads);
        clock.stand_at(at(0, 8, 30));
        clock.go_on();
        Self { google, slack, microsoft, github, zoom, clock, threads: Mutex::new(threads) }
    }

    /// The clock that the fakes live by, and whoever speaks with them.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    /// The application that Ada uses, at this Google.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration), if the family is wrong.
    pub fn google_config(&self) -> Result<GoogleConfig> {
        let google = &self.google;
        let builder = GoogleConfig::builder().client(google.client_id(), google.client_secret());
        builder.base_url(google.url()).build()
    }

    /// The same, at this Slack.
    ///
    /// # Errors
    /// As [`google_config`](Self::google_config).
    pub fn slack_config(&self) -> Result<SlackConfig> {
        let slack = &self.slack;
        let builder = SlackConfig::builder().client(slack.client_id(), slack.client_secret());
        builder.base_url(slack.url()).pkce().build()
    }

    /// The same, at this Microsoft.
    ///
    /// # Errors
    /// As [`google_config`](Self::google_config).
    pub fn graph_config(&self) -> Result<GraphConfig> {
        let fake = &self.microsoft;
        let secret = fake.client_secret().unwrap_or_default();
        GraphConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build()
    }

    /// The same, at this GitHub.
    ///
    /// # Errors
    /// As [`google_config`](Self::google_config).
    pub fn github_config(&self) -> Result<GitHubConfig> {
        let fake = &self.github;
        GitHubConfig::builder().client(fake.client_id(), fake.client_secret()).base_url(fake.url()).build()
    }

    /// The same, at this Zoom.
    ///
    /// # Errors
    /// As [`google_config`](Self::google_config).
    pub fn zoom_config(&self) -> Result<ZoomConfig> {
        let fake = &self.zoom;
        ZoomConfig::builder().client(fake.client_id(), fake.client_secret()).base_url(fake.url()).build()
    }

    /// Lets the next chapter happen, and says what happened: one thing of each sort at each service.
    pub fn go_on(&self) -> Vec<Deed> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        chapters::tell(self, &mut threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_told_again_word_for_word() {
        let (one, other) = (Story::begin(Consent::AtOnce).await, Story::begin(Consent::AtOnce).await);
        // Into the third week, which begins on a Monday.
        for _ in 0..31 {
            let deeds = one.go_on();
            assert_eq!(deeds.len(), 21);
            assert_eq!(deeds, other.go_on());
        }
        assert_eq!(one.clock().now().date_naive(), at(14, 12, 0).date_naive());
        for channel in one.slack.channel_ids() {
            assert_eq!(one.slack.history(&channel), other.slack.history(&channel));
        }
        assert_eq!(one.google.message_ids(), other.google.message_ids());
        assert_eq!(one.google.history_id(), other.google.history_id());
        assert_eq!(one.google.task_ids(todo::REVIEW), other.google.task_ids(todo::REVIEW));
        assert_eq!(one.google.event_ids(ADA), other.google.event_ids(ADA));
        let letters = |story: &Story| story.microsoft.message_ids(university::INBOX);
        assert_eq!(letters(&one), letters(&other));
        let issues = |story: &Story| (story.github.issue_numbers(code::STORE), story.github.notifications());
        assert_eq!(issues(&one), issues(&other));
        assert_eq!(one.zoom.meeting_ids(), other.zoom.meeting_ids());
    }
}
