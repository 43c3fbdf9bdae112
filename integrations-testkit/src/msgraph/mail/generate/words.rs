//! What do generated messages say? Fragments, already escaped for JSON.

pub(super) const SUBJECTS: &[&str] = &[
    "Minutes of Tuesday",
    "Re: Minutes of Tuesday",
    "Invoice 2026-0311",
    "Your order has been shipped",
    "AW: Angebot f\u{fc}r die Halle",
    "Fwd: \u{4f1a}\u{8b70}\u{306e}\u{8cc7}\u{6599}",
    "\u{1f680} Release 4.2 is out",
    "",
    r#"Out of office: \"Back on Monday\""#,
    "Re: Re: Fwd: Numbers & targets <draft>",
    "Security alert",
    "\u{41e}\u{442}\u{447}\u{451}\u{442} \u{437}\u{430} \u{43c}\u{430}\u{440}\u{442}",
    "Undeliverable: Meet for lunch?",
    "Newsletter no. 214",
];

/// `(body as HTML, body as text, preview)`.
pub(super) const BODIES: &[(&str, &str, &str)] = &[
    (
        r#"<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body><p>Hi Ada,</p><p>the numbers are in the sheet. Please look at rows 12\u201340 before we meet.</p><p>Best,<br>Grace</p></body></html>"#,
        r"Hi Ada,\r\n\r\nthe numbers are in the sheet. Please look at rows 12\u201340 before we meet.\r\n\r\nBest,\r\nGrace",
        r"Hi Ada,\r\n\r\nthe numbers are in the sheet. Please look at rows 12\u201340 before we meet.\r\n\r\nBest,\r\nGrace",
    ),
    (
        r#"<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"><style>p { margin: 0 }</style></head><body lang=\"DE\"><div><p>Guten Tag,</p><p>anbei das gew\u00fcnschte Angebot. Wir halten uns bis zum Monatsende daran gebunden.</p><p>Mit freundlichen Gr\u00fc\u00dfen</p></div></body></html>"#,
        r"Guten Tag,\r\nanbei das gew\u00fcnschte Angebot. Wir halten uns bis zum Monatsende daran gebunden.\r\nMit freundlichen Gr\u00fc\u00dfen",
        r"Guten Tag,\r\nanbei das gew\u00fcnschte Angebot. Wir halten uns bis zum Monatsende daran gebunden.\r\nMit freundlichen Gr\u00fc\u00dfen",
    ),
    (
        r#"<html><head></head><body><table><tr><td>Order</td><td>4711</td></tr><tr><td>Total</td><td>\u20ac 99.00</td></tr></table><p><a href=\"https://shop.example/track?id=4711&amp;src=mail\">Track your parcel</a></p><img src=\"cid:logo.png@01DAB0F0\"></body></html>"#,
        r"Order 4711\r\nTotal \u20ac 99.00\r\nTrack your parcel<https://shop.example/track?id=4711&src=mail>",
        r"Order 4711\r\nTotal \u20ac 99.00\r\nTrack your parcel",
    ),
    ("<html><head></head><body></body></html>", "", ""),
    (
        r"<html><head></head><body><div>It works now \ud83c\udf89</div><div>On Tue, Grace wrote:</div><blockquote>Does it work?</blockquote></body></html>",
        r"It works now \ud83c\udf89\r\nOn Tue, Grace wrote:\r\n> Does it work?",
        r"It works now \ud83c\udf89\r\nOn Tue, Grace wrote:\r\nDoes it work?",
    ),
];

/// `(name, address)`.
pub(super) const PEOPLE: &[(&str, &str)] = &[
    ("Grace Hopper", "grace.hopper@example.com"),
    ("Alan Turing", "alan.turing@example.com"),
    ("Katherine Johnson", "katherine.johnson@example.org"),
    ("Jos\u{e9} N\u{fa}\u{f1}ez", "jose.nunez@example.net"),
    ("Zo\u{eb} \\\"Z\\\" Washburne", "zoe@partner.example"),
    ("\u{7530}\u{4e2d} \u{592a}\u{90ce}", "tanaka@example.jp"),
    ("edsger.dijkstra@example.com", "edsger.dijkstra@example.com"),
    ("Shop", "no-reply@shop.example"),
    ("Donald Knuth", "DonaldK@Example.com"),
    ("Microsoft Outlook", "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com"),
];

/// `(name, content type)`.
pub(super) const FILES: &[(&str, &str)] = &[
    ("Angebot.pdf", "application/pdf"),
    ("numbers.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("r\u{e9}sum\u{e9}.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("notes.txt", "text/plain"),
    ("photo.jpg", "image/jpeg"),
];
