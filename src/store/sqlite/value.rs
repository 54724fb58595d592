//! How values of the model are kept in columns: ids and times as integers, everything else in its text form.

use std::net::IpAddr;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::clock::Timestamp;
use crate::model::notice::NoticeKind;
use crate::model::{
    Address, AliasId, ConsoleSessionId, CredentialId, DeviceId, DeviceKind, DeviceLinkId, DomainId, DomainName,
    InvitationId, Language, MailId, MailKind, MailboxId, Networks, OrgId, Rights, Role, Scopes, SenderRule, TokenId,
    TokenScope, UserId,
};
use crate::peer::Protocol;
use crate::store::{EndReason, Hash, Proof, Seq, TokenHash};

macro_rules! kept_as_integer {
    ($($name:ident: $read:path, $write:expr;)*) => {$(
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map($read)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let write: fn(Self) -> i64 = $write;
                Ok(ToSqlOutput::from(write(*self)))
            }
        }
    )*};
}

kept_as_integer! {
    AliasId: AliasId::from_raw, AliasId::raw;
    ConsoleSessionId: ConsoleSessionId::from_raw, ConsoleSessionId::raw;
    CredentialId: CredentialId::from_raw, CredentialId::raw;
    DeviceId: DeviceId::from_raw, DeviceId::raw;
    DeviceLinkId: DeviceLinkId::from_raw, DeviceLinkId::raw;
    DomainId: DomainId::from_raw, DomainId::raw;
    InvitationId: InvitationId::from_raw, InvitationId::raw;
    MailId: MailId::from_raw, MailId::raw;
    MailboxId: MailboxId::from_raw, MailboxId::raw;
    OrgId: OrgId::from_raw, OrgId::raw;
    Seq: Seq, |seq| seq.0;
    Timestamp: Timestamp, |at| at.0;
    TokenId: TokenId::from_raw, TokenId::raw;
    UserId: UserId::from_raw, UserId::raw;
}

macro_rules! kept_as_text {
    ($($name:ident: $read:expr, $write:expr;)*) => {$(
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let read: fn(&str) -> Option<Self> = $read;
                read(value.as_str()?).ok_or_else(|| FromSqlError::Other(concat!("not a ", stringify!($name)).into()))
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let write: fn(&Self) -> String = $write;
                Ok(ToSqlOutput::from(write(self)))
            }
        }
    )*};
}

kept_as_text! {
    Address: |text| Self::parse(text).ok(), Self::to_string;
    DeviceKind: |text| text.parse().ok(), Self::to_string;
    DomainName: |text| Self::parse(text).ok(), Self::to_string;
    EndReason: Self::from_name, |reason| reason.name().to_owned();
    Hash: |text| Some(Self(text.to_owned())), |hash| hash.0.clone();
    Language: |text| text.parse().ok(), Self::to_string;
    MailKind: Self::from_name, |kind| kind.name().to_owned();
    Networks: |text| text.parse().ok(), Self::to_string;
    NoticeKind: Self::from_name, |kind| kind.name().to_owned();
    Proof: Self::from_name, |proof| proof.name().to_owned();
    Protocol: Self::from_name, |protocol| protocol.name().to_owned();
    Rights: |text| text.parse().ok(), Self::to_string;
    Role: |text| text.parse().ok(), Self::to_string;
    Scopes: |text| text.parse().ok(), Self::to_string;
    SenderRule: |text| text.parse().ok(), Self::to_string;
    TokenScope: |text| text.parse().ok(), Self::to_string;
}

impl FromSql for TokenHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self)
    }
}

impl ToSql for TokenHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_slice()))
    }
}

/// Reads an IP address from a text column.
pub(super) fn ip_from(text: &str) -> rusqlite::Result<IpAddr> {
    text.parse()
        .map_err(|_| FromSqlError::Other("not an IP address".into()).into())
}
