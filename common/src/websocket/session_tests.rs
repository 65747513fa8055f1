//! The conversation, with a clock moved by hand.

use super::*;

const S: Duration = Duration::from_secs(1);
const DATA: Duration = Duration::from_secs(15);

fn endpoint() -> Endpoint {
    Endpoint {
        url: String::new(),
        heartbeat: Some(Heartbeat { say: "ping".into(), every: 20 * S, within: 5 * S }),
        silence: 45 * S,
        pace: S / 4,
        lifetime: Some(3600 * S),
    }
}

fn step(say: &[&str], answers: usize) -> Step {
    Step { say: say.iter().map(ToString::to_string).collect(), answers }
}

fn say(text: &str) -> Next {
    Next::Say(text.to_owned())
}

#[test]
fn it_speaks_at_the_venue_s_pace_and_lives_once_all_is_answered() {
    let t = Instant::now();
    let mut session = Session::open(&endpoint(), vec![step(&["a", "b"], 2), step(&["c"], 1)], Some(DATA), t);
    assert_eq!(session.next(t), say("a"));
    assert_eq!(session.next(t), Next::Wait(t + S / 4));
    assert_eq!(session.next(t + S / 4), say("b"));
    session.take(Signal::Accepted, t + S);
    assert!(!session.live());
    session.take(Signal::Accepted, t + S);
    assert_eq!(session.next(t + S), say("c"));
    session.take(Signal::Accepted, t + S);
    assert!(session.live());
}

#[test]
fn a_welcome_is_awaited_before_anything_is_said() {
    let t = Instant::now();
    let mut session = Session::open(&endpoint(), vec![step(&[], 1), step(&["topics"], 1)], Some(DATA), t);
    assert!(matches!(session.next(t), Next::Wait(_)));
    session.take(Signal::Accepted, t);
    assert_eq!(session.next(t), say("topics"));
}

#[test]
fn an_answer_that_does_not_come_ends_it() {
    let t = Instant::now();
    let mut session = Session::open(&endpoint(), vec![step(&["a"], 1)], Some(DATA), t);
    assert_eq!(session.next(t), say("a"));
    assert_eq!(session.next(t), Next::Wait(t + ANSWER));
    session.hear(t + ANSWER);
    let Next::End(end) = session.next(t + ANSWER) else { unreachable!("must end") };
    assert_eq!(end.reason(), "timeout");
}

#[test]
fn one_refusal_among_many_is_no_end_but_only_refusals_are() {
    let t = Instant::now();
    let refusal = || Signal::Refused(Fault::new(Kind::Venue, "no such topic"));
    let mut some = Session::open(&endpoint(), vec![step(&["a", "b"], 2)], Some(DATA), t);
    some.next(t);
    some.next(t + S);
    some.take(refusal(), t + S);
    some.take(Signal::Accepted, t + S);
    assert!(some.live());
    assert!(matches!(some.next(t + S), Next::Wait(_)));
    let mut none = Session::open(&endpoint(), vec![step(&["a"], 1)], Some(DATA), t);
    none.next(t);
    none.take(refusal(), t);
    assert_eq!(none.next(t), Next::End(Fault::new(Kind::Venue, "no such topic").into()));
}

#[test]
fn a_ping_without_pong_is_death_even_while_data_comes() {
    let t = Instant::now();
    let mut session = Session::open(&endpoint(), vec![], Some(DATA), t);
    for second in 0..=20 {
        session.hear(t + second * S);
        session.data(t + second * S);
    }
    assert_eq!(session.next(t + 20 * S), say("ping"));
    session.take(Signal::Pong, t + 21 * S);
    session.data(t + 34 * S);
    session.hear(t + 34 * S);
    assert_eq!(session.next(t + 40 * S), say("ping"));
    session.data(t + 45 * S);
    session.hear(t + 45 * S);
    assert!(matches!(session.next(t + 45 * S), Next::End(end) if end.reason() == "timeout"));
}

#[test]
fn a_line_that_answers_pings_but_brings_no_data_is_dead() {
    let t = Instant::now();
    let mut session = Session::open(&endpoint(), vec![], Some(DATA), t);
    session.data(t + S);
    session.hear(t + 16 * S);
    assert!(matches!(session.next(t + 15 * S), Next::Wait(_)));
    let Next::End(end) = session.next(t + 16 * S) else { unreachable!("must end") };
    assert_eq!(end.reason(), "stalled");
}

#[test]
fn it_changes_lines_before_the_venue_cuts_this_one() {
    let t = Instant::now();
    let short = Endpoint { lifetime: Some(10 * S), ..endpoint() };
    let mut session = Session::open(&short, vec![], Some(DATA), t);
    assert_eq!(session.next(t + 10 * S), Next::Move("rotation"));
    assert!(matches!(session.next(t + 10 * S), Next::Wait(_)), "told once, and the line goes on");
    session.take(Signal::Leaving, t);
    assert_eq!(session.next(t), Next::Move("notice"));
}

#[test]
fn lost_frames_are_counted_and_late_ones_are_not() {
    let t = Instant::now();
    let mut session = Session::open(&endpoint(), vec![], Some(DATA), t);
    let lost: Vec<u64> = [0, 1, 4, 3, 5, 5, 7].map(|n| session.take(Signal::Sequence(n), t)).into();
    assert_eq!(lost, [0, 0, 2, 0, 0, 0, 1]);
}
