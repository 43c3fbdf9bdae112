//! What is in Ada's mailbox?

use integrations_testkit::google::{FakeGoogle, MailSpec};

use super::chapters::Threads;
use super::{CHARLES, GRACE, HARUKA, KATHERINE, at};

const ADA: &str = "Ada Lovelace <ada@example.com>";
const EMMY: &str = "Emmy Noether <emmy@goettingen.example>";

const WEEKLY: &str = "Ten things that borrow checkers taught us";
const THE_NUMBERS: &str = "The numbers for the review";

const AGENDA: &str = "Hello you two,

on Tuesday we have ninety minutes with the board:

  1. revenue and churn (Katherine)
  2. the roadmap (Ada)
  3. questions

One wish: no slide with more than seven numbers on it. They are kind people, and they will try to read
all of them.

Grace
";

const NUMBERS: &str = "Good morning Ada,

the table for tomorrow is attached. Churn is 2.1 %, not 2.7: in January somebody had counted the test
accounts too, and they do leave us every night.

Could you still send me your January figures? And page 7 of your slides shows last year's.

Katherine
";

const SYMMETRY: &str = "Dear Ada,

I have found a symmetry that you may like: whenever I lend you a book, something else is conserved. Keep
it for as long as you need it. But do come to tea, and bring your notes.

Emmy
";

const HANDOVER: &str = "Ada さん、おはようございます。

on Thursday I would like to show you three things: the queue, the two customers who ask for it, and the
cherry tree in front of our window, which is a week early.

よろしくお願いします。
Haruka
";

const SCHOOL: &str = "Dear parents,

on Wednesday at 19:00 we meet in room 2.04. The piano has been tuned, and Annabella's class will play.
Please tell us by Tuesday how many of you come.

The school office
";

/// What came before anybody looks, the oldest first.
pub(super) fn fill(google: &FakeGoogle, threads: &mut Threads) {
    let add = |mail: MailSpec, labels: &[&str], (day, hour, minute)| {
        google.add_message(mail.labels(labels).date(at(day, hour, minute)))
    };
    let family = google.add_label("Family");
    let mail = MailSpec::new;
    add(mail("A symmetry that you may like").from(EMMY).text(SYMMETRY), &["INBOX", "STARRED"], (-4, 21, 7));
    let weekly = mail(WEEKLY).from("The Weekly Compiler <weekly@news.example>");
    let weekly = weekly.html("<h1>Ten things</h1><p>The seventh will surprise your linker.</p>");
    let weekly = add(weekly, &["INBOX", "UNREAD", "CATEGORY_PROMOTIONS"], (-3, 6, 0));
    let agenda = mail("Quarterly review: agenda, and one wish").from(&GRACE.mailbox()).text(AGENDA);
    let agenda = agenda.to(ADA).to(&KATHERINE.mailbox());
    let agenda = add(agenda, &["INBOX", "IMPORTANT"], (-3, 14, 18));
    let answer =
        mail("Re: Quarterly review: agenda, and one wish").from(ADA).to(&GRACE.mailbox()).thread(&agenda);
    add(answer.text("Seven it is. May I count in another base?\n\nAda\n"), &["SENT"], (-3, 14, 44));
    let ticket = mail("Your ticket to Hamburg, 12 March, 08:36").from("Fernbahn <reise@bahn.example>");
    let ticket = ticket.text("Berlin Hbf 08:36, coach 7, seat 61. Have a good journey.\n");
    let ticket = ticket.attachment("ticket.pdf", "application/pdf", b"%PDF-1.7\n% seat 61, by the window\n");
    add(ticket, &["INBOX", "CATEGORY_UPDATES"], (-2, 11, 5));
    let won = mail("You have WON a Difference Engine!!!").from("Prize Desk <win@engines.example>");
    add(won.text("Answer within the hour.\n"), &["SPAM", "UNREAD"], (-2, 23, 59));
    let school =
        mail("Parents’ evening on Wednesday").from("School office <office@school.example>").text(SCHOOL);
    add(school, &["INBOX", "UNREAD", &family], (-1, 20, 15));
    let handover = mail("引き継ぎ: what I would like to show you").from(&HARUKA.mailbox()).text(HANDOVER);
    add(handover, &["INBOX", "UNREAD"], (-1, 23, 41));
    let build = mail("Build fixed on main").from("Builds <builds@ci.example>");
    add(
        build.text("main is green again after 2 commits by charles.\n"),
        &["INBOX", "CATEGORY_UPDATES"],
        (0, 6, 50),
    );
    let numbers = mail(THE_NUMBERS).from(&KATHERINE.mailbox()).text(NUMBERS);
    let numbers = numbers.attachment("q4.csv", "text/csv", b"month;revenue;churn\n2025-12;412;2.1\n");
    let numbers = add(numbers, &["INBOX", "UNREAD", "IMPORTANT"], (0, 7, 45));
    let bases = mail("Re: Quarterly review: agenda, and one wish").from(&GRACE.mailbox()).thread(&agenda);
    add(
        bases.text("In base 10, please. Which is what you would say in any base.\n\nGrace\n"),
        &["INBOX", "UNREAD", "IMPORTANT"],
        (0, 8, 5),
    );
    let draft = mail("Re: A symmetry that you may like").from(ADA).to(EMMY).text("Dear Emmy, tea on");
    add(draft, &["DRAFT"], (0, 8, 20));
    let old = mail("Spare parts for engine no. 1").from(&CHARLES.mailbox()).text("Only 8,000 are missing.\n");
    add(old, &["TRASH"], (-9, 15, 30));
    threads.mails = vec![(weekly, WEEKLY), (numbers, THE_NUMBERS)];
}
