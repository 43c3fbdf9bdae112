//! What do generated messages say?

/// `(name, address)`
pub(super) const PEOPLE: &[(&str, &str)] = &[
    ("Grace Hopper", "grace.hopper@example.com"),
    ("Alan Turing", "alan.turing@example.com"),
    ("Katherine Johnson", "katherine.johnson@example.org"),
    ("José Núñez", "jose.nunez@example.net"),
    ("Zoë Washburne", "zoe@partner.example"),
    ("田中 太郎", "tanaka@example.jp"),
    ("Barbara Liskov", "barbara.liskov@example.com"),
    ("Łukasz Żółw", "lukasz@example.pl"),
    ("Ольга Ладыженская", "olga@example.org"),
    ("Donald Knuth", "donald.knuth@example.com"),
];

pub(super) const SUBJECTS: &[&str] = &[
    "Notes from today's meeting",
    "Angebot für das nächste Quartal – Entwurf",
    "Lunch on Thursday?",
    "Re-design of the sync engine",
    "会議の議事録について",
    "Photos from the summit 🏔️",
    "Fwd: Your invoice & receipt",
    "Вопрос по договору",
    "Question about \"fences\" and <leases>",
    "Flight to Lisbon: options",
    "Réunion déplacée à vendredi",
    "Draft of the paper, second round",
];

pub(super) const PARAGRAPHS: &[&str] = &[
    "I read the draft on the train. It is good; the middle part could lose a page, and the numbers in the second table do not add up to what the text says.",
    "Können wir uns am Dienstag kurz zusammensetzen? Ich hätte gern deine Meinung zu Größe und Maßstab, bevor wir es hinausgeben. Viele Grüße aus Köln!",
    "Three points are open:\n1. who pays for the storage,\n2. when the old system goes away,\n3. what we tell the customers & partners.",
    "来週の月曜日までに資料を送ります。ご確認のほど、よろしくお願いいたします。",
    "It costs < 5 % more than last year and > 20 % less than the offer we had before. I would take it.",
    "Nothing urgent, only so that you have heard of it: the room on the 4th floor is booked until the end of the month, so we meet in the café. ☕",
    "Please find the files attached. The password is the name of the dog (\"Fido\"), as always.",
    "Passt für mich. Ich bringe Kuchen mit 🎂, bringst du bitte die Folien?",
    "We looked at what happens when two of them refresh at once: one of them wins, the other reads again, and nobody is locked out. The log of the run is in the usual place.",
    "Да, всё получилось. Спасибо за помощь, увидимся в пятницу.",
];

pub(super) const CLOSINGS: &[&str] = &["Best,", "Cheers,", "Viele Grüße", "Thanks a lot", "See you soon,"];

pub(super) const NEWSLETTERS: &[(&str, &str)] = &[
    ("The Weekly Compiler", "weekly@news.example.com"),
    ("Möbelhaus Süd", "angebote@moebel.example"),
    ("Rail & Sail", "offers@rail.example"),
    ("Café Society", "hello@cafe.example"),
    ("Cloud Digest ☁", "digest@cloud.example"),
];

pub(super) const NEWS: &[&str] = &[
    "Ten things that borrow checkers taught us",
    "Nur noch heute: 20 % auf Stühle & Tische",
    "Your points expire on Sunday",
    "Night trains are back – from €39",
    "What changed in the API this month",
    "🎁 A present for your birthday",
    "新しいカタログができました",
    "How they moved a billion rows in a weekend",
];

pub(super) const NOTIFIERS: &[(&str, &str)] = &[
    ("Tracker", "no-reply@tracker.example.com"),
    ("Builds", "builds@ci.example.com"),
    ("Bank", "info@bank.example"),
    ("Photos", "notify@photos.example"),
];

pub(super) const FORUMS: &[(&str, &str)] =
    &[("users-list", "users@lists.example.org"), ("dev-list", "dev@lists.example.org")];

pub(super) const NOTICES: &[&str] = &[
    "Build failed on main",
    "You were mentioned",
    "Ihre Überweisung wurde ausgeführt",
    "New comment",
    "Ticket closed",
    "Someone liked your photo",
    "Security alert: new sign-in",
];

/// `(name, type, first bytes, most bytes)`
pub(super) const FILES: &[(&str, &str, &[u8], u32)] = &[
    ("report.pdf", "application/pdf", b"%PDF-1.7\n", 60_000),
    ("Übersicht 2026.pdf", "application/pdf", b"%PDF-1.7\n", 20_000),
    ("photo.jpg", "image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF", 80_000),
    ("invite.ics", "text/calendar", b"BEGIN:VCALENDAR\r\n", 2_000),
    (
        "資料.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        b"PK\x03\x04",
        30_000,
    ),
    ("notes.txt", "text/plain", b"Notes\n", 3_000),
];
