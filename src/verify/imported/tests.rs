//! Tests of imported hashes, with hashes that Dovecot, libxcrypt and Python's hashlib made.

use super::*;
use crate::verify::hash::Params;

const PASSWORD: &[u8] = b"Tr0ub4dor&3";

/// One hash of every notation that is accepted, all of [`PASSWORD`].
const GOOD: [&str; 21] = [
    "{BLF-CRYPT}$2y$05$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3/Pau4C1/0Aq.tdxbuPY4i",
    "{CRYPT}$2y$05$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3/Pau4C1/0Aq.tdxbuPY4i",
    "$2b$04$abcdefghijklmnopqrstuu5UWyuxawIwQzpnlr0Mft5nu6B9cYh/C",
    "{SHA256-CRYPT}$5$t7nCWJDGCf8yx0ad$n8M5hWV6XU.BUrKdOn62UOppi1ku5FWH3w17Ay4DY78",
    "{SHA512-CRYPT}$6$iP4Oc981xvTUzUJA$Kf5zzlSpRQudEXOJMkQpJgFFVBpwjm0Y/GpFHhw28H9bnMq0TE5mgvk6oACFxG1osqjTqle/oPmVnaBJDTCZf0",
    "$5$rounds=1000$lVQ2sjWVA/O3zKP3$Df195BhBIpGpg3X1.BIq2hAJB6Q62Wu9sq/y73khOo4",
    "$6$rounds=1000$0qnilyhmn6Upz10O$nLI/wwoBMxRnA9jZ8E6EOyY4dY/XAillDrbGh1G2EPdMJpttANuuxE5rTO3y9lbsHKPJDLTKlrBwJdbPqFH46/",
    "$y$j75$abcdefghijklmnop$x0ZbKphumZKKeIaP01OiI3hVTVF1IA8jfSyxuglbBS8",
    "$y$j9T$abcdefghijklmnop$XsX8cIqPKyKKBWfQrNThh1A2GcLjtXut0H/D67OZHg1",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$C4A7vprK1q3kU2qKtx4EIg$ZE25200MQhtYftRvR1uL4sn3vUWDNjiJL6tkmUesGac",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$/SThO4/UJfpvpbYyXJ/0tQ$PjV1H8FXqt0eKhVCgJJ1FaHMuxrPB/6y3gPKNxHHyaM",
    "{PBKDF2}$1$I4PRUFDOWHGPWS1A$5000$c4a2b02927eb2ef1f15c1978d7eb15be1e93693e",
    "$pbkdf2$1000$..9zYWx0c2FsdHNhbHQ$wOw9Xgs5oDv/FZQgZfOcIlJwgow",
    "$pbkdf2-sha256$1000$..9zYWx0c2FsdHNhbHQ$5BHWHs2bC4J01Bz3TBwQuSBRM/TJg7V4LORcRxw5m8c",
    "$pbkdf2-sha256$i=1000,l=32$++9zYWx0c2FsdHNhbHQ$5BHWHs2bC4J01Bz3TBwQuSBRM/TJg7V4LORcRxw5m8c",
    "$pbkdf2-sha512$1000$..9zYWx0c2FsdHNhbHQ$FA3Fb8XLGVxpgHsEC3qu7i66rltZmJjBNMrOz.xrKMpWxq5yri0gAfozmoXGIMiJsm8SfFKlhDPUNdMP4/vGUg",
    "{SSHA}C60Fx6QQjkxl9j+Gb1okHcY19BTxPjbi",
    "{SSHA256}0B3UM8GV+1vb506slonBG4Pg6tq4PIv3tZ8/sNDS5WrnyElm",
    "{SSHA512}YDXT6/wFOxFT3i/Y2POmExn8o3LP8Ermw5R1FHtInhlr15IXT1ECCxNAIeiL+uyxrJZtV9HqUQus0MoIfdCW2nnCZT8=",
    "{SSHA256.HEX}706b8d6591ee432ef5564403072bef2e51be86070d0075acbab6a0424c1899a112d8ab3c",
    "{ssha256.hex}706B8D6591EE432EF5564403072BEF2E51BE86070D0075ACBAB6A0424C1899A112D8AB3C",
];

fn error(text: &str) -> BadHash {
    match Imported::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error,
    }
}

#[test]
fn hashes_of_other_software_verify_in_every_notation_and_after_normalising() {
    let mut memory = Memory::new(Params {
        memory_kib: 8,
        passes: 1,
    });
    for text in GOOD {
        let imported = Imported::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(imported.matches(PASSWORD, &mut memory), Ok(true), "{text}");
        let normal = imported.to_text();
        let again = Imported::parse(&normal).unwrap_or_else(|error| panic!("{normal}: {error}"));
        assert_eq!(again.to_text(), normal);
        assert_eq!(again.matches(b"Tr0ub4dor&4", &mut memory), Ok(false), "{text}");
        assert!(
            !normal.starts_with("$argon2"),
            "{normal} would be taken for one of ours"
        );
    }
}

#[test]
fn a_cost_above_its_cap_is_refused_before_anything_is_computed() {
    let cases = [
        "$2y$15$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3/Pau4C1/0Aq.tdxbuPY4i",
        "$2y$31$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3/Pau4C1/0Aq.tdxbuPY4i",
        "$5$rounds=1000001$lVQ2sjWVA/O3zKP3$Df195BhBIpGpg3X1.BIq2hAJB6Q62Wu9sq/y73khOo4",
        "$5$rounds=999999999$lVQ2sjWVA/O3zKP3$Df195BhBIpGpg3X1.BIq2hAJB6Q62Wu9sq/y73khOo4",
        "{ARGON2ID}$argon2id$v=19$m=262144,t=3,p=1$R0fM4x3VPvTI9qgZZrlh3g$bntwoc2qP+82F9jUiv6ab83JbvO6NNSNlm4m2+HrIW8",
        "$argon2id$v=19$m=1024,t=17,p=1$C4A7vprK1q3kU2qKtx4EIg$ZE25200MQhtYftRvR1uL4sn3vUWDNjiJL6tkmUesGac",
        "$argon2id$v=19$m=1024,t=1,p=17$C4A7vprK1q3kU2qKtx4EIg$ZE25200MQhtYftRvR1uL4sn3vUWDNjiJL6tkmUesGac",
        "$argon2id$v=19$m=131072,t=5,p=1$C4A7vprK1q3kU2qKtx4EIg$ZE25200MQhtYftRvR1uL4sn3vUWDNjiJL6tkmUesGac",
        "$pbkdf2-sha256$1500001$..9zYWx0c2FsdHNhbHQ$5BHWHs2bC4J01Bz3TBwQuSBRM/TJg7V4LORcRxw5m8c",
        "{PBKDF2}$1$I4PRUFDOWHGPWS1A$4294967295$c4a2b02927eb2ef1f15c1978d7eb15be1e93693e",
        "$y$jFT$abcdefghijklmnop$XsX8cIqPKyKKBWfQrNThh1A2GcLjtXut0H/D67OZHg1",
    ];
    for text in cases {
        let error = error(text);
        assert!(
            matches!(error, BadHash::TooCostly { found, cap, .. } if found > cap),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_protects_nothing_is_refused_with_what_to_do() {
    let cases = [
        "{MD5-CRYPT}$1$4cqT2emT$aaCDySCAPoYTAkxGpNp/S1",
        "$1$4cqT2emT$aaCDySCAPoYTAkxGpNp/S1",
        "$apr1$4cqT2emT$aaCDySCAPoYTAkxGpNp/S1",
        "{SMD5}BAhroKmYaUbQSWlhFKdZxnz218s=",
        "{SHA256}SEhuFRToQjRv9AWx5F9EBZroJhnyMG+Z0JQNyzhukfc=",
        "{PLAIN}Tr0ub4dor&3",
        "{DES-CRYPT}abJnggxhB/yWI",
    ];
    for text in cases {
        let error = error(text);
        assert!(matches!(error, BadHash::Weak(_)), "{text}: {error}");
        assert!(error.to_string().contains("add a new device"), "{error}");
    }
}

#[test]
fn broken_and_unknown_texts_are_refused_and_never_repeated() {
    let cases = [
        "",
        "Tr0ub4dor&3",
        "$ecret$password",
        "{WHATEVER}Tr0ub4dor&3",
        "{SSHA}Tr0ub4dor",
        "{SSHA256.B32}Tr0ub4dor",
        "$2x$05$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3/Pau4C1/0Aq.tdxbuPY4i",
        "$2y$05$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3",
        "$2y$03$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3/Pau4C1/0Aq.tdxbuPY4i",
        "$5$rounds=10$lVQ2sjWVA/O3zKP3$Df195BhBIpGpg3X1.BIq2hAJB6Q62Wu9sq/y73khOo4",
        "$5$morethansixteenletters$Df195BhBIpGpg3X1.BIq2hAJB6Q62Wu9sq/y73khOo4",
        "$6$lVQ2sjWVA/O3zKP3$Df195BhBIpGpg3X1.BIq2hAJB6Q62Wu9sq/y73khOo4",
        "$argon2id$v=19$m=64,t=1,p=1$C4A7vprK1q3kU2qKtx4EIg",
        "$argon2d$v=19$m=64,t=1,p=1$C4A7vprK1q3kU2qKtx4EIg$ZE25200MQhtYftRvR1uL4sn3vUWDNjiJL6tkmUesGac",
        "$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA$C4A7vprK1q3kU2qKtx4EIg$ZE25200MQhtYftRvR1uL4sn3vUWDNjiJL6tkmUesGac",
        "$pbkdf2-sha256$0$..9zYWx0c2FsdHNhbHQ$5BHWHs2bC4J01Bz3TBwQuSBRM/TJg7V4LORcRxw5m8c",
        "$pbkdf2-sha256$1000$..9zYWx0c2FsdHNhbHQ$5BHW",
        "$y$j9T$abcdefghijklmnop$XsX8",
        "$y$j953/2$abcdefghijklmnop$XsX8cIqPKyKKBWfQrNThh1A2GcLjtXut0H/D67OZHg1",
        "$y$",
        "{",
        "{}",
        "$",
    ];
    for text in cases {
        let message = error(text).to_string();
        assert!(
            !message.contains("Tr0ub4dor") && !message.contains("ecret"),
            "{message}"
        );
    }
    assert_eq!(error(&"x".repeat(100_000)), BadHash::Unknown);
}

#[test]
fn bcrypt_compares_72_octets_as_the_software_did_that_made_it() {
    let long = [b'a'; 80];
    let text = bcrypt::hash_with_salt(long, 4, [7; 16]).unwrap().to_string();
    let imported = Imported::parse(&text).unwrap();
    let mut memory = Memory::new(Params {
        memory_kib: 8,
        passes: 1,
    });
    assert_eq!(imported.matches(&[b'a'; 72], &mut memory), Ok(true));
    assert_eq!(imported.matches(&[b'a'; 71], &mut memory), Ok(false));
}

proptest::proptest! {
    #[test]
    fn parsing_never_panics(text in "[{$]?[A-Za-z0-9$}=,./+-]{0,80}") {
        let _ = Imported::parse(&text).map(|imported| imported.to_text());
    }
}
