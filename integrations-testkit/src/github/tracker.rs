//! Which issues and pull requests has a repository, and what belongs to them?

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::check::Checks;
use super::generate::{Generator, What};
use super::issue::Issue;
use super::layer::{By, Kept, Key, Layer, Order, Served};
use super::talk::{Comment, Review, ReviewComment};

/// What became of an issue that is not here any more.
#[derive(Debug, Clone, Copy)]
pub(super) enum Departed {
    Deleted,
    /// It has this number in the repository with this id.
    Transferred(u64, u64),
}

/// How many are open and closed.
type Counts = (u64, u64);

/// What a listing has to know of an issue before it makes one up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gist {
    pub(super) open: bool,
    pub(super) pull: bool,
    pub(super) updated: i64,
}

/// The issues of one repository.
#[derive(Debug)]
pub(super) struct Tracker {
    generator: Generator,
    issues: Layer<Issue>,
    comments: Layer<Comment>,
    reviews: Layer<Review>,
    review_comments: Layer<ReviewComment>,
    departed: HashMap<u64, Departed>,
    /// Which text of the test stands among the pull requests, by the number that it took.
    raw_pulls: HashSet<u64>,
    last_number: u64,
    open: u64,
    /// By milestone.
    milestones: HashMap<u64, Counts>,
    /// How many comments more, or fewer, an issue has than were made up.
    comments_more: HashMap<u64, i64>,
}

impl Tracker {
    pub(super) fn new(generator: Generator) -> Self {
        let mut tracker = Self {
            issues: Layer::default(),
            comments: Layer::default(),
            reviews: Layer::default(),
            review_comments: Layer::default(),
            departed: HashMap::new(),
            raw_pulls: HashSet::new(),
            last_number: generator.count(),
            open: 0,
            milestones: HashMap::new(),
            comments_more: HashMap::new(),
            generator,
        };
        for number in 1..=tracker.generator.count() {
            if let Some(facts) = tracker.generator.facts(number) {
                tracker.count(facts.open, facts.milestone, true);
            }
        }
        tracker
    }

    fn count(&mut self, open: bool, milestone: Option<u64>, add: bool) {
        let step = |count: &mut u64| *count = if add { *count + 1 } else { count.saturating_sub(1) };
        if open {
            step(&mut self.open);
        }
        if let Some(milestone) = milestone {
            let counts = self.milestones.entry(milestone).or_default();
            step(if open { &mut counts.0 } else { &mut counts.1 });
        }
    }

    pub(super) const fn open(&self) -> u64 {
        self.open
    }

    pub(super) fn milestone_counts(&self, number: u64) -> Counts {
        self.milestones.get(&number).copied().unwrap_or_default()
    }

    /// The number of a new issue.
    pub(super) const fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

/// Issues.
impl Tracker {
    pub(super) fn issue(&self, number: u64) -> Option<Cow<'_, Issue>> {
        self.issues.item(number, |number| self.generator.issue(number))
    }

    /// An issue, or text of the test.
    pub(super) fn served(&self, number: u64) -> Option<Served<'_, Issue>> {
        self.issues.get(number, |number| self.generator.issue(number))
    }

    pub(super) fn departed(&self, number: u64) -> Option<Departed> {
        self.departed.get(&number).copied()
    }

    /// What decides about an issue in most listings; `None` for text of the test.
    pub(super) fn gist(&self, number: u64) -> Option<Gist> {
        match self.issues.kept(number) {
            Some(Kept::Item(issue)) => Some(Gist {
                open: issue.closed.is_none(),
                pull: issue.pull.is_some(),
                updated: issue.updated,
            }),
            Some(_) => None,
            None => {
                let facts = self.generator.facts(number)?;
                Some(Gist { open: facts.open, pull: facts.pull, updated: facts.updated })
            }
        }
    }

    /// Whether text of the test stands among the pull requests, or the issues; `None` where there is none.
    pub(super) fn raw_is_pull(&self, number: u64) -> Option<bool> {
        let raw = matches!(self.issues.kept(number), Some(Kept::Raw(..)));
        raw.then(|| self.raw_pulls.contains(&number))
    }

    /// Takes an issue in, or puts a changed one in its place.
    pub(super) fn put(&mut self, issue: Issue) {
        self.uncount(issue.number);
        self.count(issue.closed.is_none(), issue.milestone, true);
        self.issues.put(issue.number, Kept::Item(issue));
    }

    fn uncount(&mut self, number: u64) {
        let before = self.issue(number).map(|issue| (issue.closed.is_none(), issue.milestone));
        if let Some((open, milestone)) = before {
            self.count(open, milestone, false);
        }
    }

    /// An issue leaves, and what belongs to it.
    pub(super) fn depart(&mut self, number: u64, how: Departed) -> Vec<Comment> {
        self.uncount(number);
        let comments: Vec<Comment> =
            self.comments_of(number).filter_map(|id| self.comment_owned(id)).collect();
        for comment in &comments {
            self.comments.put(comment.id, Kept::Gone);
        }
        self.issues.put(number, Kept::Gone);
        self.departed.insert(number, how);
        comments
    }

    /// Text that is served as an issue, or as a pull request, as it is.
    pub(super) fn raw(&mut self, text: &str, pull: bool, now: i64) {
        let number = self.next_number();
        if pull {
            self.raw_pulls.insert(number);
        }
        self.issues.put(number, Kept::Raw(text.to_owned(), now));
    }

    /// The issues in an order, behind a place if there is one.
    pub(super) fn issues(&self, order: Order, from: Option<Key>) -> Box<dyn Iterator<Item = Key> + '_> {
        let measure = |issue: &Issue| i64::try_from(self.comment_count(issue.number)).unwrap_or(0);
        if order.by == By::Comments {
            let made_up = self.by_comments(order, from);
            return Box::new(self.issues.ordered(order, from, made_up, measure));
        }
        Box::new(self.issues.ordered(order, from, self.generator.issues(order, from), measure))
    }

    fn by_comments(&self, order: Order, from: Option<Key>) -> impl Iterator<Item = Key> + '_ {
        let count = |number| i64::try_from(self.comment_count(number)).unwrap_or(0);
        let keys = (1..=self.generator.count()).map(|number| Key { at: count(number), id: number });
        super::layer::in_order(keys.collect(), order, from).into_iter()
    }

    /// The pull request whose head is this commit, among those that the test did not touch.
    pub(super) fn generated_checks(&self, sha: &str) -> Option<Checks> {
        self.generator.pull_at(sha).and_then(|number| self.generator.checks(number))
    }

    /// The issues that a test added or touched.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Issue> {
        self.issues.items()
    }
}

/// What belongs to issues.
impl Tracker {
    pub(super) fn comment_count(&self, number: u64) -> u64 {
        let made_up = self.generator.facts(number).map_or(0, |facts| facts.comments);
        made_up.saturating_add_signed(self.comments_more.get(&number).copied().unwrap_or(0))
    }

    /// The ids of an issue's comments, in their order.
    pub(super) fn comments_of(&self, number: u64) -> impl Iterator<Item = u64> + '_ {
        let made_up = self.generator.of(number, What::Comments).filter(|&id| !self.comments.keeps(id));
        let kept = self.comments.items().filter(move |comment| comment.issue == number);
        merged(made_up, kept.map(|comment| comment.id))
    }

    pub(super) fn comment(&self, id: u64) -> Option<Served<'_, Comment>> {
        self.comments.get(id, |id| self.generator.comment(id))
    }

    pub(super) fn comment_owned(&self, id: u64) -> Option<Comment> {
        self.comments.item(id, |id| self.generator.comment(id)).map(Cow::into_owned)
    }

    pub(super) fn put_comment(&mut self, comment: Comment) {
        if self.comment(comment.id).is_none() {
            *self.comments_more.entry(comment.issue).or_default() += 1;
        }
        self.comments.put(comment.id, Kept::Item(comment));
    }

    pub(super) fn delete_comment(&mut self, id: u64) {
        if let Some(comment) = self.comment_owned(id) {
            *self.comments_more.entry(comment.issue).or_default() -= 1;
        }
        self.comments.put(id, Kept::Gone);
    }

    pub(super) fn raw_comment(&mut self, id: u64, text: &str, now: i64) {
        self.comments.put(id, Kept::Raw(text.to_owned(), now));
    }

    /// The comments on all issues in an order.
    pub(super) fn comments(&self, order: Order, from: Option<Key>) -> impl Iterator<Item = Key> + '_ {
        let made_up = self.generator.all_of(What::Comments, order, from);
        self.comments.ordered(order, from, made_up, |_| 0)
    }

    pub(super) fn reviews_of(&self, number: u64) -> impl Iterator<Item = Review> + '_ {
        let made_up = self.generator.of(number, What::Reviews).filter(|&id| !self.reviews.keeps(id));
        let kept = self.reviews.items().filter(move |review| review.pull == number);
        let ids = merged(made_up, kept.map(|review| review.id));
        ids.filter_map(|id| self.review(id).map(Cow::into_owned))
    }

    pub(super) fn review(&self, id: u64) -> Option<Cow<'_, Review>> {
        self.reviews.item(id, |id| self.generator.review(id))
    }

    pub(super) fn put_review(&mut self, review: Review) {
        self.reviews.put(review.id, Kept::Item(review));
    }

    /// The ids of the comments on a pull request's lines, in their order.
    pub(super) fn review_comments_of(&self, number: u64) -> impl Iterator<Item = u64> + '_ {
        let made_up = self.generator.of(number, What::ReviewComments);
        let kept = self.review_comments.items().filter(move |comment| comment.pull == number);
        merged(made_up.filter(|&id| !self.review_comments.keeps(id)), kept.map(|comment| comment.id))
    }

    pub(super) fn review_comment(&self, id: u64) -> Option<Served<'_, ReviewComment>> {
        self.review_comments.get(id, |id| self.generator.review_comment(id))
    }

    pub(super) fn review_comment_owned(&self, id: u64) -> Option<ReviewComment> {
        self.review_comments.item(id, |id| self.generator.review_comment(id)).map(Cow::into_owned)
    }

    pub(super) fn raw_review_comment(&mut self, id: u64, text: &str, now: i64) {
        self.review_comments.put(id, Kept::Raw(text.to_owned(), now));
    }

    pub(super) fn put_review_comment(&mut self, comment: ReviewComment) {
        self.review_comments.put(comment.id, Kept::Item(comment));
    }

    pub(super) fn delete_review_comment(&mut self, id: u64) {
        self.review_comments.put(id, Kept::Gone);
    }

    /// The comments on lines of all pull requests in an order.
    pub(super) fn review_comments(&self, order: Order, from: Option<Key>) -> impl Iterator<Item = Key> + '_ {
        let made_up = self.generator.all_of(What::ReviewComments, order, from);
        self.review_comments.ordered(order, from, made_up, |_| 0)
    }
}

/// Two lists of ids, each in order, as one in order.
fn merged(first: impl Iterator<Item = u64>, second: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    let (mut first, mut second) = (first.peekable(), second.peekable());
    std::iter::from_fn(move || match (first.peek(), second.peek()) {
        (Some(one), Some(other)) if one > other => second.next(),
        (Some(_), _) => first.next(),
        (None, _) => second.next(),
    })
}
