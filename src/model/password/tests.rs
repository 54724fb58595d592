//! Tests of the generated password's form, its check letter and how what people type is read.

use proptest::prelude::*;

use super::*;

/// A generator that counts up from a seed: enough variety, and the same in every run.
fn from_seed(seed: u64) -> PlainPassword {
    let mut reader = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
    PlainPassword::generate(&mut |octets| reader.fill(octets))
}

fn is_generated(text: &str, expected: &PlainPassword) -> bool {
    matches!(PlainPassword::read(text.as_bytes()), Typed::Generated(read) if read.canonical() == expected.canonical())
}

fn is_typo(letters: &[u8]) -> bool {
    matches!(PlainPassword::read(letters), Typed::Typo)
}

#[test]
fn a_password_has_four_groups_of_letters_and_at_least_64_bits() {
    let shown = from_seed(1).shown();
    assert_eq!(shown.expose().len(), 19);
    assert!(
        shown
            .expose()
            .split('-')
            .all(|group| group.len() == 4 && group.bytes().all(|b| ALPHABET.contains(&b)))
    );
    assert!((ALPHABET.len() as f64).log2() * (LETTERS - 1) as f64 >= 64.0);
}

#[test]
fn the_alphabet_is_written_twice_alike() {
    for octet in 0..=u8::MAX {
        let place = ALPHABET.iter().position(|letter| *letter == octet);
        assert_eq!(index_of(octet).map(usize::from), place, "{octet}");
    }
}

#[test]
fn every_letter_comes_up_equally_often_and_refused_octets_do_not_count() {
    let mut counts = [0_u32; 256];
    for seed in 0..2000 {
        from_seed(seed)
            .canonical()
            .iter()
            .take(15)
            .for_each(|letter| counts[usize::from(*letter)] += 1);
    }
    for letter in ALPHABET {
        let count = counts[usize::from(*letter)];
        assert!(
            (1300..1700).contains(&count),
            "{}: {count} of 1500 expected",
            char::from(*letter)
        );
    }
    let mut high_first = [255_u8, 240, 0, 1].into_iter().cycle();
    let password = PlainPassword::generate(&mut |octets| octets.fill_with(|| high_first.next().unwrap()));
    assert_eq!(password.canonical().get(..15).unwrap(), b"bcbcbcbcbcbcbcb");
}

#[test]
fn what_phones_and_web_pages_make_of_it_is_still_read() {
    let password = from_seed(2);
    let plain = String::from_utf8(password.canonical().to_vec()).unwrap();
    let shown = password.shown();
    let shown = shown.expose();
    let capital = shown.get(..1).unwrap().to_uppercase() + shown.get(1..).unwrap();
    assert!(is_generated(&plain, &password) && is_generated(shown, &password) && is_generated(&capital, &password));
    assert!(is_generated(
        &format!("\u{feff} {}\r\n", shown.to_uppercase()),
        &password
    ));
    let dashes = [
        "\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{2015}", "\u{2212}", "\u{ad}",
    ];
    let blanks = [
        " ", "\t", "\u{a0}", "\u{202f}", "\u{2003}", "\u{3000}", "\u{200b}", "\u{2060}", " - ", "\n",
    ];
    for between in dashes.into_iter().chain(blanks) {
        assert!(is_generated(&shown.replace('-', between), &password), "{between:?}");
    }
}

#[test]
fn every_single_wrong_letter_is_a_typo() {
    for seed in 0..50 {
        let right = *from_seed(seed).canonical();
        for place in 0..LETTERS {
            for wrong in ALPHABET.iter().filter(|letter| **letter != right[place]) {
                let mut typed = right;
                typed[place] = *wrong;
                assert!(is_typo(&typed));
            }
        }
    }
}

/// Exhaustive over all letter pairs and places; the code is linear, so the other letters do not matter.
#[test]
fn every_exchange_of_near_letters_and_every_wrong_pair_is_a_typo() {
    for (first, second) in ALPHABET
        .iter()
        .flat_map(|a| ALPHABET.iter().map(move |b| (*a, *b)))
        .filter(|(a, b)| a != b)
    {
        for (place, distance) in (0..LETTERS - 2)
            .flat_map(|place| [(place, 1), (place, 2)])
            .chain([(LETTERS - 2, 1)])
        {
            let with = |x: u8, y: u8| {
                let mut letters = *from_seed(3).canonical();
                (letters[place], letters[place + distance]) = (x, y);
                let mut check = Check::default();
                letters.iter().for_each(|letter| check.add(index_of(*letter).unwrap()));
                (check.four, check.five)
            };
            assert_ne!(
                with(first, second),
                with(second, first),
                "exchange at {place}, {distance} apart"
            );
            if distance == 1 {
                assert_ne!(with(first, first), with(second, second), "pair at {place}");
            }
        }
    }
}

#[test]
fn anything_else_is_taken_byte_for_byte() {
    let others: [&[u8]; 7] = [
        b"",
        b"hunter2",
        b"kqzm-xwdp-hpdt-vnr",
        b"kqzm-xwdp-hpdt-vnrcc",
        b"aaaa-bbbb-cccc-dddd",
        b"\xff\xfe",
        "kqzm_xwdp_hpdt_vnrc".as_bytes(),
    ];
    for other in others {
        assert!(matches!(PlainPassword::read(other), Typed::Other(read) if read == other));
    }
}

#[test]
fn debug_shows_no_letter() {
    assert_eq!(format!("{:?}", from_seed(4)), "PlainPassword([secret])");
}

proptest! {
    #[test]
    fn reading_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
        PlainPassword::read(&octets);
    }

    #[test]
    fn every_generated_password_reads_as_itself(seed in any::<u64>()) {
        let password = from_seed(seed);
        prop_assert!(is_generated(password.shown().expose(), &password));
    }
}
