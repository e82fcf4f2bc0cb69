//! The register of personal data: one line for each column of the schema. What erases, exports or counts personal data works from it, and
//! nobody keeps a second list.
//!
//! A column without a line here fails `tests/store/personal.rs`, and so does a line without a column. `host/SCHEMA.md` is made from it.
//!
//! `none` is what tells nothing of a person: setup, counters, ids of our own and what they refer to. Such an id is a pseudonym, and names
//! nobody once the personal columns of the record are erased. What tells something of a person only together with their name (when a
//! booking is, with whom) is a [`Kind::Fact`]: it is exported with the person, and it stays when they are erased.

mod availability;
mod bookings;
mod calendars;
mod catalog;
mod connections;
mod customers;
mod events;
mod inbound;
mod jobs;
mod mirror;
mod outbound;
mod plugins;
mod privacy;
mod tenants;

/// A table, with a line for each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What its rows are, for people.
    pub holds: &'static str,
    /// In the order of the table.
    pub columns: &'static [Column],
}

/// A column and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// None: nothing of a person.
    pub personal: Option<Personal>,
}

/// What is personal in a column, and what is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Personal {
    /// What kind of data.
    pub kind: Kind,
    /// How a person's are found: by each of these.
    pub found: &'static [Found],
    /// How they are erased.
    pub erased: Erased,
    /// How they are exported.
    pub exported: Exported,
    /// How long they are kept.
    pub kept: Kept,
}

/// Kinds of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Names, e-mail addresses, telephone numbers.
    Contact,
    /// Free text, in which anything may stand.
    Words,
    /// A time, a state or a choice: tells something of a person as long as the person is known.
    Fact,
    /// A record as somebody else gave it, with whatever is in it.
    Payload,
    /// Stands for a person without naming them: a hash, an id that another system gave.
    Reference,
    /// Opens something that is a person's.
    Secret,
}

/// How the rows of a person are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// By the customer that the row is or names.
    Customer,
    /// By the booking that the row is or names.
    Booking,
    /// By the member that the row is or names.
    Member,
    /// By the connection that the row is or names: the account is a person's.
    Connection,
    /// By the subject of the row (`subject_kind`, `subject_id`).
    Subject,
    /// No column names them: what is in it is compared with their names and addresses.
    Contents,
    /// Not at all, since it is sealed or in nobody's language: whatever is of the tenant is taken together.
    Whole,
}

/// What an erasure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// Empties the column.
    Blank,
    /// Cuts what is the person's out of it and leaves the rest.
    Cut,
    /// Removes the row.
    RemoveRow,
    /// Nothing: it tells of nobody once the rest is erased.
    Stays,
    /// Names it to a person of the tenant, whose setup it is.
    ByHand,
    /// Asks the component that keeps it.
    ByComponent,
}

/// What a person who asks for their data is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exported {
    /// It, in this part of the export.
    In(Part),
    /// Not it, for this reason.
    Not(Why),
}

/// Parts of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Names and addresses of a customer.
    Contacts,
    /// A customer's bookings.
    Bookings,
    /// What providers have of them.
    AtProviders,
    /// What a customer agreed to.
    Consents,
    /// What is known of a member.
    Staff,
}

/// Why something is not exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is exported from where it was copied from, or comes from.
    Copy,
    /// It is the tenant's setup.
    Setup,
    /// Nobody can tell what in it is whose.
    Opaque,
    /// It would open something.
    Sealed,
}

/// How long something is kept if nobody erases it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// As long as the row: until it, or what it belongs to, is removed.
    WithRow,
    /// So many seconds.
    For(i64),
    /// Until the instant in this column.
    Until(&'static str),
    /// For ever.
    Ever,
}

const fn none(name: &'static str) -> Column {
    Column { name, personal: None }
}

const fn personal(
    name: &'static str,
    kind: Kind,
    found: &'static [Found],
    erased: Erased,
    exported: Exported,
    kept: Kept,
) -> Column {
    Column { name, personal: Some(Personal { kind, found, erased, exported, kept }) }
}

/// What a tenant wrote or chose when it set things up: somebody's name may stand in it.
const fn setup(name: &'static str) -> Column {
    personal(name, Kind::Words, &[Found::Contents], Erased::ByHand, Exported::Not(Why::Setup), Kept::WithRow)
}

/// The register, domain by domain.
const REGISTER: &[(&str, &[Table])] = &[
    ("bookings", bookings::TABLES),
    ("customers", customers::TABLES),
    ("availability", availability::TABLES),
    ("catalog", catalog::TABLES),
    ("tenants", tenants::TABLES),
    ("connections", connections::TABLES),
    ("calendars", calendars::TABLES),
    ("inbound", inbound::TABLES),
    ("outbound", outbound::TABLES),
    ("mirror", mirror::TABLES),
    ("privacy", privacy::TABLES),
    ("plugins", plugins::TABLES),
    ("events", events::TABLES),
    ("jobs", jobs::TABLES),
];

/// Every table, with a line for each of its columns.
pub fn register() -> impl Iterator<Item = &'static Table> {
    REGISTER.iter().flat_map(|(_, tables)| tables.iter())
}

impl Found {
    /// In a word or two.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Booking => "booking",
            Self::Member => "member",
            Self::Connection => "connection",
            Self::Subject => "subject",
            Self::Contents => "contents",
            Self::Whole => "all of the tenant's",
        }
    }
}

impl Kind {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Words => "words",
            Self::Fact => "fact",
            Self::Payload => "payload",
            Self::Reference => "reference",
            Self::Secret => "secret",
        }
    }
}

impl Erased {
    /// In a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blank => "emptied",
            Self::Cut => "cut out",
            Self::RemoveRow => "row removed",
            Self::Stays => "stays",
            Self::ByHand => "by hand",
            Self::ByComponent => "by the component",
        }
    }
}

impl Exported {
    /// In a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In(Part::Contacts) => "contacts",
            Self::In(Part::Bookings) => "bookings",
            Self::In(Part::AtProviders) => "at providers",
            Self::In(Part::Consents) => "consents",
            Self::In(Part::Staff) => "staff",
            Self::Not(Why::Copy) => "no: a copy",
            Self::Not(Why::Setup) => "no: setup",
            Self::Not(Why::Opaque) => "no: whose it is nobody knows",
            Self::Not(Why::Sealed) => "no: a secret",
        }
    }
}

impl Kept {
    fn in_words(self) -> String {
        match self {
            Self::WithRow => "with the row".to_owned(),
            Self::For(seconds) if seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
            Self::For(seconds) => format!("{seconds} s"),
            Self::Until(column) => format!("until `{column}`"),
            Self::Ever => "for ever".to_owned(),
        }
    }
}

const HEAD: &str = "# The schema, and what is personal in it

Made from `host/store/src/personal.rs`; write it anew with `INSTA_UPDATE=always cargo test -p berth-tests --test snapshots`.

Each table with its columns: what kind of personal data is in them, how a person's are found, what an erasure does, in which part of an export
they are, and how long they are kept if nobody erases them. Columns that tell nothing of a person stand on one line; ids of our own and what
they refer to are among them: they name nobody once the personal columns of the record are erased.

- *Found* by the customer, booking, member, connection or subject that a row is or names; by its contents, compared with names and addresses; or not, and
  then all of the tenant's are taken together.
- *Erased*: emptied; cut out of a text of which the rest stays; the row removed; by hand, where it is the tenant's setup; by the component that
  keeps it; or it stays, since it tells of nobody once the rest is erased.
";

const TABLE_HEAD: &str =
    "| column | kind | found by | erased | exported | kept |\n|---|---|---|---|---|---|\n";

/// The page that shows the register, as Markdown.
#[must_use]
pub fn page() -> String {
    let mut lines = vec![HEAD.to_owned()];
    for (domain, tables) in REGISTER {
        lines.push(format!("## {domain}\n"));
        lines.extend(tables.iter().map(Table::on_the_page));
    }
    lines.join("\n")
}

impl Table {
    fn on_the_page(&self) -> String {
        let plain: Vec<_> =
            self.columns.iter().filter(|c| c.personal.is_none()).map(|c| format!("`{}`", c.name)).collect();
        let rows: String = self.columns.iter().filter_map(Column::on_the_page).collect();
        let rows = if rows.is_empty() { rows } else { format!("{TABLE_HEAD}{rows}\n") };
        format!("### `{}`\n\n{}\n\n{rows}Not personal: {}\n", self.name, self.holds, plain.join(", "))
    }
}

impl Column {
    fn on_the_page(&self) -> Option<String> {
        let Personal { kind, found, erased, exported, kept } = self.personal?;
        let found: Vec<_> = found.iter().map(|found| found.as_str()).collect();
        Some(format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            self.name,
            kind.as_str(),
            found.join(", "),
            erased.as_str(),
            exported.as_str(),
            kept.in_words()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What finds a row must be there: the column that the way needs.
    #[test]
    fn each_way_of_finding_has_its_column() {
        for table in register() {
            let has = |name: &str| table.columns.iter().any(|column| column.name == name);
            for column in table.columns {
                let Some(personal) = column.personal else { continue };
                assert!(!personal.found.is_empty(), "{}.{}", table.name, column.name);
                for found in personal.found {
                    let there = match found {
                        Found::Customer => table.name == "customers" || has("customer_id"),
                        Found::Booking => table.name == "bookings" || has("booking_id"),
                        Found::Member => table.name == "members" || has("member_id"),
                        Found::Connection => table.name == "connections" || has("connection_id"),
                        Found::Subject => has("subject_kind") && has("subject_id"),
                        Found::Contents | Found::Whole => true,
                    };
                    assert!(there, "{}.{} is found by its {}", table.name, column.name, found.as_str());
                }
                if let Kept::Until(until) = personal.kept {
                    assert!(has(until), "{}.{} is kept until {until}", table.name, column.name);
                }
            }
        }
    }
}
