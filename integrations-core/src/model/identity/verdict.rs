//! Are two items one real meeting, and how sure is that?

use super::clues::{Clues, Part};
use super::join::JoinKey;
use super::times::{Span, TimeFit, Times};
use super::uid::Uid;
use crate::model::EventTime;

/// Whether two items are one real meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They are, as far as their clues say.
    Same(MeetingLink),
    /// Nothing says so, or something speaks against it.
    Different(Difference),
}

impl Verdict {
    /// What ties the two, if anything does.
    pub fn link(self) -> Option<MeetingLink> {
        match self {
            Self::Same(link) => Some(link),
            Self::Different(_) => None,
        }
    }
}

/// What ties two items that are one real meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeetingLink {
    /// The strongest thing that ties them.
    pub tie: Tie,
    /// How sure it is.
    pub confidence: Confidence,
    /// Which part of one the other is.
    pub scope: Scope,
    /// What else was seen.
    pub evidence: Evidence,
}

/// What ties two items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tie {
    /// They start and end at the same times, have one title, and one of them names no people.
    SameTimeAndTitle,
    /// They start together, and the same person invites to them.
    SameTimeAndPeople,
    /// They lead to one meeting on line, at times that fit.
    SameJoinUrl,
    /// They have one iCalendar UID, and are the same part of its series.
    SameUid,
}

/// How sure it is that two items are one meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It may be: good for a suggestion to a person.
    Possible,
    /// It is hard to explain otherwise: good for showing them as one, where that can be undone.
    Likely,
    /// They say so themselves.
    Certain,
}

/// Which part of one item the other is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// They are the same: both a series, or both one meeting.
    Whole,
    /// One is a series, and the other one of its occurrences.
    Occurrence,
}

/// What was seen of two items, beside what ties them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "marks that stand side by side")]
pub struct Evidence {
    /// How their times fit.
    pub time: TimeFit,
    /// Where both lead: to a meeting rather than to a room.
    pub join_key: Option<JoinKey>,
    /// Whether the same person invites to both.
    pub same_host: bool,
    /// Whether who invites to one is invited to the other.
    pub host_invited: bool,
    /// Whether they have one title; `None` where one has none.
    pub same_title: Option<bool>,
    /// Whether they have one iCalendar UID; `None` where one has none.
    pub same_uid: Option<bool>,
    /// Whether one is cancelled and the other is not.
    pub one_cancelled: bool,
}

/// Why two items are not taken for one meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// They are different occurrences of one series.
    OtherOccurrence,
    /// They lead to one meeting on line, whose number is used again and again, at times that do not fit.
    SameJoinUrlAtAnotherTime,
    /// They lead to one room that is there for any meeting, and nothing says that it is the same meeting.
    SameRoomOnly,
    /// They start together, and lead to different meetings on line.
    OtherJoinUrl,
    /// Not enough ties them. That their titles are the same is not enough, nor that their times are.
    NothingInCommon,
}

impl Clues {
    /// Whether two items are one real meeting: two events of two calendars, or an event and a meeting of a
    /// conferencing service. The answer is the same whichever is asked.
    ///
    /// | Tie | Needs | Certain if |
    /// |---|---|---|
    /// | [`SameUid`](Tie::SameUid) | one UID; of a series the same occurrence, by its original start | always, unless the occurrence is known by its day only, or times, titles and people all differ |
    /// | [`SameJoinUrl`](Tie::SameJoinUrl) | one [key](JoinKey), and times that fit | they start together, the key is no room's, and both state it as their way in, or a host or the title is the same |
    /// | [`SameTimeAndPeople`](Tie::SameTimeAndPeople) | the same start, one host, titles that do not differ; no other UID, and no other way in | never |
    /// | [`SameTimeAndTitle`](Tie::SameTimeAndTitle) | the same start and end and title, and no people on one side | never: always [`Possible`](Confidence::Possible) |
    ///
    /// A title alone, a time alone, or a room alone never ties two items.
    pub fn compare(&self, other: &Self) -> Verdict {
        let evidence = self.evidence(other);
        let verdict = match evidence.same_uid {
            Some(true) => by_uid(self, other, &evidence),
            _ if evidence.join_key.is_some() => by_join_key(self, other, &evidence),
            _ => by_time(self, other, &evidence),
        };
        match verdict {
            Ok((tie, confidence)) => {
                let series = [self, other].map(|clues| clues.part == Part::Series);
                let scope = if series[0] == series[1] { Scope::Whole } else { Scope::Occurrence };
                Verdict::Same(MeetingLink { tie, confidence, scope, evidence })
            }
            Err(difference) => Verdict::Different(difference),
        }
    }

    fn evidence(&self, other: &Self) -> Evidence {
        let shared = self.ways.iter().filter(|(key, _)| other.ways.iter().any(|(way, _)| way == key));
        Evidence {
            time: self.times.fit(&other.times),
            join_key: shared.map(|(key, _)| key).min().cloned(),
            same_host: any_of(&self.hosts, &other.hosts),
            host_invited: any_of(&self.hosts, &other.people) || any_of(&other.hosts, &self.people),
            same_title: self.title.as_ref().zip(other.title.as_ref()).map(|(one, other)| one == other),
            same_uid: self
                .uid
                .as_ref()
                .zip(other.uid.as_ref())
                .map(|(one, other)| one.as_str() == other.as_str()),
            one_cancelled: self.cancelled != other.cancelled,
        }
    }
}

impl Evidence {
    /// Whether people or the title say the same as a tie does.
    fn is_supported(&self) -> bool {
        self.same_host || self.host_invited || self.same_title == Some(true)
    }
}

/// Whether one of a few is among many, which are sorted.
fn any_of(few: &[String], many: &[String]) -> bool {
    few.iter().any(|one| many.binary_search(one).is_ok())
}

type Judgement = Result<(Tie, Confidence), Difference>;

fn by_uid(one: &Clues, other: &Clues, evidence: &Evidence) -> Judgement {
    let day = |clues: &Clues| clues.uid.as_ref().and_then(Uid::day);
    let sure_if =
        |same: bool, confidence| if same { Ok(confidence) } else { Err(Difference::OtherOccurrence) };
    let confidence = match (&one.part, &other.part) {
        (Part::Series, Part::Series | Part::Occurrence(_)) | (Part::Occurrence(_), Part::Series) => {
            Confidence::Certain
        }
        (Part::Series, Part::Single) | (Part::Single, Part::Series) => Confidence::Likely,
        (Part::Occurrence(one), Part::Occurrence(other)) => match (one, other) {
            (EventTime::At(one), EventTime::At(other)) => sure_if(one.at == other.at, Confidence::Certain)?,
            (EventTime::Day { date: one }, EventTime::Day { date: other }) => {
                sure_if(one == other, Confidence::Certain)?
            }
            _ => sure_if(date(one) == date(other), Confidence::Likely)?,
        },
        (Part::Occurrence(start), Part::Single) | (Part::Single, Part::Occurrence(start)) => {
            let single = if one.part == Part::Single { one } else { other };
            let same = match day(single) {
                Some(day) => date(start) == day,
                None => matches!(evidence.time, TimeFit::SameStart | TimeFit::OriginalStart),
            };
            sure_if(same, Confidence::Likely)?
        }
        (Part::Single, Part::Single) => match (day(one), day(other)) {
            (Some(one), Some(other)) => sure_if(one == other, Confidence::Certain)?,
            (Some(day), None) => sure_if(starts_on(&other.times, day), Confidence::Likely)?,
            (None, Some(day)) => sure_if(starts_on(&one.times, day), Confidence::Likely)?,
            // A meeting that was moved is the same. Some programs give one UID to all that they make.
            (None, None) if evidence.time != TimeFit::Apart => Confidence::Certain,
            (None, None) if evidence.is_supported() => Confidence::Likely,
            (None, None) => Confidence::Possible,
        },
    };
    Ok((Tie::SameUid, confidence))
}

/// The day of an original start, in the zone that it is given in.
pub(super) fn date(start: &EventTime) -> chrono::NaiveDate {
    match start {
        EventTime::At(time) => match time.zone.iana() {
            Some(zone) => time.at.with_timezone(&zone).date_naive(),
            None => time.at.date_naive(),
        },
        EventTime::Day { date } => *date,
    }
}

/// Whether a single item starts on a day, somewhere in the world.
fn starts_on(times: &Times, day: chrono::NaiveDate) -> bool {
    let day = Times::once(Some(Span::new(&EventTime::day(day), None)), None);
    matches!(times.fit(&day), TimeFit::SameStart | TimeFit::WithinDay)
}

fn by_join_key(one: &Clues, other: &Clues, evidence: &Evidence) -> Judgement {
    let Some(key) = &evidence.join_key else { return Err(Difference::NothingInCommon) };
    let stated = |clues: &Clues| clues.ways.iter().any(|(way, stated)| *stated && way == key);
    let supported = evidence.is_supported();
    let room = key.is_room() || one.room || other.room;
    let confidence = match (evidence.time, room) {
        (TimeFit::Apart, _) => return Err(Difference::SameJoinUrlAtAnotherTime),
        (TimeFit::SameStart, false) if supported || (stated(one) && stated(other)) => Confidence::Certain,
        // One room holds one meeting at a time; but people write down what they plan to hold there.
        (TimeFit::SameStart, true) if evidence.same_title == Some(false) => Confidence::Possible,
        (TimeFit::SameStart, _) => Confidence::Likely,
        (TimeFit::Overlapping, true) if one.held || other.held => Confidence::Possible,
        (TimeFit::TimeOfDay, true) if supported => Confidence::Possible,
        (_, true) => return Err(Difference::SameRoomOnly),
        (TimeFit::WithinDay, false) => Confidence::Possible,
        (TimeFit::Overlapping | TimeFit::OriginalStart | TimeFit::TimeOfDay | TimeFit::Unknown, false) => {
            if supported {
                Confidence::Likely
            } else {
                Confidence::Possible
            }
        }
    };
    // What was cancelled may have been planned anew, with the same number; and who plans it twice has two UIDs.
    let doubted = evidence.one_cancelled || evidence.same_uid == Some(false);
    Ok((Tie::SameJoinUrl, if doubted { confidence.min(Confidence::Likely) } else { confidence }))
}

fn by_time(one: &Clues, other: &Clues, evidence: &Evidence) -> Judgement {
    let different_uid = evidence.same_uid == Some(false);
    if evidence.time != TimeFit::SameStart || different_uid || evidence.one_cancelled {
        return Err(Difference::NothingInCommon);
    }
    let tied = match evidence.same_title {
        Some(true) if evidence.same_host => (Tie::SameTimeAndPeople, Confidence::Likely),
        Some(true) if evidence.host_invited => (Tie::SameTimeAndPeople, Confidence::Possible),
        None if evidence.same_host => (Tie::SameTimeAndPeople, Confidence::Possible),
        Some(true) if one.people.is_empty() || other.people.is_empty() => {
            if !one.times.is_exactly(&other.times) {
                return Err(Difference::NothingInCommon);
            }
            (Tie::SameTimeAndTitle, Confidence::Possible)
        }
        _ => return Err(Difference::NothingInCommon),
    };
    if one.ways.is_empty() || other.ways.is_empty() { Ok(tied) } else { Err(Difference::OtherJoinUrl) }
}
