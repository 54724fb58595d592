//! A statement that is put together from the conditions that are asked for, so that each shape has its index.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::fault::Outcome;

/// The text of a statement with its values.
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Query {
    /// Begins with this text.
    pub(super) fn new(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            values: Vec::new(),
        }
    }

    /// Appends text of ours; never what somebody wrote.
    pub(super) fn text(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends a value.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.sql.push_str(&format!("?{}", self.values.len()));
        self
    }

    /// Appends a condition whose last part is a value.
    pub(super) fn and(&mut self, condition: &str, value: impl Into<Value>) -> &mut Self {
        self.text(" AND ").text(condition).value(value)
    }

    /// Appends the condition that one of these expressions contains a text.
    pub(super) fn contains(&mut self, expressions: &[&str], text: &str) -> &mut Self {
        self.text(" AND (");
        for (index, expression) in expressions.iter().enumerate() {
            self.text(if index == 0 { "instr(" } else { " OR instr(" });
            self.text(expression).text(", ").value(text.to_owned()).text(") > 0");
        }
        self.text(")")
    }

    /// All rows.
    pub(super) fn rows<T>(
        &self,
        conn: &Connection,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Vec<T>> {
        let mut statement = conn.prepare_cached(&self.sql)?;
        let rows = statement.query_map(params_from_iter(&self.values), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
