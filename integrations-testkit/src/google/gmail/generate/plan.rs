//! What kind of message is it, and where does it lie?

use super::super::labels::Labels;
use crate::random::Draw;

pub(super) const BLOCK: u64 = 8;

/// For each message of a block the first one of its thread.
pub(super) const PATTERNS: &[[u64; 8]] = &[
    [0, 1, 2, 3, 4, 5, 6, 7],
    [0, 1, 2, 3, 4, 5, 6, 7],
    [0, 1, 0, 3, 4, 5, 6, 7],
    [0, 1, 2, 1, 4, 5, 2, 7],
    [0, 1, 0, 3, 1, 5, 0, 7],
    [0, 1, 2, 0, 0, 5, 0, 0],
    [0, 0, 0, 0, 4, 5, 4, 7],
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Letter,
    Newsletter,
    Notice,
    Forum,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// Whether the account wrote it.
    pub(super) sent: bool,
    pub(super) labels: Labels,
}

impl Plan {
    /// A conversation consists of letters; `reply` says that the message answers an earlier one.
    pub(super) fn draw(draw: &mut Draw, conversation: bool, reply: bool) -> Self {
        let kind = match draw.below(100) {
            _ if conversation => Kind::Letter,
            0..35 => Kind::Letter,
            35..65 => Kind::Newsletter,
            65..92 => Kind::Notice,
            _ => Kind::Forum,
        };
        let sent = kind == Kind::Letter && draw.percent(if reply { 45 } else { 15 });
        if sent {
            let labels = if draw.percent(4) { Labels::DRAFT } else { Labels::SENT };
            return Self { kind, sent, labels };
        }
        let category = match kind {
            Kind::Letter => Labels::PERSONAL,
            Kind::Newsletter => Labels::PROMOTIONS,
            Kind::Notice if draw.percent(40) => Labels::SOCIAL,
            Kind::Notice => Labels::UPDATES,
            Kind::Forum => Labels::FORUMS,
        };
        let mut labels = match draw.below(100) {
            0..2 => Labels::SPAM,
            2..5 => category.with(Labels::TRASH),
            5..70 => category.with(Labels::INBOX),
            _ => category,
        };
        for (label, chance) in [
            (Labels::UNREAD, 25),
            (Labels::STARRED, 3),
            (Labels::IMPORTANT, if kind == Kind::Letter { 40 } else { 5 }),
        ] {
            if draw.percent(chance) {
                labels = labels.with(label);
            }
        }
        Self { kind, sent, labels }
    }
}
