//! Values that carry their unit or form in the file: times (`"5 s"`), sizes (`"16 KiB"`), networks, sockets, characters.
//!
//! Each reads any TOML value, so that a wrong type is answered with an example of a right one. A bare number has no
//! meaning here: nobody should have to remember whether a time-out was in seconds or milliseconds.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::dns;

/// A span of time, as `"250ms"`, `"5 s"`, `"3m"`, `"1 h"` or `"90d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Time(pub(crate) Duration);

/// A number of octets, as `"512 B"`, `"16 KiB"`, `"64MiB"` or `"1 GiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Size(pub(crate) usize);

/// An address range in CIDR form; a plain address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Network(pub(crate) IpNet);

/// An address to listen on: `"0.0.0.0:993"`, `"[::]:993"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Socket(pub(crate) SocketAddr);

/// A name server: `"192.0.2.53"`, `"127.0.0.1:5353"`, `"[2001:db8::53]:53"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct NameServer(pub(crate) SocketAddr);

/// One character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Letter(pub(crate) char);

const TIME_UNITS: [(&str, u64); 7] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];
const SIZE_UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Time {
    /// Reads a number and its unit.
    ///
    /// # Errors
    /// What is wrong and how a time looks.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{text}` is not a time; write a whole number and a unit such as \"250ms\", \"5 s\", \"3m\", \"1 h\" or \"90d\""
            )
        };
        measured(text, &TIME_UNITS)
            .map(|ms| Self(Duration::from_millis(ms)))
            .ok_or_else(bad)
    }
}

impl Size {
    /// Reads a number and its unit.
    ///
    /// # Errors
    /// What is wrong and how a size looks.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{text}` is not a size; write a whole number and a unit such as \"512 B\", \"16 KiB\" or \"64 MiB\""
            )
        };
        measured(text, &SIZE_UNITS)
            .and_then(|octets| usize::try_from(octets).ok())
            .map(Self)
            .ok_or_else(bad)
    }
}

impl Network {
    /// Reads CIDR, or an address as a range of one.
    ///
    /// # Errors
    /// What is wrong and what was probably meant.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
            format!("`{text}` is not a network; write one such as \"192.0.2.0/24\", \"2001:db8::/32\" or a single address")
        })?;
        if net.trunc() == net {
            Ok(Self(net))
        } else {
            Err(format!(
                "`{text}` has bits behind its prefix; write \"{}\" for the network or \"{}\" for the one address",
                net.trunc(),
                net.addr()
            ))
        }
    }
}

/// A whole number, perhaps a blank, and one of these units.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(split)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

impl TryFrom<Value> for Time {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::parse(&text),
            Value::Integer(number) => Err(format!(
                "a time needs its unit; write \"{number} s\" for seconds or \"{number}ms\" for milliseconds"
            )),
            other => Err(format!("expected a time such as \"5 s\", found {}", kind(&other))),
        }
    }
}

impl TryFrom<Value> for Size {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::parse(&text),
            Value::Integer(number) => Err(format!(
                "a size needs its unit; write \"{number} B\" for octets or \"{number} KiB\""
            )),
            other => Err(format!("expected a size such as \"16 KiB\", found {}", kind(&other))),
        }
    }
}

impl TryFrom<Value> for Network {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::parse(&text),
            other => Err(format!(
                "expected a network such as \"192.0.2.0/24\", found {}",
                kind(&other)
            )),
        }
    }
}

impl TryFrom<Value> for Socket {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let bad = |found: String| {
            format!(
                "{found} is not an address to listen on; write an IP address and a port such as \"0.0.0.0:993\" or \"[::]:993\""
            )
        };
        match value {
            Value::String(text) => text.parse().map(Self).map_err(|_| bad(format!("`{text}`"))),
            Value::Integer(number) => Err(bad(format!("`{number}`"))),
            other => Err(bad(kind(&other).to_owned())),
        }
    }
}

impl TryFrom<Value> for NameServer {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let found = match &value {
            Value::String(text) => {
                let with_port = text.parse().ok();
                let alone = text.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, dns::PORT));
                match with_port.or(alone).filter(|address| address.port() != 0) {
                    Some(address) => return Ok(Self(address)),
                    None => format!("`{text}`"),
                }
            }
            other => kind(other).to_owned(),
        };
        Err(format!(
            "{found} is not a name server; write its IP address, with a port where it is not {}, such as \"127.0.0.1\" or \"[::1]:5353\"",
            dns::PORT
        ))
    }
}

impl TryFrom<Value> for Letter {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let found = match &value {
            Value::String(text) => {
                let mut letters = text.chars();
                if let (Some(letter), None) = (letters.next(), letters.next()) {
                    return Ok(Self(letter));
                }
                format!("`{text}`")
            }
            other => kind(other).to_owned(),
        };
        Err(format!("expected exactly one character in quotes, found {found}"))
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let fits = |unit: &&(&str, u64)| unit.0 != "m" && ms > 0 && ms.is_multiple_of(u128::from(unit.1));
        let (name, factor) = TIME_UNITS.iter().rfind(fits).copied().unwrap_or(("ms", 1));
        write!(f, "{} {name}", ms / u128::from(factor))
    }
}

macro_rules! serialized_as {
    ($name:ty, $this:ident => $text:expr) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $this = self;
                serializer.collect_str(&$text)
            }
        }
    };
}

serialized_as!(Time, this => this);
serialized_as!(Size, this => format_args!("{} B", this.0));
serialized_as!(Network, this => this.0);
serialized_as!(Socket, this => this.0);
serialized_as!(NameServer, this => this.0);
serialized_as!(Letter, this => this.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_with_or_without_a_blank() {
        for (text, ms) in [
            ("250ms", 250),
            ("5 s", 5000),
            ("3m", 180_000),
            ("30 min", 1_800_000),
            ("1 h", 3_600_000),
            ("90d", 7_776_000_000),
        ] {
            assert_eq!(Time::parse(text), Ok(Time(Duration::from_millis(ms))), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "-5 s",
            "5.5 s",
            "5 parsecs",
            "99999999999999999999 d",
            "9999999999999999 w",
        ] {
            assert!(Time::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_in_their_largest_whole_unit() {
        for (ms, text) in [
            (0, "0 ms"),
            (1500, "1500 ms"),
            (5000, "5 s"),
            (180_000, "3 min"),
            (86_400_000, "1 d"),
        ] {
            assert_eq!(Time(Duration::from_millis(ms)).to_string(), text);
        }
    }

    #[test]
    fn sizes_are_binary() {
        assert_eq!(Size::parse("16 KiB"), Ok(Size(16_384)));
        assert_eq!(Size::parse("64MiB"), Ok(Size(64 << 20)));
        assert!(Size::parse("16 kB").is_err());
    }

    #[test]
    fn a_name_server_is_an_address_with_or_without_a_port() {
        let read = |text: &str| NameServer::try_from(Value::String(text.to_owned())).map(|server| server.0.to_string());
        for (text, server) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]:54", "[2001:db8::53]:54"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(server), "{text}");
        }
        for text in ["", "ns1.example.org", "127.0.0.1:0", "[::1]", "127.0.0.1:65536"] {
            let error = read(text).unwrap_err();
            assert!(
                error.contains("not a name server") && error.contains("127.0.0.1"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_network_with_host_bits_is_told_what_was_meant() {
        let error = Network::parse("192.0.2.7/24").unwrap_err();
        assert!(
            error.contains("\"192.0.2.0/24\"") && error.contains("\"192.0.2.7\""),
            "{error}"
        );
        assert_eq!(Network::parse("192.0.2.7").unwrap().0.to_string(), "192.0.2.7/32");
    }
}
