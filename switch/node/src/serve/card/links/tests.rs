//! Load sharing, fail-over and bounds.

use torap_domain::{Position, Time};
use torap_engine::cards::{Letter, Message, Trace};

use super::*;

const BANK: ParticipantId = ParticipantId(7);
const MOST: usize = 3;

fn link(links: &Links) -> Arc<Link> {
    let link = Arc::new(Link {
        number: links.next_number(),
        participant: BANK,
        address: SocketAddr::from(([127, 0, 0, 1], 1)),
        since: Instant::now(),
        mailbox: Arc::default(),
    });
    assert!(links.add(Arc::clone(&link)));
    link
}

fn outgoing(preferred: Option<LinkNumber>, cause: u64) -> Outgoing {
    Outgoing {
        effect: Effect {
            to: BANK,
            link: preferred,
            cause: Position(cause),
            time: Time::from_nanos(0),
            message: Message::Queued {
                letter: Letter::Administrative {
                    original: Position(cause),
                    to: BANK,
                },
                trace: Trace {
                    transmitted: torap_domain::card::Transmission::FIRST,
                    stan: torap_domain::card::Stan::new(1).unwrap(),
                },
                repeat: false,
            },
        },
        original: None,
        second: None,
        enquired: false,
    }
}

fn post(links: &Links, preferred: Option<LinkNumber>, cause: u64) -> Option<LinkNumber> {
    let dropped = metrics::Counter::noop();
    let link = links.post(outgoing(preferred, cause), MOST, &dropped)?;
    Some(link.number)
}

#[test]
fn an_answer_goes_to_the_link_of_its_question() {
    let links = Links::default();
    let (_, second, _) = (link(&links), link(&links), link(&links));
    for cause in 1..=2 {
        assert_eq!(
            post(&links, Some(second.number), cause),
            Some(second.number)
        );
    }
    assert_eq!(second.mailbox.waiting(), 2);
}

#[test]
fn what_has_no_link_of_its_own_goes_where_least_waits() {
    let links = Links::default();
    let both = [link(&links), link(&links)];
    for cause in 1..=6 {
        post(&links, None, cause);
    }
    assert_eq!(both.each_ref().map(|link| link.mailbox.waiting()), [3, 3]);
}

#[test]
fn nobody_signed_on_means_nowhere() {
    let links = Links::default();
    assert_eq!(post(&links, None, 1), None);
}

#[test]
fn a_link_that_is_ending_gives_way_to_another() {
    let links = Links::default();
    let (first, second) = (link(&links), link(&links));
    post(&links, Some(first.number), 1);
    let waited = first.mailbox.close();
    assert_eq!(waited.len(), 1);
    assert_eq!(post(&links, Some(first.number), 2), Some(second.number));
    links.remove(&first);
    links.remove(&second);
    assert_eq!(post(&links, None, 3), None);
}

#[test]
fn the_oldest_makes_room() {
    let links = Links::default();
    let only = link(&links);
    for cause in 1..=4 {
        post(&links, None, cause);
    }
    let first = only.mailbox.next_outgoing().unwrap();
    assert_eq!(first.effect.cause, Position(2));
    assert_eq!(only.mailbox.waiting(), 2);
}

#[test]
fn a_participant_has_so_many_links_and_no_more() {
    let links = Links::default();
    for _ in 0..LINKS_MAX {
        link(&links);
    }
    let one_more = Link {
        number: links.next_number(),
        participant: BANK,
        address: SocketAddr::from(([127, 0, 0, 1], 1)),
        since: Instant::now(),
        mailbox: Arc::default(),
    };
    assert!(!links.add(Arc::new(one_more)));
}

/// Messages that waited for their MAC when their link ended.
#[test]
fn what_could_not_be_sent_goes_before_what_waits_to_another_link() {
    let links = Links::default();
    let (first, second) = (link(&links), link(&links));
    for cause in 1..=3 {
        post(&links, Some(first.number), cause);
    }
    let taken: Vec<Outgoing> = (0..2)
        .filter_map(|_| first.mailbox.next_outgoing())
        .collect();
    assert_eq!((taken.len(), first.mailbox.waiting()), (2, 1));
    first.mailbox.put_back(taken.into_iter());
    links.remove(&first);
    for waiting in first.mailbox.close() {
        let dropped = metrics::Counter::noop();
        let other = links.post(waiting, MOST, &dropped).unwrap();
        assert_eq!(other.number, second.number);
    }
    let causes = std::iter::from_fn(|| second.mailbox.next_outgoing());
    let causes: Vec<u64> = causes.map(|one| one.effect.cause.value()).collect();
    assert_eq!(causes, [1, 2, 3]);
}
