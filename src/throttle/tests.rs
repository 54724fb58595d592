//! Tests of the throttle with a clock moved by hand, and a model test against plain maps.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::clock::{Clock, Timestamp};

const MINUTE: Duration = Duration::from_secs(60);

fn ip(last: u8) -> IpAddr {
    IpAddr::from([203, 0, 113, last])
}

fn start() -> Instant {
    Clock::manual(Timestamp(0)).now()
}

fn fail(throttle: &Throttle, now: Instant, last: u8, name: &str, secrets: std::ops::Range<u32>) -> Counted {
    let count = |secret: u32| throttle.count(now, throttle.source(ip(last), name), &secret.to_le_bytes());
    secrets.map(count).reduce(|_, latest| latest).unwrap()
}

#[test]
fn a_repeated_wrong_secret_counts_once_however_often_it_comes() {
    let (throttle, now) = (Throttle::new(Config::default()), start());
    assert_eq!(
        throttle.count(now, throttle.source(ip(1), "anna@x.org"), b"old"),
        Counted {
            distinct: true,
            network_count: 1,
            name_count: 1
        }
    );
    for minutes in 1..200 {
        let counted = throttle.count(now + MINUTE * minutes, throttle.source(ip(1), " Anna@X.org"), b"old");
        assert!(
            !counted.distinct && counted.network_count <= 1,
            "{minutes}: {counted:?}"
        );
    }
    assert!(
        throttle
            .count(now, throttle.source(ip(1), "anna@x.org"), b"other")
            .distinct
    );
    assert!(
        throttle
            .count(now, throttle.source(ip(1), "ben@x.org"), b"old")
            .distinct,
        "another name is another guess"
    );
}

#[test]
fn typos_slow_nobody_but_cannot_buy_hash_runs_without_end() {
    let (throttle, now) = (Throttle::new(Config::default()), start());
    let at_once = now + throttle.config.base_delay;
    for typo in 0..throttle.config.hash_stop {
        assert!(throttle.may_hash_untagged(now, throttle.source(ip(1), "anna@x.org")));
        throttle.note_typo(now, throttle.source(ip(1), "anna@x.org"), &typo.to_le_bytes());
    }
    assert!(
        !throttle.may_hash_untagged(now, throttle.source(ip(1), "nobody@x.org")),
        "for any name"
    );
    assert!(
        !throttle.may_hash_untagged(now, throttle.source(ip(2), "anna@x.org")),
        "from anywhere"
    );
    assert!(throttle.may_hash_untagged(now, throttle.source(ip(2), "ben@x.org")));
    assert_eq!(
        throttle.release_at(now, now, throttle.source(ip(1), "anna@x.org")),
        at_once
    );
}

#[test]
fn a_phone_that_repeats_its_typo_takes_nothing_from_its_neighbours() {
    let (throttle, now) = (Throttle::new(Config::default()), start());
    for _ in 0..=throttle.config.hash_stop {
        throttle.note_typo(now, throttle.source(ip(1), "anna@x.org"), b"typo");
    }
    assert!(throttle.may_hash_untagged(now, throttle.source(ip(1), "ben@x.org")));
    assert!(throttle.may_hash_untagged(now, throttle.source(ip(1), "anna@x.org")));
}

#[test]
fn a_secret_that_stayed_away_for_the_window_counts_again() {
    let (throttle, now) = (Throttle::new(Config::default()), start());
    fail(&throttle, now, 1, "anna@x.org", 0..1);
    assert!(!fail(&throttle, now + MINUTE * 59, 1, "anna@x.org", 0..1).distinct);
    assert!(fail(&throttle, now + MINUTE * (59 + 61), 1, "anna@x.org", 0..1).distinct);
}

#[test]
fn counts_halve_with_each_half_life() {
    let (throttle, now) = (Throttle::new(Config::default()), start());
    assert_eq!(fail(&throttle, now, 1, "anna@x.org", 0..16).name_count, 16);
    for (half_lives, expected) in [(1, 8), (2, 4), (3, 2), (10, 0)] {
        let later = now + MINUTE * 15 * half_lives;
        assert_eq!(
            throttle.networks.count(later, throttle.source(ip(1), "").network.wrong),
            expected
        );
    }
}

#[test]
fn networks_are_counted_by_prefix_and_names_over_all_networks() {
    let (throttle, now) = (Throttle::new(Config::default()), start());
    let v6 = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!(
        throttle
            .count(now, throttle.source(v6("2001:db8::1"), "a@x.org"), b"1")
            .network_count,
        1
    );
    assert_eq!(
        throttle
            .count(now, throttle.source(v6("2001:db8::2"), "b@x.org"), b"1")
            .network_count,
        2
    );
    assert_eq!(
        throttle.count(now, throttle.source(v6("2001:db8:0:1::1"), "a@x.org"), b"1"),
        Counted {
            distinct: true,
            network_count: 1,
            name_count: 2
        }
    );
}

#[test]
fn answers_go_out_on_the_grid_whatever_judging_took() {
    let (throttle, begun) = (Throttle::new(Config::default()), start());
    let release = |judged_ms: u64, last| {
        let now = begun + Duration::from_millis(judged_ms);
        throttle.release_at(begun, now, throttle.source(ip(last), "anna@x.org")) - begun
    };
    for judged_ms in [0, 1, 20, 999, 1000] {
        assert_eq!(release(judged_ms, 1), Duration::from_secs(1), "{judged_ms} ms");
    }
    assert_eq!(release(1001, 1), Duration::from_secs(2));
    assert_eq!(release(7300, 1), Duration::from_secs(8));
}

#[test]
fn distinct_failures_slow_the_network_and_the_name_up_to_the_cap() {
    let (throttle, now) = (Throttle::new(Config::default()), start());
    let delay = |last, name| (throttle.release_at(now, now, throttle.source(ip(last), name)) - now).as_secs();
    fail(&throttle, now, 1, "anna@x.org", 0..5);
    assert_eq!(
        (delay(1, "anna@x.org"), delay(2, "anna@x.org"), delay(1, "ben@x.org")),
        (1, 1, 1)
    );
    fail(&throttle, now, 1, "anna@x.org", 5..6);
    assert_eq!(
        (delay(1, "anna@x.org"), delay(2, "anna@x.org"), delay(1, "ben@x.org")),
        (2, 2, 2)
    );
    fail(&throttle, now, 1, "anna@x.org", 6..7);
    assert_eq!(delay(1, "nobody@x.org"), 4);
    fail(&throttle, now, 1, "anna@x.org", 7..100);
    assert_eq!((delay(1, "anna@x.org"), delay(2, "ben@x.org")), (5, 1));
}

#[test]
fn the_cap_is_rounded_down_to_the_grid_and_odd_settings_do_no_harm() {
    let config = |base, max| Config {
        base_delay: Duration::from_millis(base),
        max_delay: Duration::from_millis(max),
        free_failures: 0,
        ..Config::default()
    };
    let now = start();
    for (base, max, expected) in [(700, 5000, 4900), (2000, 1000, 2000), (0, 5, 5), (1000, 0, 1000)] {
        let throttle = Throttle::new(config(base, max));
        fail(&throttle, now, 1, "anna@x.org", 0..50);
        let delay = throttle.release_at(now, now, throttle.source(ip(1), "anna@x.org")) - now;
        assert_eq!(delay, Duration::from_millis(expected), "base {base}, max {max}");
    }
}

#[test]
fn hashes_without_a_tag_stop_for_a_source_or_name_that_guesses() {
    let (throttle, now) = (
        Throttle::new(Config {
            hash_stop: 10,
            ..Config::default()
        }),
        start(),
    );
    fail(&throttle, now, 1, "anna@x.org", 0..9);
    assert!(throttle.may_hash_untagged(now, throttle.source(ip(1), "anna@x.org")));
    fail(&throttle, now, 1, "anna@x.org", 9..10);
    assert!(!throttle.may_hash_untagged(now, throttle.source(ip(1), "ben@x.org")));
    assert!(!throttle.may_hash_untagged(now, throttle.source(ip(2), "ANNA@x.org")));
    assert!(throttle.may_hash_untagged(now, throttle.source(ip(2), "ben@x.org")));
    assert!(
        throttle.may_hash_untagged(now + MINUTE * 15, throttle.source(ip(1), "anna@x.org")),
        "it decays"
    );
}

/// The same rules on maps that never forget and never run full.
#[derive(Default)]
struct Model {
    seen: HashMap<(u8, u8, u8), Instant>,
    counts: HashMap<(bool, u8), (f64, Instant)>,
}

impl Model {
    fn weight(&self, key: (bool, u8), now: Instant) -> f64 {
        let halved = |at: &Instant| (-(now - *at).as_secs_f64() / (15.0 * 60.0)).exp2();
        self.counts.get(&key).map_or(0.0, |(weight, at)| weight * halved(at))
    }

    fn count(&mut self, now: Instant, network: u8, name: u8, secret: u8) -> (bool, f64, f64) {
        let seen = self.seen.insert((network, name, secret), now);
        let distinct = seen.is_none_or(|at| now - at >= MINUTE * 60);
        if distinct {
            for key in [(true, network), (false, name)] {
                let weight = self.weight(key, now) + 1.0;
                self.counts.insert(key, (weight, now));
            }
        }
        (
            distinct,
            self.weight((true, network), now),
            self.weight((false, name), now),
        )
    }
}

proptest! {
    #[test]
    fn with_room_for_all_it_counts_like_plain_maps(
        failures in proptest::collection::vec((0..4_u8, 0..4_u8, 0..6_u8, 0..900_u64), 1..150),
    ) {
        let (throttle, mut model) = (Throttle::new(Config::default()), Model::default());
        let mut now = start();
        for (network, name, secret, seconds) in failures {
            now += Duration::from_secs(seconds);
            let counted = throttle.count(now, throttle.source(ip(network), &format!("{name}@x.org")), &[secret]);
            let (distinct, network_count, name_count) = model.count(now, network, name, secret);
            prop_assert_eq!(counted.distinct, distinct);
            prop_assert!((f64::from(counted.network_count) - network_count).abs() < 0.52);
            prop_assert!((f64::from(counted.name_count) - name_count).abs() < 0.52);
        }
    }

    #[test]
    fn a_release_is_never_early_never_past_the_cap_and_always_on_the_grid(
        judged_ms in 0..9000_u64, failures in 0..40_u32,
    ) {
        let (throttle, begun) = (Throttle::new(Config::default()), start());
        if failures > 0 {
            fail(&throttle, begun, 1, "anna@x.org", 0..failures);
        }
        let now = begun + Duration::from_millis(judged_ms);
        let released = throttle.release_at(begun, now, throttle.source(ip(1), "anna@x.org"));
        prop_assert!(released >= now);
        prop_assert_eq!((released - begun).as_millis() % 1000, 0);
        prop_assert!(released - begun <= Duration::from_secs(5).max(now - begun + Duration::from_secs(1)));
    }
}
