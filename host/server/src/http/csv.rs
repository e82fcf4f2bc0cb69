//! Tables as text (RFC 4180).

/// A cell that a spreadsheet shows and does not calculate: what others wrote may begin like a formula, so it begins with an apostrophe then.
pub(crate) fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}
