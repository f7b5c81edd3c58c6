//! Columns that line up. The last one is wrapped between words, so that a row stays readable.

use std::io::{self, Write};

/// Two spaces between columns.
const GAP: usize = 2;
/// Rows are wrapped to this width, unless the last column would get too narrow.
const WIDTH: usize = 120;
const LAST_MIN: usize = 30;

/// Rows of one number of columns.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
    indent: usize,
    unwrapped: bool,
}

impl Table {
    /// A table under these names.
    pub(super) fn with_head(names: &[&str]) -> Self {
        let mut table = Self::default();
        table.row(names.iter().map(|n| (*n).to_owned()));
        table
    }

    /// These columns, from 0, are aligned to the right.
    pub(super) fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Each line starts with as many spaces.
    pub(super) fn indent(mut self, spaces: usize) -> Self {
        self.indent = spaces;
        self
    }

    /// A row is one line, however long.
    pub(super) fn one_line(mut self) -> Self {
        self.unwrapped = true;
        self
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let before: usize = self.indent + widths.iter().rev().skip(1).map(|w| w + GAP).sum::<usize>();
        let room = if self.unwrapped { usize::MAX } else { WIDTH.saturating_sub(before).max(LAST_MIN) };
        self.rows.iter().try_for_each(|row| self.print_row(row, &widths, before, room, out))
    }

    fn print_row(
        &self,
        row: &[String],
        widths: &[usize],
        before: usize,
        room: usize,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let mut line = " ".repeat(self.indent);
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            if column + 1 == widths.len() {
                line.push_str(&wrapped(cell, room).join(&format!("\n{}", " ".repeat(before))));
                continue;
            }
            let pad = " ".repeat(width - cell.chars().count());
            let (left, right) = if self.right.contains(&column) { (pad.as_str(), "") } else { ("", pad.as_str()) };
            line.extend([left, cell, right, "  "]);
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// Lines of at most `room` characters, as far as words allow it.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(table: &Table) -> String {
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::with_head(&["ID", "SIZE", "WHY"]).right(&[1]).indent(1);
        table.row(["ä".into(), "1 KiB".into(), String::new()]);
        table.row(["bcd".into(), "12 B".into(), "x y".into()]);
        assert_eq!(print(&table), " ID    SIZE  WHY\n ä    1 KiB\n bcd   12 B  x y\n");
        assert_eq!(print(&Table::default()), "");
    }

    #[test]
    fn only_the_last_column_wraps() {
        let mut table = Table::default();
        table.row(["a".repeat(100), "word ".repeat(10).trim_end().to_owned()]);
        let text = print(&table);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], format!("{}{}", " ".repeat(102), "word ".repeat(4).trim_end()));
        assert_eq!(print(&table.one_line()).lines().count(), 1);
    }
}
