//! CSV with a header (RFC 4180 §2): `address,hash` and perhaps `label,expires`, in any order.

use super::{Raw, Refused, row_text, shown};
use crate::store::Hash;

/// Which column is which.
struct Columns {
    address: usize,
    hash: usize,
    label: Option<usize>,
    expires: Option<usize>,
}

/// Reads all rows.
pub(super) fn parse(octets: &[u8]) -> Result<Vec<Result<Raw, Refused>>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(octets);
    let header = reader.byte_headers().map_err(|error| error.to_string())?.clone();
    let columns = columns(&header)?;
    let (mut rows, mut line, mut counted) = (Vec::new(), 1, 0);
    for record in reader.byte_records() {
        let record = record.map_err(|error| error.to_string())?;
        // The reader's own line numbers are one too low behind CRLF: a record begins between CR and LF for it.
        let begin = record
            .position()
            .and_then(|position| usize::try_from(position.byte()).ok())
            .unwrap_or_default();
        let begin = octets
            .iter()
            .skip(begin)
            .take_while(|octet| b"\r\n".contains(octet))
            .count()
            + begin;
        let passed = octets.get(counted..begin).unwrap_or_default();
        line += passed.iter().filter(|octet| **octet == b'\n').count() as u64;
        counted = begin;
        rows.push(row(line, &record, header.len(), &columns));
    }
    Ok(rows)
}

fn columns(header: &csv::ByteRecord) -> Result<Columns, String> {
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).to_lowercase())
        .collect();
    let known = ["address", "hash", "label", "expires"];
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!(
            "the header has a column `{}`, which would be lost; known are {}",
            shown(name),
            known.join(", ")
        ));
    }
    let column = |name: &str| names.iter().position(|known| known == name);
    let needed = |name: &str| {
        column(name).ok_or_else(|| {
            format!("the header has no column `{name}`; the first line must be address,hash and perhaps label,expires")
        })
    };
    Ok(Columns {
        address: needed("address")?,
        hash: needed("hash")?,
        label: column("label"),
        expires: column("expires"),
    })
}

fn row(line: u64, record: &csv::ByteRecord, width: usize, columns: &Columns) -> Result<Raw, Refused> {
    let _ = row_text(line, record.as_slice())?;
    let field = |column: usize| {
        record
            .get(column)
            .map(String::from_utf8_lossy)
            .unwrap_or_default()
            .into_owned()
    };
    let optional = |column: Option<usize>| column.map(field).filter(|text| !text.is_empty());
    let address = field(columns.address);
    if record.len() != width {
        return Err(Refused::new(
            line,
            shown(&address),
            format!("has {} fields, the header has {width}", record.len()),
        ));
    }
    let hash = field(columns.hash);
    if hash.is_empty() {
        return Err(Refused::new(line, shown(&address), "has no hash; add a device instead"));
    }
    Ok(Raw {
        line,
        address,
        hash: Hash(hash),
        label: optional(columns.label),
        expires: optional(columns.expires),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_stand_in_any_order() {
        let rows =
            parse(b"hash, Address ,label\r\n$6$x,anna@example.org,\"Old, but good\"\r\n$6$y,bob@example.org,\r\n")
                .unwrap();
        let rows: Vec<Raw> = rows.into_iter().collect::<Result<_, _>>().unwrap();
        assert_eq!((rows[0].line, rows[0].label.as_deref()), (2, Some("Old, but good")));
        assert_eq!(
            (rows[1].address.as_str(), rows[1].label.as_deref()),
            ("bob@example.org", None)
        );
    }

    #[test]
    fn a_header_that_is_missing_or_has_more_is_refused() {
        assert!(parse(b"anna@example.org,$6$x\n").is_err());
        assert!(parse(b"address,label\n").unwrap_err().contains("`hash`"));
        assert!(parse(b"address,hash,quota\n").unwrap_err().contains("`quota`"));
    }

    #[test]
    fn a_row_of_another_width_is_refused() {
        let rows = parse(b"address,hash\nanna@example.org\nbob@example.org,\na@example.org,x\0\n").unwrap();
        let reasons: Vec<_> = rows.into_iter().map(|row| row.unwrap_err().reason).collect();
        assert!(
            reasons[0].contains("fields") && reasons[1].contains("no hash") && reasons[2].contains("NUL"),
            "{reasons:?}"
        );
    }
}
