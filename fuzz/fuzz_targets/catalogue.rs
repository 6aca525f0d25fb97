//! A catalogue with a file that is not as it should be.
//!
//! The first byte chooses a file of the built-in catalogue or of a small one, the bank holidays or the clocks. The second says whether the rest is the
//! file's new text, or changes to the text that it has: where, how much is cut out there, and what is put in its place. Beside the
//! file stand few others: a whole catalogue takes long to load. Held, whatever the bytes:
//!
//! - The catalogue loads, or each fault names a file of it and a line that the file has.
//! - One that loads answers what is asked of each request type, renders each of its notices or says in
//!   which template it can't, and offers no slot outside the hours that its calendar is open.
//! - Bank holidays that were read count the same forwards and backwards.

#![no_main]

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use catalogue::booking::{BookingCalendar, WeekDay, begins_at};
use catalogue::calendar::{BankHolidays, Calendar};
use catalogue::clocks::ClockPolicies;
use catalogue::{Catalogue, CatalogueFile, FeeDue, NoticeContext, NoticeFault, RequestType, files, notice};
use libfuzzer_sys::{Corpus, fuzz_target};
use schemas::Reference;
use schemas::event::CaseEvent;
use schemas::moment::{Day, Instant};

static FILES: LazyLock<Vec<CatalogueFile>> = LazyLock::new(files::built_in);
/// A catalogue with a request type that has everything, and a notice.
static SMALL: LazyLock<Vec<CatalogueFile>> = LazyLock::new(|| {
    let own = [
        ("services/waste.toml", include_str!("../small/service.toml")),
        ("contractors/crews.toml", include_str!("../small/contractor.toml")),
    ];
    let own = own.map(|(path, text)| CatalogueFile {
        path: path.to_owned(),
        text: text.to_owned(),
    });
    let is_taken = |path: &str| path == "council.toml" || path.starts_with("notices/request_received.");
    let taken = FILES.iter().filter(|file| is_taken(&file.path)).cloned();
    let small: Vec<_> = own.into_iter().chain(taken).collect();
    Catalogue::load(&small).expect("the small catalogue");
    small
});
static HOLIDAYS: LazyLock<BankHolidays> =
    LazyLock::new(|| BankHolidays::built_in().expect("the built-in bank holidays"));
static NEEDED: LazyLock<Mutex<HashMap<usize, Vec<CatalogueFile>>>> = LazyLock::new(Mutex::default);

/// From this first byte on it is the small catalogue: half of all inputs, since it loads fast.
const SMALL_FROM: usize = 128;

/// A service that loads without the others.
const SMALL_SERVICE: &str = "services/pest-control.toml";

const BANK_HOLIDAYS: &str = include_str!("../../catalogue/calendar/bank-holidays.json");
const CLOCKS: &str = include_str!("../../catalogue/calendar/clocks.toml");

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let [choice, mode, rest @ ..] = bytes else {
        return Corpus::Reject;
    };
    let chosen = Chosen::of(usize::from(*choice));
    let before = chosen.text();
    let text = if mode % 2 == 0 {
        changed(before, rest)
    } else {
        String::from_utf8(rest.to_vec()).ok()
    };
    let Some(text) = text else {
        return Corpus::Reject;
    };
    match chosen {
        Chosen::BuiltIn(number) => load(&FILES[number], text, needed_beside(number)),
        Chosen::Small(number) => load(&SMALL[number], text, without(&SMALL, &SMALL[number])),
        Chosen::BankHolidays => holidays(&text),
        Chosen::Clocks => {
            if let Err(fault) = ClockPolicies::parse(&text) {
                assert!(!fault.to_string().is_empty());
            }
        }
    }
    Corpus::Keep
});

/// The file that is not as it should be.
#[derive(Clone, Copy)]
enum Chosen {
    BuiltIn(usize),
    BankHolidays,
    Clocks,
    Small(usize),
}

impl Chosen {
    fn of(choice: usize) -> Self {
        if let Some(number) = choice.checked_sub(SMALL_FROM) {
            return Self::Small(number % SMALL.len());
        }
        match choice % (FILES.len() + 2) {
            number if number < FILES.len() => Self::BuiltIn(number),
            number if number == FILES.len() => Self::BankHolidays,
            _ => Self::Clocks,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::BuiltIn(number) => &FILES[number].text,
            Self::BankHolidays => BANK_HOLIDAYS,
            Self::Clocks => CLOCKS,
            Self::Small(number) => &SMALL[number].text,
        }
    }
}

/// Changes of four bytes and their new text each: two say where, one how many bytes are cut out, one how many are put in.
fn changed(before: &str, mut changes: &[u8]) -> Option<String> {
    let mut text = before.as_bytes().to_vec();
    while let [high, low, cut, length, rest @ ..] = changes {
        let start = usize::from(u16::from_be_bytes([*high, *low])) % (text.len() + 1);
        let end = text.len().min(start + usize::from(*cut));
        let (new, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        text.splice(start..end, new.iter().copied());
        changes = rest;
    }
    String::from_utf8(text).ok()
}

fn without(files: &[CatalogueFile], chosen: &CatalogueFile) -> Vec<CatalogueFile> {
    files.iter().filter(|file| file.path != chosen.path).cloned().collect()
}

fn load(chosen: &CatalogueFile, text: String, mut files: Vec<CatalogueFile>) {
    files.push(CatalogueFile {
        path: chosen.path.clone(),
        text,
    });
    match Catalogue::load(&files) {
        Ok(catalogue) => {
            ask(&catalogue);
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(!fault.message.is_empty(), "{fault}");
                let lines = files
                    .iter()
                    .find(|file| file.path == fault.file)
                    .map_or(1, |file| file.text.matches('\n').count() + 1);
                assert!((1..=lines).contains(&fault.line), "{fault}: there are {lines} lines");
            }
        }
    }
}

/// Enough files beside the chosen one for it to load: the council, its service or a small one, the notices that those name; for a
/// service that a contractor works for, the contractor and all its services too.
fn needed_beside(choice: usize) -> Vec<CatalogueFile> {
    let mut known = NEEDED.lock().expect("nobody panicked with it");
    let needed = known.entry(choice).or_insert_with(|| {
        let chosen = &FILES[choice];
        let own = if chosen.path.starts_with("services/") {
            &chosen.path
        } else {
            SMALL_SERVICE
        };
        let is_contractors =
            |file: &CatalogueFile| file.path.starts_with("contractors/") || file.text.contains("by = \"contractor\"");
        let alone = with_notices(choice, |file| file.path == own);
        let contracted = || with_notices(choice, |file| file.path == own || is_contractors(file));
        let whole = || with_notices(choice, |_| true);
        let enough = if Catalogue::load(&alone).is_ok() && !chosen.path.starts_with("contractors/") {
            alone
        } else if Catalogue::load(&contracted()).is_ok() {
            contracted()
        } else {
            whole()
        };
        assert!(Catalogue::load(&enough).is_ok(), "{} does not load", chosen.path);
        without(&enough, chosen)
    });
    needed.clone()
}

/// The council, these services and contractors, and the notices that they name. The chosen file is among them.
fn with_notices(choice: usize, is_in: impl Fn(&CatalogueFile) -> bool) -> Vec<CatalogueFile> {
    let stem = |file: &CatalogueFile| Some(file.path.strip_prefix("notices/")?.split('.').next()?.to_owned());
    let chosen = &FILES[choice];
    let parts = FILES.iter().filter(|file| stem(file).is_none());
    let mut files: Vec<_> = parts
        .filter(|file| file.path == "council.toml" || file.path == chosen.path || is_in(file))
        .cloned()
        .collect();
    let text: String = files.iter().map(|file| file.text.as_str()).collect();
    let is_named = |notice: &str| text.contains(&format!("\"{notice}\""));
    let notices = FILES
        .iter()
        .filter(|file| stem(file).is_some_and(|notice| is_named(&notice) || stem(chosen).as_ref() == Some(&notice)));
    files.extend(notices.cloned());
    files
}

fn ask(catalogue: &Catalogue) {
    let days: Vec<Day> = ["1800-01-01", "2026-03-29", "2026-05-25", "2200-12-31"]
        .map(|day| day.parse().expect("a day"))
        .to_vec();
    let now: Instant = "2026-05-22T09:00:00Z".parse().expect("an instant");
    let reference = Reference::of_number("WAS", 7).expect("a reference");
    for request_type in catalogue.request_types() {
        assert!(catalogue.request_type(&request_type.code).is_some());
        for day in &days {
            asked_of_type(request_type, *day);
        }
        for event in CaseEvent::NAMES {
            let named = request_type.notice_on(event);
            assert!(
                named.is_none_or(|notice| catalogue.notices().contains(notice)),
                "{event}"
            );
        }
        for outcome in &request_type.outcomes {
            let context = NoticeContext::new(catalogue, request_type, &reference, now)
                .closed(catalogue, request_type, &outcome.code, true, None, now)
                .received(days.last().copied());
            if let Some(name) = request_type.notice_on("RequestClosed") {
                let rendered = notice::render(catalogue, name, &context);
                assert!(!matches!(rendered, Err(NoticeFault::Unknown(_))), "{name}");
            }
        }
        if let Some(calendar) = &request_type.calendar {
            assert!(catalogue.booking_calendar(&calendar.name).is_some());
        }
    }
    for calendar in catalogue.services().flat_map(|service| &service.calendars) {
        slots(calendar, now);
    }
}

fn asked_of_type(request_type: &RequestType, day: Day) {
    for target in &request_type.targets {
        let found = request_type.target_on(&target.id, day);
        assert!(found.is_none_or(|found| found.id == target.id && found.from <= day));
    }
    for due in [FeeDue::OnRequest, FeeDue::OnApproval] {
        let fees = request_type.fees_on(due, day);
        assert!(fees.iter().all(|fee| fee.due == due && fee.from <= day));
        assert!(
            fees.windows(2).all(|pair| pair[0].id < pair[1].id),
            "a fee stands twice"
        );
    }
    let _ = request_type.reopening.last_day(day);
}

fn slots(calendar: &BookingCalendar, now: Instant) {
    // Both sides of the days on which London's clocks go forward and back.
    for first in ["2026-03-27", "2026-05-22", "2026-10-24"] {
        let first: Day = first.parse().expect("a day");
        for day in (0..7).map(|after| Day(first.0 + time::Duration::days(after))) {
            let slots = calendar.slots_of(day, Some(&*HOLIDAYS));
            assert!(slots.windows(2).all(|pair| pair[0] < pair[1]), "{slots:?}");
            for slot in slots {
                let ends = slot.time.minute_of_day() + calendar.minutes;
                let is_open = calendar.openings.iter().any(|opening| {
                    on(opening.on) == day.0.weekday()
                        && opening.from <= slot.time
                        && ends <= opening.until.minute_of_day()
                });
                assert!(is_open, "{slot:?}");
                if let Ok(begins) = calendar.offers(slot, Some(&*HOLIDAYS), now) {
                    assert!(begins > now && begins_at(slot) == Some(begins), "{slot:?}");
                }
            }
        }
    }
}

const fn on(day: WeekDay) -> time::Weekday {
    match day {
        WeekDay::Monday => time::Weekday::Monday,
        WeekDay::Tuesday => time::Weekday::Tuesday,
        WeekDay::Wednesday => time::Weekday::Wednesday,
        WeekDay::Thursday => time::Weekday::Thursday,
        WeekDay::Friday => time::Weekday::Friday,
        WeekDay::Saturday => time::Weekday::Saturday,
        WeekDay::Sunday => time::Weekday::Sunday,
    }
}

fn holidays(text: &str) {
    let Ok(holidays) = BankHolidays::parse(text) else {
        return;
    };
    let day: Day = "2026-05-22".parse().expect("a day");
    for calendar in [Calendar::UkAny, Calendar::EnglandAndWales] {
        if let Ok(counted) = holidays.count_after(calendar, day, 10, |_| false) {
            assert_eq!(holidays.is_working_day(calendar, counted.last), Ok(true));
            assert_eq!(holidays.count_before(calendar, counted.last, 9), Ok(counted.first));
        }
    }
}
