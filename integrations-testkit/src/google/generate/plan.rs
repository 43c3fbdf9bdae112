//! When does a generated event take place?

use super::days::REACH;
use super::words::ZONES;
use crate::random::Draw;

/// When an event takes place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) day: u32,
    /// Minutes after midnight and duration; all-day events last `days`.
    pub(super) time: Option<(u32, u32)>,
    pub(super) days: u32,
    /// The zone of the almanac; the calendar's own when absent.
    pub(super) zone: Option<u32>,
    pub(super) rule: Option<Rule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Weekly,
    Fortnightly,
    WeeklyExcept,
    WeeklyUntil(u32),
    DailyCount(u32),
    DailyUntil(u32),
    Monthly,
    Yearly,
}

impl Plan {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let recurring = draw.percent(10);
        let spread = match draw.below(20) {
            0..10 => 14,
            10..17 => 90,
            _ => 365,
        };
        let middle = u32::from(REACH);
        // A series mostly began some time ago.
        let day = if recurring {
            middle + 30 - draw.below(spread + 30)
        } else {
            middle - spread + draw.below(2 * spread + 1)
        };
        let zone = (!draw.percent(70)).then(|| draw.below(u32::try_from(ZONES.len()).unwrap_or(1)));
        let all_day = draw.percent(10);
        let rule = recurring.then(|| match draw.below(8) {
            0 => Rule::Weekly,
            1 => Rule::Fortnightly,
            2 => Rule::WeeklyExcept,
            3 => Rule::WeeklyUntil(day + 7 * (4 + draw.below(40))),
            4 => Rule::DailyCount(3 + draw.below(20)),
            5 => Rule::DailyUntil(day + 5 + draw.below(60)),
            6 => Rule::Monthly,
            _ => Rule::Yearly,
        });
        // Between 07:00 and 22:45 no zone changes its offset.
        let time =
            (!all_day).then(|| (420 + 15 * draw.below(52), *draw.pick(&[15, 30, 30, 45, 60, 60, 90, 180])));
        let days = if all_day { 1 + draw.below(3) } else { 0 };
        Self { day, time, days, zone, rule }
    }
}
