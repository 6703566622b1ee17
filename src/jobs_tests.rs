//! The life of jobs without JavaScript.

use std::thread;

use super::*;

/// Runs until somebody opens it.
struct Endless(Arc<AtomicUsize>);

impl Work for Endless {
    fn slice(&self) -> Outcome<bool> {
        self.0.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(1));
        Ok(true)
    }
    fn done(&self) -> u64 {
        self.0.load(Ordering::SeqCst) as u64
    }
    fn is_foreign(&self) -> bool {
        true
    }
    fn answer(&self) -> Answer {
        Answer::Nothing
    }
}

/// Ends, fails or panics after some slices.
struct Short {
    left: AtomicUsize,
    end: fn() -> Outcome<bool>,
}

impl Work for Short {
    fn slice(&self) -> Outcome<bool> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 1 {
            Ok(true)
        } else {
            (self.end)()
        }
    }
    fn done(&self) -> u64 {
        0
    }
    fn is_foreign(&self) -> bool {
        true
    }
    fn answer(&self) -> Answer {
        Answer::Number(42.0)
    }
}

fn owner() -> (Arc<Owner>, Arc<AtomicUsize>) {
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    let wake = move || {
        count.fetch_add(1, Ordering::SeqCst);
    };
    (Owner::new(2, Box::new(wake)), woken)
}

fn wait(mut until: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !until() {
        assert!(begun.elapsed() < Duration::from_secs(10), "waited too long");
        thread::sleep(Duration::from_millis(1));
    }
}

fn outcome_of(end: fn() -> Outcome<bool>) -> Outcome<Answer> {
    let (owner, _) = owner();
    let id = owner.start(
        Box::new(Short {
            left: AtomicUsize::new(5),
            end,
        }),
        1,
        false,
    );
    let mut news = None;
    wait(|| {
        news = news.or(owner.fetch());
        news.is_some()
    });
    assert_eq!(news, Some((id, News::Finished)));
    let result = owner.take(id).expect("a result");
    assert!(owner.take(id).is_none(), "a result is taken once");
    owner.end();
    result
}

#[test]
fn a_job_gives_its_answer_or_its_failure_or_its_panic() {
    assert!(matches!(outcome_of(|| Ok(false)), Ok(Answer::Number(42.0))));
    assert!(matches!(
        outcome_of(|| Err(Fail::closed())),
        Err(Fail::Coded {
            code: "ERR_INVALID_STATE",
            ..
        })
    ));
    assert!(matches!(
        outcome_of(|| panic!("on purpose")),
        Err(Fail::Coded {
            code: "ERR_INTERNAL_ASSERTION",
            ..
        })
    ));
}

#[test]
fn a_cancelled_job_stops_and_is_not_heard_of_again() {
    let (owner, _) = owner();
    let slices = Arc::new(AtomicUsize::new(0));
    let id = owner.start(Box::new(Endless(Arc::clone(&slices))), 1, true);
    wait(|| slices.load(Ordering::SeqCst) > 3);
    owner.cancel(id);
    let seen = slices.load(Ordering::SeqCst);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(slices.load(Ordering::SeqCst), seen);
    assert!(owner.fetch().is_none());
    owner.end();
}

#[test]
fn progress_is_told_at_most_every_16_ms_after_it_was_fetched() {
    let (owner, woken) = owner();
    let slices = Arc::new(AtomicUsize::new(0));
    let id = owner.start(Box::new(Endless(slices)), 2, true);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(
        woken.load(Ordering::SeqCst),
        1,
        "nothing was fetched, so there is only one report to fetch"
    );
    let mut last: Option<Instant> = None;
    let begun = Instant::now();
    let mut count = 0;
    // A busy machine may take its time, but reports come for as long as the job runs.
    while count < 6 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "only {count} reports in 20 s"
        );
        if let Some((other, News::Progress(_))) = owner.fetch() {
            assert_eq!(other, id);
            assert!(
                last.is_none_or(|last| last.elapsed() >= PROGRESS),
                "two reports in 16 ms"
            );
            last = Some(Instant::now());
            count += 1;
        }
        thread::sleep(Duration::from_millis(1));
    }
    owner.end();
}

#[test]
fn the_end_of_an_environment_waits_for_the_slice_that_runs_and_for_no_more() {
    let (owner, woken) = owner();
    let slices = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        owner.start(Box::new(Endless(Arc::clone(&slices))), 2, false);
    }
    wait(|| slices.load(Ordering::SeqCst) > 10);
    let begun = Instant::now();
    owner.end();
    assert!(begun.elapsed() < Duration::from_millis(500));
    let seen = slices.load(Ordering::SeqCst);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(
        slices.load(Ordering::SeqCst),
        seen,
        "a slice ran after the end"
    );
    assert_eq!(woken.load(Ordering::SeqCst), 0);
}
