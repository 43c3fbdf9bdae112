//! What does issue number `n` of a generated repository look like, and what belongs to it?
//!
//! All of it is a pure function of the seed, the repository, the fake's start and the number.

mod blocks;
mod words;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub(super) use self::blocks::dawn;
pub(super) use self::words::{BOT, PEOPLE, PROJECTS};

use self::blocks::{Blocks, MOST};
use self::words::{BODIES, CHECKS, COMMENTS, FILES, TITLES};
use super::check::{CheckRun, Checks, Status};
use super::ids::sha;
use super::issue::{Closed, Issue, Reason};
use super::layer::{By, Key, Order};
use super::pull::{Branch, Merged, Pull};
use super::repository::BRANCH;
use super::talk::{Comment, Review, ReviewComment, Verdict};
use super::user::UserKey;
use crate::random::{Draw, mix, unmix};

/// Places of an issue for what belongs to it; a power of two above [`MOST`].
const PLACES: u64 = 8;

/// What a generated repository is made from.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    /// The least id of anything in it.
    pub(super) first_id: u64,
    /// Who writes; at least one.
    pub(super) cast: Arc<[UserKey]>,
    /// The ids of its labels.
    pub(super) labels: Vec<u64>,
    /// How many milestones it has, numbered from one.
    pub(super) milestones: u64,
}

/// Writes the issues of one repository.
#[derive(Debug)]
pub(super) struct Generator {
    key: u64,
    blocks: Blocks,
    scene: Scene,
}

/// What decides over an issue's place in listings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) pull: bool,
    pub(super) open: bool,
    pub(super) milestone: Option<u64>,
    pub(super) updated: i64,
    pub(super) comments: u64,
}

impl Generator {
    pub(super) fn new(seed: u64, count: u64, start: DateTime<Utc>, scene: Scene) -> Self {
        let key = mix(seed ^ scene.first_id);
        Self { key, blocks: Blocks::new(key, count, start), scene }
    }

    /// How many issues are made up, numbered from one.
    pub(super) const fn count(&self) -> u64 {
        self.blocks.count()
    }

    fn draw(&self, number: u64, part: u64) -> Draw {
        Draw::new(mix(self.key.wrapping_add(number)) ^ mix(part))
    }

    fn author(&self, draw: &mut Draw) -> UserKey {
        *draw.pick(&self.scene.cast)
    }

    fn index(&self, number: u64) -> Option<u64> {
        number.checked_sub(1).filter(|&index| index < self.count())
    }

    pub(super) fn facts(&self, number: u64) -> Option<Facts> {
        let index = self.index(number)?;
        let mut draw = self.draw(number, 0);
        let pull = draw.percent(30);
        let open = !draw.percent(60);
        let dated = draw.percent(30) && self.scene.milestones > 0;
        let milestone = u64::from(draw.below(u32::try_from(self.scene.milestones).unwrap_or(1))) + 1;
        let comments = u64::from(draw.below(8)).saturating_sub(2);
        Some(Facts {
            pull,
            open,
            milestone: dated.then_some(milestone),
            updated: self.blocks.updated(index),
            comments,
        })
    }

    pub(super) fn issue(&self, number: u64) -> Option<Issue> {
        let (index, facts) = (self.index(number)?, self.facts(number)?);
        let mut draw = self.draw(number, 1);
        let author = self.author(&mut draw);
        let title = *draw.pick(TITLES);
        let body = Some(*draw.pick(BODIES)).filter(|body| !body.is_empty());
        let mut labels: Vec<u64> = Vec::new();
        for _ in 0..draw.below(4) {
            let label = self.scene.labels.get(draw.below(9) as usize).copied();
            labels.extend(label.filter(|label| !labels.contains(label)));
        }
        let mut assignees: Vec<UserKey> = Vec::new();
        for _ in 0..draw.below(3) {
            let assignee = self.author(&mut draw);
            if !assignees.contains(&assignee) {
                assignees.push(assignee);
            }
        }
        let reason = match draw.below(6) {
            _ if facts.pull => None,
            0 => Some(Reason::NotPlanned),
            1 => Some(Reason::Duplicate),
            _ => Some(Reason::Completed),
        };
        let at = self.blocks.closed(index);
        let closed = (!facts.open).then(|| Closed { at, by: Some(self.author(&mut draw)), reason });
        let locked = draw.percent(2);
        Some(Issue {
            number,
            id: self.scene.first_id + number,
            title: format!("{title} ({number})"),
            body: body.map(str::to_owned),
            author: Some(author),
            closed,
            reopened: facts.open && !facts.pull && draw.percent(5),
            labels,
            assignees,
            milestone: facts.milestone,
            locked,
            lock_reason: locked.then(|| "resolved".to_owned()),
            created: self.blocks.created(index),
            updated: facts.updated,
            reactions: [draw.below(4), 0, 0, 0, 0, draw.below(2), 0, 0],
            app: None,
            pull: facts.pull.then(|| Box::new(self.pull(number, index, closed.is_some()))),
            patch: None,
        })
    }

    /// The commit at the head of a pull request; it tells the number.
    fn head(&self, number: u64) -> String {
        let scattered = mix(number ^ self.key);
        format!("{scattered:016x}{:.24}", sha(scattered))
    }

    fn pull(&self, number: u64, index: u64, closed: bool) -> Pull {
        let mut draw = self.draw(number, 2);
        let merged = closed && draw.percent(80);
        let by = Some(self.author(&mut draw));
        let reviewers = if closed || draw.percent(50) { Vec::new() } else { vec![self.author(&mut draw)] };
        Pull {
            id: self.scene.first_id / 2 + number,
            head: Branch { name: format!("topic-{number}"), sha: self.head(number) },
            base: Branch { name: BRANCH.to_owned(), sha: sha(self.key) },
            draft: !closed && draw.percent(20),
            merged: merged.then(|| Merged { at: self.blocks.closed(index), by }),
            merge_sha: merged.then(|| sha(self.key ^ mix(number) ^ 1)),
            reviewers,
            commits: 1 + draw.below(5),
            additions: draw.below(400),
            deletions: draw.below(200),
            changed_files: 1 + draw.below(12),
        }
    }

    /// The id of what stands at a place of an issue.
    const fn id(&self, number: u64, place: u64) -> u64 {
        self.scene.first_id + number * PLACES + place
    }

    /// The issue and the place of an id, if it is one of what may be made up.
    fn place(&self, id: u64) -> Option<(u64, u64)> {
        let offset = id.checked_sub(self.scene.first_id)?;
        let (number, place) = (offset / PLACES, offset % PLACES);
        self.index(number).filter(|_| place < MOST).map(|_| (number, place))
    }

    fn count_of(&self, number: u64, what: What) -> u64 {
        let Some(facts) = self.facts(number) else { return 0 };
        let mut draw = self.draw(number, 3);
        match what {
            What::Comments => facts.comments,
            What::Reviews if facts.pull => u64::from(draw.below(4)),
            What::ReviewComments if facts.pull && draw.below(4) > 0 => u64::from(draw.below(4)),
            _ => 0,
        }
    }

    /// The ids of what belongs to an issue, in their order.
    pub(super) fn of(&self, number: u64, what: What) -> impl Iterator<Item = u64> + use<> {
        let first = self.id(number, 0);
        first..first + self.count_of(number, what)
    }

    fn made(&self, id: u64, what: What) -> Option<(u64, u64)> {
        self.place(id).filter(|&(number, place)| place < self.count_of(number, what))
    }

    /// When a comment was made and last edited.
    fn times(&self, number: u64, place: u64, what: What) -> (i64, i64) {
        let index = number - 1;
        let said = self.blocks.said(index, place);
        let edited = self.draw(number, 16 + place + PLACES * what as u64).percent(10);
        (said, if edited { self.blocks.edited(index, place) } else { said })
    }

    pub(super) fn comment(&self, id: u64) -> Option<Comment> {
        let (number, place) = self.made(id, What::Comments)?;
        let mut draw = self.draw(number, 100 + place);
        let (created, updated) = self.times(number, place, What::Comments);
        Some(Comment {
            id,
            issue: number,
            author: Some(self.author(&mut draw)),
            body: (*draw.pick(COMMENTS)).to_owned(),
            created,
            updated,
            reactions: [draw.below(3), 0, 0, 0, 0, 0, 0, draw.below(2)],
            app: None,
            patch: None,
        })
    }

    pub(super) fn review(&self, id: u64) -> Option<Review> {
        let (number, place) = self.made(id, What::Reviews)?;
        let mut draw = self.draw(number, 200 + place);
        let verdict = *draw.pick(&[Verdict::Approved, Verdict::Commented, Verdict::ChangesRequested]);
        Some(Review {
            id,
            pull: number,
            author: Some(self.author(&mut draw)),
            body: if verdict == Verdict::Approved {
                String::new()
            } else {
                (*draw.pick(COMMENTS)).to_owned()
            },
            verdict,
            submitted: self.blocks.said(number - 1, place),
            sha: self.head(number),
            patch: None,
        })
    }

    pub(super) fn review_comment(&self, id: u64) -> Option<ReviewComment> {
        let (number, place) = self.made(id, What::ReviewComments)?;
        let mut draw = self.draw(number, 300 + place);
        let (created, updated) = self.times(number, place, What::ReviewComments);
        Some(ReviewComment {
            id,
            pull: number,
            review: Some(self.id(number, 0)),
            in_reply_to: (place > 0 && draw.percent(40)).then(|| self.id(number, 0)),
            author: Some(self.author(&mut draw)),
            body: (*draw.pick(COMMENTS)).to_owned(),
            path: (*draw.pick(FILES)).to_owned(),
            line: 1 + draw.below(300),
            sha: self.head(number),
            created,
            updated,
            reactions: [0; 8],
            patch: None,
        })
    }

    /// What machines say about the head of a pull request.
    pub(super) fn checks(&self, number: u64) -> Option<Checks> {
        let index = self.index(number)?;
        self.facts(number).filter(|facts| facts.pull)?;
        let mut draw = self.draw(number, 4);
        let (started, completed) = (self.blocks.created(index), self.blocks.said(index, 0));
        let runs = CHECKS.iter().take(draw.below(5) as usize).zip(0..);
        let runs = runs.map(|(name, place)| {
            let conclusion = match draw.below(10) {
                0 => Some("failure"),
                1 => None,
                2 => Some("skipped"),
                _ => Some("success"),
            };
            CheckRun {
                id: self.id(number, place),
                name: (*name).to_owned(),
                status: if conclusion.is_some() { "completed" } else { "in_progress" }.to_owned(),
                conclusion: conclusion.map(str::to_owned),
                started,
                completed: conclusion.map(|_| completed),
            }
        });
        let runs: Vec<_> = runs.collect();
        let status = draw.percent(30).then(|| Status {
            id: self.id(number, 0),
            context: "ci/legacy".to_owned(),
            state: (*draw.pick(&["success", "failure", "pending"])).to_owned(),
            description: None,
            created: completed,
        });
        Some(Checks { runs, statuses: status.into_iter().collect() })
    }

    /// The pull request whose head is this commit.
    pub(super) fn pull_at(&self, sha: &str) -> Option<u64> {
        let scattered = u64::from_str_radix(sha.get(..16)?, 16).ok()?;
        let number = unmix(scattered) ^ self.key;
        self.facts(number).filter(|facts| facts.pull && self.head(number) == sha).map(|_| number)
    }

    /// The issues in an order by time.
    pub(super) fn issues(&self, order: Order, from: Option<Key>) -> Box<dyn Iterator<Item = Key> + '_> {
        self.blocks.ordered(order, from, |block, by| {
            let at = |index| {
                if by == By::Updated { self.blocks.updated(index) } else { self.blocks.created(index) }
            };
            self.blocks.of_block(block).map(|index| Key { at: at(index), id: index + 1 }).collect()
        })
    }

    /// What belongs to issues, in an order by time.
    pub(super) fn all_of(
        &self,
        what: What,
        order: Order,
        from: Option<Key>,
    ) -> Box<dyn Iterator<Item = Key> + '_> {
        self.blocks.ordered(order, from, move |block, by| {
            let keys = self.blocks.of_block(block).flat_map(|index| {
                let number = index + 1;
                (0..self.count_of(number, what)).map(move |place| {
                    let (created, updated) = self.times(number, place, what);
                    Key { at: if by == By::Updated { updated } else { created }, id: self.id(number, place) }
                })
            });
            keys.collect()
        })
    }
}

/// What belongs to issues and pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Comments,
    Reviews,
    ReviewComments,
}
