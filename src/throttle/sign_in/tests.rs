//! Tests of the sign-in throttle with a clock moved by hand, and properties of what it promises.

use proptest::prelude::*;

use super::*;
use crate::clock::{Clock, Timestamp};

const MINUTE: Duration = Duration::from_secs(60);
const ANNA: &str = "anna@x.org";

fn throttle() -> SignInThrottle {
    SignInThrottle::new(SignInConfig::default())
}

fn start() -> Instant {
    Clock::manual(Timestamp(0)).now()
}

fn from(network: u32) -> Guesser<'static> {
    Guesser {
        ip: IpAddr::from(network.to_be_bytes()),
        browser: None,
    }
}

fn known(network: u32) -> Guesser<'static> {
    Guesser {
        browser: Some(b"a known browser"),
        ..from(network)
    }
}

/// Tries until one is refused; how many were let through, and how long to wait then.
fn exhaust(mut take: impl FnMut() -> Result<Taken, Wait>) -> (u32, Duration) {
    let mut taken = 0;
    loop {
        match take() {
            Ok(_) => taken += 1,
            Err(Wait(wait)) => return (taken, wait),
        }
        assert!(taken < 10_000, "no end");
    }
}

#[test]
fn each_network_has_so_many_tries_at_an_address_and_so_many_in_all() {
    let (throttle, now) = (throttle(), start());
    let config = SignInConfig::default();
    let (taken, wait) = exhaust(|| throttle.take_password(now, &from(1), ANNA));
    assert_eq!(taken, config.per_pair);
    assert!(wait > Duration::ZERO && wait < config.half_life, "{wait:?}");
    let mut number = 0;
    let (taken, _) = exhaust(|| {
        number += 1;
        throttle.take_password(now, &from(1), &format!("user{number}@x.org"))
    });
    assert_eq!(taken, config.per_network - config.per_pair);
}

#[test]
fn whoever_waits_as_told_gets_the_next_try() {
    let (throttle, mut now) = (throttle(), start());
    for _ in 0..5 {
        let (_, wait) = exhaust(|| throttle.take_password(now, &from(1), ANNA));
        now += wait;
        assert!(throttle.take_password(now, &from(1), ANNA).is_ok());
    }
}

#[test]
fn a_right_try_costs_nothing() {
    let (throttle, now) = (throttle(), start());
    for _ in 0..1000 {
        let taken = throttle.take_password(now, &from(1), ANNA).unwrap();
        throttle.give_back(now, taken);
        let taken = throttle.take_password(now, &known(1), ANNA).unwrap();
        throttle.give_back(now, taken);
        let taken = throttle.take_code(now, &from(1), b"anna").unwrap();
        throttle.give_back(now, taken);
    }
}

#[test]
fn guessing_from_many_networks_leaves_each_a_few_tries_only_and_the_owner_too() {
    let (throttle, now) = (throttle(), start());
    let config = SignInConfig::default();
    let mut network = 0;
    let before_it_is_hot = config.per_address / config.per_pair;
    for _ in 0..before_it_is_hot {
        network += 1;
        assert_eq!(
            exhaust(|| throttle.take_password(now, &from(network), ANNA)).0,
            config.per_pair
        );
    }
    for _ in 0..500 {
        network += 1;
        let (taken, _) = exhaust(|| throttle.take_password(now, &from(network), ANNA));
        assert_eq!(taken, config.per_pair_of_hot);
    }
    // The owner on a train, whose address nobody has used: a slip, and then the right one.
    assert!(throttle.take_password(now, &from(9_999), ANNA).is_ok());
    assert!(throttle.take_password(now, &from(9_999), ANNA).is_ok());
    // Others are not concerned.
    assert_eq!(
        exhaust(|| throttle.take_password(now, &from(9_998), "ben@x.org")).0,
        config.per_pair
    );
}

#[test]
fn case_and_blanks_make_no_other_address() {
    let (throttle, now) = (throttle(), start());
    let spellings = ["anna@x.org", " Anna@X.org", "ANNA@X.ORG "];
    let mut number = 0;
    let (taken, _) = exhaust(|| {
        number += 1;
        throttle.take_password(now, &from(1), spellings[number % spellings.len()])
    });
    assert_eq!(taken, SignInConfig::default().per_pair);
}

#[test]
fn a_mapped_address_is_no_other_network() {
    let (throttle, now) = (throttle(), start());
    exhaust(|| throttle.take_password(now, &from(0xc000_0201), ANNA));
    let mapped = Guesser {
        ip: "::ffff:192.0.2.1".parse().unwrap(),
        browser: None,
    };
    assert!(throttle.take_password(now, &mapped, ANNA).is_err());
}

#[test]
fn codes_are_counted_over_all_networks_and_afresh_after_a_new_password() {
    let (throttle, now) = (throttle(), start());
    let config = SignInConfig::default();
    let mut network = 0;
    let (taken, wait) = exhaust(|| {
        network += 1;
        throttle.take_code(now, &from(network), b"anna, first password")
    });
    assert_eq!(taken, config.codes);
    assert!(wait > MINUTE, "{wait:?}");
    assert!(throttle.take_code(now, &from(1), b"anna, second password").is_ok());
    let (taken, _) = exhaust(|| throttle.take_code(now, &known(1), b"anna, first password"));
    assert_eq!(taken, config.per_browser, "a known browser has its own");
}

#[test]
fn strangers_cannot_make_us_send_mails_without_end() {
    let (throttle, now) = (throttle(), start());
    let config = SignInConfig::default();
    let mut network = 0;
    let mut mails = 0;
    while throttle.take_mail(now, from(network).ip, ANNA).is_ok() {
        (network, mails) = (network + 1, mails + 1);
    }
    assert_eq!(mails, config.mails);
    let mut number = 0;
    while throttle
        .take_mail(now, from(77).ip, &format!("user{number}@x.org"))
        .is_ok()
    {
        number += 1;
    }
    assert_eq!(number, config.mails_per_network);
    assert!(
        throttle
            .take_mail(now + config.slow_half_life, from(78).ip, ANNA)
            .is_ok()
    );
}

#[test]
fn failures_are_answered_on_the_grid_whatever_they_took() {
    let (throttle, now) = (throttle(), start());
    let second = Duration::from_secs(1);
    let at = |judged: u64| throttle.release_at(now, now + Duration::from_millis(judged));
    assert_eq!(at(0), now + second);
    assert_eq!(at(30), now + second);
    assert_eq!(at(1000), now + second);
    assert_eq!(at(1001), now + second * 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever others do, and whenever: a known browser has all its tries, and so has a network that was never seen its few.
    #[test]
    fn nobody_locks_the_owner_out(
        tries in prop::collection::vec((0_u32..50, 0_usize..3, 0_u64..120, any::<bool>()), 0..400),
    ) {
        let (throttle, mut now) = (throttle(), start());
        let config = SignInConfig::default();
        let addresses = [ANNA, "ben@x.org", "nobody@x.org"];
        for (network, address, seconds, code) in tries {
            now += Duration::from_secs(seconds);
            let _ = throttle.take_password(now, &from(network), addresses[address]);
            if code {
                let _ = throttle.take_code(now, &from(network), b"anna");
            }
        }
        for _ in 0..config.per_browser {
            prop_assert!(throttle.take_password(now, &known(7), ANNA).is_ok());
        }
        for _ in 0..config.per_pair_of_hot {
            prop_assert!(throttle.take_password(now, &from(1000), ANNA).is_ok());
        }
    }

    /// However tries are spread in time, a network gets no more of them at an address than its budget and what refills.
    #[test]
    fn guesses_are_bounded_over_time(pauses in prop::collection::vec(0_u64..600, 1..400)) {
        let (throttle, begun) = (throttle(), start());
        let config = SignInConfig::default();
        let (mut now, mut taken) = (begun, 0_u32);
        for seconds in pauses {
            now += Duration::from_secs(seconds);
            taken += u32::from(throttle.take_password(now, &from(1), ANNA).is_ok());
        }
        let half_lives = (now - begun).as_secs_f64() / config.half_life.as_secs_f64();
        let budget = f64::from(config.per_pair);
        let most = budget + (budget + 1.0) * std::f64::consts::LN_2 * half_lives + 1.0;
        prop_assert!(f64::from(taken) <= most, "{taken} of at most {most}");
    }
}

#[test]
fn set_up_links_have_budgets_of_sender_organisation_and_address() {
    let now = start();
    let config = SignInConfig::default();
    let count = |throttle: &SignInThrottle, user: &[u8], to: &dyn Fn(u32) -> String| {
        let numbers = 0..config.links_per_org * 2;
        let taken = numbers.filter(|number| throttle.take_link(now, b"acme", user, &to(*number)).is_ok());
        u32::try_from(taken.count()).unwrap()
    };
    let each = |number: u32| format!("guest{number}@x.org");
    let throttle = throttle();
    // What one sender has used up costs nobody else anything, nor do their further tries.
    assert_eq!(count(&throttle, b"anna", &each), config.links_per_sender);
    assert_eq!(count(&throttle, b"ben", &|_| " Lucie@x.org".to_owned()), config.links);
    assert_eq!(
        count(&throttle, b"cleo", &|_| "lucie@X.org".to_owned()),
        0,
        "enough went there"
    );
    let mut of_org = config.links_per_sender + config.links;
    for user in 0..100_u32 {
        of_org += count(&throttle, &user.to_le_bytes(), &|number| {
            format!("{user}-{number}@x.org")
        });
    }
    assert_eq!(of_org, config.links_per_org);
    assert!(throttle.take_link(now, b"other", b"anna", "lucie@x.org").is_ok());
    // None of it is taken from invitations.
    assert!(throttle.take_invitation(now, b"acme", "lucie@x.org").is_ok());
}
