//! Do streams stay up to date by themselves, over restarts, failures and idle times?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::Clock;
use integrations_core::memory::MemoryStore;
use integrations_core::queue::{JobQuery, JobQueue, JobRecord, JobState, WorkerPool};
use integrations_core::schedule::{Cadence, Scheduler, SchedulerBuilder};
use integrations_core::{Connection, Gateway};
use integrations_testkit::Fault;
use integrations_testkit::google::CalendarSpec;
use tokio::task::JoinHandle;

use crate::host::{CALENDAR, Host, calendar};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

struct Process {
    scheduler: Scheduler,
    pool: JoinHandle<()>,
}

/// A host that lets workers do what the schedule says.
struct Scheduled {
    host: Host,
    queue: MemoryStore,
    connection: Connection,
}

impl Scheduled {
    async fn new(calendars: usize) -> Self {
        let fake = |fake: integrations_testkit::google::FakeGoogleBuilder| {
            (1..calendars).fold(fake.calendar(calendar()), |fake, number| {
                fake.calendar(CalendarSpec::new(&format!("calendar-{number}@example.com")))
            })
        };
        let host = Host::with(fake, |gateway| gateway).await;
        let connection = host.connect().await;
        let queue = host.store.clone();
        Self { host, queue, connection }
    }

    fn process(&self, set: impl FnOnce(SchedulerBuilder) -> SchedulerBuilder) -> Process {
        start(&self.host.gateway, &self.queue, &self.host, set)
    }

    /// Waits until nothing is due any more.
    async fn settle(&self) {
        for _ in 0..1_000_000 {
            let now = self.host.clock.now();
            // In one look: between two, a job may go from one state to another.
            let jobs = self.queue.find(&JobQuery::default().page(None, 1_000_000)).await.unwrap();
            let is_at_rest = |job: &JobRecord| {
                job.state.is_finished()
                    || (job.state == JobState::Waiting && job.due_at.is_some_and(|due| due > now))
            };
            if jobs.iter().all(is_at_rest) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the jobs do not come to their end");
    }

    /// Lets time pass.
    async fn pass(&self, time: Duration) {
        self.settle().await;
        let steps = (time.as_secs() / 30).max(1);
        for _ in 0..steps {
            self.host.clock.advance(time / u32::try_from(steps).unwrap());
            self.settle().await;
        }
    }

    fn reads(&self) -> u64 {
        self.host.fake.count("events.list")
    }

    fn event(&self, title: &str) -> String {
        self.host.fake.insert_event(
            CALENDAR,
            serde_json::json!({
                "summary": title,
                "start": { "dateTime": "2026-03-03T09:00:00Z" },
                "end": { "dateTime": "2026-03-03T10:00:00Z" },
            }),
        )
    }

    fn holds(&self, event: &str) -> bool {
        self.host.records(&self.connection).iter().any(|record| record.id() == event)
    }
}

fn start(
    gateway: &Gateway,
    queue: &MemoryStore,
    host: &Host,
    set: impl FnOnce(SchedulerBuilder) -> SchedulerBuilder,
) -> Process {
    let queue: Arc<dyn JobQueue> = Arc::new(queue.clone());
    let scheduler = set(Scheduler::builder(gateway.clone(), Arc::clone(&queue))).build();
    let pool = WorkerPool::builder(queue)
        .clock(Arc::new(host.clock.clone()))
        .handlers(scheduler.handlers())
        .seed(11)
        .build()
        .unwrap();
    let pool = tokio::spawn(async move {
        pool.run(std::future::pending()).await;
    });
    Process { scheduler, pool }
}

#[tokio::test]
async fn what_changes_at_the_provider_is_in_the_sink_within_the_interval() {
    let scheduled = Scheduled::new(1).await;
    let before = scheduled.event("before");
    let process = scheduled.process(|set| set);
    process.scheduler.begin().await.unwrap();
    process.scheduler.start(&scheduled.connection.id).await.unwrap();
    scheduled.settle().await;
    assert!(scheduled.holds(&before), "a new connection is read at once");
    let after = scheduled.event("after");
    scheduled.pass(Duration::from_secs(331)).await;
    assert!(scheduled.holds(&after));
    scheduled.host.assert_same(&scheduled.connection);
}

#[tokio::test]
async fn an_idle_stream_is_read_less_often_until_it_changes() {
    let scheduled = Scheduled::new(1).await;
    let process = scheduled.process(|set| set);
    process.scheduler.start(&scheduled.connection.id).await.unwrap();
    scheduled.pass(12 * HOUR).await;
    let in_the_first = scheduled.reads();
    scheduled.pass(12 * HOUR).await;
    let in_the_second = scheduled.reads() - in_the_first;
    assert!((30..70).contains(&in_the_first), "{in_the_first} reads of an idle stream in 12 h");
    assert!((10..16).contains(&in_the_second), "{in_the_second} reads in the next 12 h");
    let event = scheduled.event("at last");
    scheduled.pass(67 * MINUTE).await;
    assert!(scheduled.holds(&event));
    let reads = scheduled.reads();
    scheduled.pass(HOUR).await;
    assert!(
        scheduled.reads() - reads >= 8,
        "it is read as often as before: {} times",
        scheduled.reads() - reads
    );
}

#[tokio::test]
async fn a_failing_stream_is_read_less_often_until_it_works_again() {
    let scheduled = Scheduled::new(1).await;
    let process = scheduled.process(|set| set);
    process.scheduler.start(&scheduled.connection.id).await.unwrap();
    scheduled.settle().await;
    scheduled.host.fake.fault(Fault::on("events.list").status(500).always());
    scheduled.host.fake.reset_counters();
    scheduled.pass(3 * HOUR).await;
    // After 5, 10, 20, 40 and 60 minutes, four tries each.
    let calls = scheduled.reads();
    assert!((8..=28).contains(&calls), "{calls} calls in 3 h");
    let dead = scheduled.queue.find(&JobQuery::in_state(JobState::Dead)).await.unwrap();
    assert!((3..=7).contains(&dead.len()), "{} dead letters", dead.len());
    assert_eq!(dead[0].failure.as_ref().unwrap().kind, "service_unavailable");
    scheduled.host.fake.clear_faults();
    let event = scheduled.event("it works again");
    scheduled.pass(70 * MINUTE).await;
    assert!(scheduled.holds(&event));
    scheduled.host.fake.reset_counters();
    scheduled.pass(HOUR).await;
    assert!(scheduled.reads() >= 4, "{} reads an hour", scheduled.reads());
}

#[tokio::test]
async fn over_many_processes_a_stream_is_read_once_a_time() {
    let scheduled = Scheduled::new(3).await;
    let processes: Vec<_> = (0..4).map(|_| scheduled.process(|set| set)).collect();
    for process in &processes {
        process.scheduler.begin().await.unwrap();
        process.scheduler.start(&scheduled.connection.id).await.unwrap();
    }
    scheduled.settle().await;
    let firsts = scheduled.reads();
    // Those that came while the first look was under way have led to another.
    assert!((3..=6).contains(&firsts), "{firsts} first reads of three streams");
    scheduled.pass(5 * MINUTE + Duration::from_secs(40)).await;
    assert_eq!(scheduled.reads() - firsts, 3, "one read of each stream");
}

#[tokio::test]
async fn the_schedule_survives_the_end_of_every_process() {
    let scheduled = Scheduled::new(2).await;
    let process = scheduled.process(|set| set);
    process.scheduler.begin().await.unwrap();
    process.scheduler.start(&scheduled.connection.id).await.unwrap();
    scheduled.settle().await;
    process.pool.abort();
    let _ = process.pool.await;
    let reads = scheduled.reads();
    let event = scheduled.event("meanwhile");
    scheduled.host.clock.advance(6 * HOUR);
    // Nobody names the connection to the new process.
    let process = scheduled.process(|set| set);
    scheduled.settle().await;
    assert!(scheduled.holds(&event));
    assert_eq!(scheduled.reads() - reads, 2, "what was missed is read once, not seventy times");
    scheduled.pass(5 * MINUTE + Duration::from_secs(40)).await;
    assert!(scheduled.reads() - reads >= 3);
    drop(process);
}

#[tokio::test]
async fn a_queue_that_has_lost_everything_is_filled_again() {
    let mut scheduled = Scheduled::new(2).await;
    let process = scheduled.process(|set| set);
    process.scheduler.start(&scheduled.connection.id).await.unwrap();
    scheduled.settle().await;
    process.pool.abort();
    let _ = process.pool.await;
    scheduled.queue = MemoryStore::with_clock(Arc::new(scheduled.host.clock.clone()));
    let process = scheduled.process(|set| set);
    process.scheduler.begin().await.unwrap();
    let event = scheduled.event("after the loss");
    scheduled.pass(2 * HOUR + 10 * MINUTE).await;
    assert!(scheduled.holds(&event));
}

#[tokio::test]
async fn a_new_calendar_is_found_and_one_that_is_gone_is_left_alone() {
    let scheduled = Scheduled::new(2).await;
    let process = scheduled.process(|set| set);
    process.scheduler.begin().await.unwrap();
    scheduled.pass(HOUR + MINUTE).await;
    scheduled.host.fake.add_calendar(CalendarSpec::new("new@example.com"));
    scheduled.host.fake.remove_calendar("calendar-1@example.com");
    scheduled.pass(2 * HOUR + MINUTE).await;
    scheduled.host.fake.reset_counters();
    scheduled.pass(2 * HOUR).await;
    let requests = scheduled.host.fake.requests();
    let of = |calendar: &str| requests.iter().filter(|request| request.path.contains(calendar)).count();
    assert!(of("new") >= 4, "{} calls of the new calendar", of("new"));
    assert_eq!(of("calendar-1"), 0);
    assert!(scheduled.queue.find(&JobQuery::in_state(JobState::Dead)).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_paused_or_taken_down_is_left_alone_until_it_is_started_again() {
    let scheduled = Scheduled::new(1).await;
    let (gateway, id) = (&scheduled.host.gateway, &scheduled.connection.id);
    let process = scheduled.process(|set| set);
    process.scheduler.start(id).await.unwrap();
    scheduled.settle().await;
    gateway.pause(id).await.unwrap();
    let reads = scheduled.reads();
    scheduled.pass(HOUR).await;
    assert_eq!(scheduled.reads(), reads);
    gateway.resume(id).await.unwrap();
    process.scheduler.start(id).await.unwrap();
    scheduled.pass(70 * MINUTE).await;
    assert!(scheduled.reads() > reads + 3);
    gateway.disconnect(id).await.unwrap();
    let reads = scheduled.reads();
    scheduled.pass(2 * HOUR).await;
    assert_eq!(scheduled.reads(), reads);
    assert!(scheduled.queue.find(&JobQuery::in_state(JobState::Dead)).await.unwrap().is_empty());
    let waiting = scheduled.queue.find(&JobQuery::in_state(JobState::Waiting)).await.unwrap();
    assert!(waiting.iter().all(|job| job.job.kind != "incremental_sync"), "no job of it is left");
}

#[tokio::test]
async fn a_host_says_what_is_read_and_how_often() {
    let scheduled = Scheduled::new(3).await;
    let process = scheduled.process(|set| {
        set.cadence_by(|_, stream| match stream.as_str() {
            CALENDAR => Some(Cadence::every(5 * MINUTE).at_least_every(5 * MINUTE)),
            "calendar-1@example.com" => Some(Cadence::cron("0 * * * *", chrono_tz::UTC).unwrap()),
            _ => None,
        })
    });
    process.scheduler.start(&scheduled.connection.id).await.unwrap();
    // Past the minute over which the reads of an hour spread out.
    scheduled.pass(2 * MINUTE).await;
    scheduled.host.fake.reset_counters();
    scheduled.pass(4 * HOUR).await;
    let requests = scheduled.host.fake.requests();
    let of = |calendar: &str| {
        requests
            .iter()
            .filter(|request| request.path.contains(calendar) && request.path.contains("events"))
            .count()
    };
    assert!((40..=54).contains(&of("ada")), "{} reads, one in five minutes", of("ada"));
    assert_eq!(of("calendar-1"), 4, "one an hour");
    assert_eq!(of("calendar-2"), 0);
}

#[tokio::test]
async fn somebody_who_waits_is_served_at_once() {
    let scheduled = Scheduled::new(1).await;
    let process = scheduled.process(|set| set);
    process.scheduler.start(&scheduled.connection.id).await.unwrap();
    scheduled.settle().await;
    let event = scheduled.event("now");
    let stream = CALENDAR.into();
    process.scheduler.sync_now(&scheduled.connection.id, Some(&stream)).await.unwrap();
    scheduled.settle().await;
    assert!(scheduled.holds(&event), "no time has passed");
    let lists = scheduled.reads();
    process.scheduler.full_sync(&scheduled.connection.id, None).await.unwrap();
    process.scheduler.refresh_token(&scheduled.connection.id).await.unwrap();
    scheduled.settle().await;
    assert!(scheduled.reads() > lists, "everything is listed again");
    let stats = scheduled.queue.stats().await.unwrap();
    assert_eq!(stats.kinds[&"refresh_token".into()].done_ever, 1);
    assert_eq!(stats.kinds[&"full_sync".into()].done_ever, 2, "the connection, and its one stream");
}
