//! The words of the model as JSON has them: ids, roles, rights, moments. Each is read into its type at once, so that a
//! handler never sees a text that is none, and each says in the API's description what it may be.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Timestamp;
use crate::model;

/// Reads a text and makes something of it, or says why it is none.
struct Text<F>(F);

impl<T, E: fmt::Display, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<D: de::Error>(self, text: &str) -> Result<T, D> {
        (self.0)(text).map_err(D::custom)
    }
}

fn text_schema(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
}

macro_rules! named {
    ($name:ident, $schema:expr) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema.build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $name:ident, $prefix:literal;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub(super) struct $name(pub(super) model::$name);

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    self.0.serialize(serializer)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_str(Text(|text: &str| text.parse().map(Self)))
                }
            }

            named!($name, {
                // 13 digits of base 32 are 65 bits, and an id has 63.
                text_schema(concat!($($doc),*).trim())
                    .pattern(Some(concat!("^", $prefix, "-[0-7][0-9a-hjkmnp-tv-z]{12}$")))
            });
        )*
    };
}

ids! {
    /// The id of an alias.
    AliasId, "als";
    /// The id of a device.
    DeviceId, "dev";
    /// The id of a mail domain.
    DomainId, "dom";
    /// The id of an invitation.
    InvitationId, "inv";
    /// The id of a mailbox.
    MailboxId, "mbx";
    /// The id of an organisation.
    OrgId, "org";
    /// The id of an API token; it is no secret.
    TokenId, "tok";
    /// The id of a user.
    UserId, "usr";
}

macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub(super) struct $name(pub(super) model::$name);

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.0.name())
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_str(Text(|text: &str| text.parse().map(Self)))
                }
            }

            named!($name, {
                let all = model::$name::ALL.iter().map(|one| one.name());
                text_schema(concat!($($doc),*).trim()).enum_values(Some(all))
            });
        )*
    };
}

words! {
    /// What a device is. Nothing is allowed or refused by it.
    DeviceKind;
    /// A language of the Manager and its mails.
    Language;
    /// A kind of notice of devices that an organisation can switch off.
    NoticeKind;
    /// One thing that a user may do with one mailbox.
    Right;
    /// What a member may do in the organisation.
    Role;
    /// Whether a token may change anything.
    TokenScope;
}

/// A protocol that a device may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Protocol {
    /// Reads mail.
    Imap,
    /// Sends mail.
    Smtp,
}

impl From<crate::peer::Protocol> for Protocol {
    fn from(protocol: crate::peer::Protocol) -> Self {
        match protocol {
            crate::peer::Protocol::Imap => Self::Imap,
            crate::peer::Protocol::Smtp => Self::Smtp,
        }
    }
}

/// The protocols of a device, in their fixed order.
pub(super) fn protocols(scopes: model::Scopes) -> Vec<Protocol> {
    let imap = scopes.imap.then_some(Protocol::Imap);
    imap.into_iter().chain(scopes.smtp.then_some(Protocol::Smtp)).collect()
}

/// The protocols that somebody chose.
pub(super) fn scopes(chosen: &[Protocol]) -> model::Scopes {
    model::Scopes {
        imap: chosen.contains(&Protocol::Imap),
        smtp: chosen.contains(&Protocol::Smtp),
    }
}

/// The rights of a grant, in their fixed order.
pub(super) fn rights(rights: model::Rights) -> Vec<Right> {
    rights.iter().map(Right).collect()
}

/// A moment in UTC (RFC 3339 §5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(|text: &str| {
            let moment: jiff::Timestamp = text
                .parse()
                .map_err(|_| "this is no moment: write one such as 2026-11-20T14:03:00Z")?;
            Ok::<_, &str>(Self(Timestamp(moment.as_millisecond())))
        }))
    }
}

named!(Moment, {
    text_schema("A moment, such as `2026-11-20T14:03:00Z`.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
});

/// Networks from which a device may sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Networks(pub(super) model::Networks);

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.0.iter().map(ToString::to_string))
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Vec::<String>::deserialize(deserializer)?;
        // One by one: the words for "from anywhere" in the text form of all are no networks.
        let is_one =
            |text: &&String| !text.trim().is_empty() && !text.contains(',') && !text.trim().eq_ignore_ascii_case("any");
        if let Some(given) = given.iter().find(|text| !is_one(text)).cloned() {
            return Err(de::Error::custom(model::device::BadSetting::Network { given }));
        }
        given.join(",").parse().map(Self).map_err(de::Error::custom)
    }
}

impl PartialSchema for Networks {
    fn schema() -> RefOr<Schema> {
        let network = text_schema("An address such as `192.0.2.7`, or a network such as `2001:db8::/32`.");
        let list = utoipa::openapi::ArrayBuilder::new()
            .items(network)
            .max_items(Some(model::device::NETWORKS_MAX))
            .description(Some(
                "From where a device may sign in; from anywhere where there is none.",
            ));
        RefOr::T(Schema::Array(list.build()))
    }
}

impl ToSchema for Networks {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Networks")
    }
}

/// Which sender addresses a device may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Senders(pub(super) model::SenderRule);

impl Serialize for Senders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Senders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(|text: &str| text.parse().map(Self)))
    }
}

named!(Senders, {
    text_schema(
        "Which sender addresses a device may use: `mailbox` for its mailbox and the aliases of it, `off` for any, or \
         further addresses and `@domains` with commas between them.",
    )
    .pattern(Some("^(mailbox|off|[^@,]*@[^@,]+(,[^@,]*@[^@,]+)*)$"))
});

/// An object with the fields of `T`, and no list of their values, which serde would take for one as well.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// A field that is there, also where it says `null`: `None` means that it was left out.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        let id = DeviceId(model::DeviceId::from_raw(i64::MAX));
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(text, "\"dev-7zzzzzzzzzzzz\"");
        assert_eq!(serde_json::from_str::<DeviceId>(&text).unwrap(), id);
        for role in model::Role::ALL {
            let text = serde_json::to_string(&Role(*role)).unwrap();
            assert_eq!(serde_json::from_str::<Role>(&text).unwrap(), Role(*role));
        }
        let moment = Moment(Timestamp(1_795_183_200_123));
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(text, "\"2026-11-20T14:00:00.123Z\"");
        assert_eq!(serde_json::from_str::<Moment>(&text).unwrap(), moment);
        let elsewhere: Moment = serde_json::from_str("\"2026-11-20T15:00:00.123+01:00\"").unwrap();
        assert_eq!(elsewhere, moment);
        let networks: Networks = serde_json::from_str(r#"["192.0.2.7", "2001:db8::1/32"]"#).unwrap();
        assert_eq!(
            serde_json::to_string(&networks).unwrap(),
            r#"["192.0.2.7/32","2001:db8::/32"]"#
        );
        let senders: Senders = serde_json::from_str("\"info@example.org,@example.com\"").unwrap();
        assert_eq!(
            serde_json::to_string(&senders).unwrap(),
            "\"info@example.org,@example.com\""
        );
    }

    #[test]
    fn what_is_no_word_is_told_what_to_write() {
        let told = |error: serde_json::Error| error.to_string();
        let id = told(serde_json::from_str::<DeviceId>("\"mbx-0000000000007\"").unwrap_err());
        assert!(id.contains("is not a device id: expected `dev-`"), "{id}");
        let role = told(serde_json::from_str::<Role>("\"boss\"").unwrap_err());
        assert!(role.contains("write owner, administrator"), "{role}");
        let moment = told(serde_json::from_str::<Moment>("\"tomorrow\"").unwrap_err());
        assert!(moment.contains("write one such as 2026-11-20T14:03:00Z"), "{moment}");
        let network = told(serde_json::from_str::<Networks>("[\"office\"]").unwrap_err());
        assert!(network.contains("is not a network"), "{network}");
        for everywhere in ["[\"\"]", "[\"any\"]", "[\"192.0.2.7\", \"\"]"] {
            serde_json::from_str::<Networks>(everywhere).unwrap_err();
        }
    }
}
