//! What an API caller is told when something is refused: a stable code, a sentence, a hint (RFC 9457).

use serde::Serialize;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal, $hint:literal;)*) => {
        /// Stable error codes. The number never changes its meaning; the table in the API documentation is made from this.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// All codes, in order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// `BERTH-E0404`.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => concat!("BERTH-", $code)),* } }
            /// HTTP status it is sent with.
            #[must_use]
            pub const fn status(self) -> u16 { match self { $(Self::$name => $status),* } }
            /// Constant title.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title),* } }
            /// What to do, unless the place that found the problem knows better.
            #[must_use]
            pub const fn hint(self) -> &'static str { match self { $(Self::$name => $hint),* } }
        }
    };
}

codes! {
    /// The body is not JSON, or not of the expected shape.
    MalformedBody = "E0400", 400, "The request body cannot be read", "Send JSON as the API description at /docs shows.";
    /// A query parameter or path part cannot be read.
    MalformedParameter = "E0401", 400, "A parameter cannot be read", "See the parameter's form at /docs.";
    /// No key, or a wrong, expired or revoked one.
    Unauthenticated = "E0402", 401, "An API key is needed", "Send Authorization: Bearer <key>. Make a key with `berth key create`.";
    /// The key lacks a scope.
    MissingScope = "E0403", 403, "The API key may not do this", "Make a key with the scope that the detail names.";
    /// Unknown, or another tenant's.
    NotFound = "E0404", 404, "There is no such thing here", "Check the id and that the key belongs to its tenant.";
    /// The route exists, the method does not.
    MethodNotAllowed = "E0405", 405, "This method is not offered here", "See the methods of this path at /docs.";
    /// A key came over a connection that others can read.
    KeyInClear = "E0406", 403, "The API key was sent in clear", "Make a new key in its place, since others may have read this one, and send that over https only.";
    /// The key may not be used from there.
    SourceRefused = "E0407", 403, "The API key may not be used from this address", "Send the request from one of the key's `sources`, or change them.";
    /// The body did not come, or too slowly.
    TooSlow = "E0408", 408, "The request body came too slowly", "Send it again over a better connection.";
    /// Not JSON.
    WrongMediaType = "E0419", 415, "The body has another media type", "Send it with the Content-Type that the detail names.";
    /// Not HTTP as its RFCs have it.
    MalformedRequest = "E0420", 400, "The request is not valid HTTP", "See the detail; a proxy in between may have changed it.";
    /// Too many or too long header fields.
    HeadersTooLarge = "E0431", 431, "The header fields are too large", "Send fewer and shorter header fields; cookies are not needed.";
    /// Fields have wrong values.
    Invalid = "E0422", 422, "Some fields are not acceptable", "See `errors`: each names a field, what is wrong and what is allowed.";
    /// The answer would need more work than one answer may take.
    TooDear = "E0423", 422, "The answer would take too much work", "Ask for fewer days at a time or for one member, or remove rules that are not needed.";
    /// The body is larger than allowed.
    TooLarge = "E0413", 413, "The request is too large", "Send less; the limit is in the detail.";
    /// The caller asks too often.
    RateLimited = "E0429", 429, "Too many requests", "Wait for the seconds in Retry-After.";
    /// Something else has this name, slug or version.
    AlreadyExists = "E0409", 409, "It already exists", "Choose another name, or change the one that exists.";
    /// The time is not offered, or not any more.
    SlotTaken = "E0410", 409, "This time is not available", "Ask for the current slots at /api/booking/availability.";
    /// The booking's state does not allow it.
    WrongState = "E0411", 409, "The booking's state does not allow this", "Get the booking and look at its status.";
    /// The same Idempotency-Key came with another request.
    IdempotencyMismatch = "E0412", 422, "The Idempotency-Key was used for another request", "Use a new key for a new request.";
    /// The same Idempotency-Key is being worked on.
    IdempotencyInFlight = "E0414", 409, "A request with this Idempotency-Key is under way", "Wait for its answer, then repeat.";
    /// A precondition (If-Match) failed.
    Changed = "E0415", 412, "It was changed in between", "Get it again and repeat the change.";
    /// It is used by something else.
    InUse = "E0416", 409, "It is still in use", "Remove what uses it first; the detail names it.";
    /// The hold has expired, or was never there.
    HoldExpired = "E0417", 409, "The hold has expired", "Book without it, or make a new one.";
    /// Too late for the customer.
    TooLate = "E0418", 409, "It is too late for this", "Ask the business; a key with the scope bookings:override may still do it.";
    /// A repeat of a request whose answer held a secret.
    AnswerNotKept = "E0424", 409, "It was done before, and its answer is not kept", "Look at what was made; for a secret that was shown once, make a new one.";
    /// The provider alone changes what it has.
    ChangedThere = "E0433", 409, "This booking is changed at its provider", "Change it there, which is followed here, or have the connection's mode set to `bidirectional`.";
    /// An operator suspended the tenant.
    TenantSuspended = "E0432", 403, "The tenant is suspended", "Ask the operator; nothing is lost, and everything goes on when it is resumed.";
    /// The tenant would be left without an owner.
    LastOwner = "E0430", 409, "The tenant needs an owner", "Make another active member an owner first.";
    /// The provider refused the credential.
    ProviderUnauthorised = "E0500", 422, "The provider refused the credentials", "Check the credentials, then save the connection again.";
    /// The provider refused the request.
    ProviderRefused = "E0501", 422, "The provider refused the request", "See the detail; it is the provider's own reason.";
    /// The provider gave no usable answer.
    ProviderUnavailable = "E0502", 502, "The provider gives no usable answer", "Try again later.";
    /// No active version of the plugin.
    ProviderNotActive = "E0503", 422, "The provider plugin is not active", "Ask the operator, or see `berth plugin list`.";
    /// The provider cannot do it by API.
    ProviderUnsupported = "E0504", 422, "The provider does not offer this", "See the detail for where it can be done.";
    /// The plugin failed inside its sandbox.
    PluginFailed = "E0505", 502, "The provider plugin failed", "Tell the operator; the call is in the connection's list of calls.";
    /// All provider calls are busy.
    Busy = "E0506", 503, "Berth is busy", "Wait for the seconds in Retry-After.";
    /// The component was refused.
    PluginRefused = "E0510", 422, "The component is refused", "See `errors`: each says what to change.";
    /// The version waits for approval of what it asks for.
    PluginHeld = "E0511", 409, "The version asks for more than is granted", "Approve it: grant the hosts that the detail names.";
    /// Quarantined versions are not served.
    PluginQuarantined = "E0512", 409, "The version is quarantined", "Install a mended version, or lift the quarantine.";
    /// A case of the conformance suite failed.
    PluginNotConforming = "E0513", 422, "The component does not keep the contract", "See `errors`: each names a case. Try it yourself: berth plugin check";
    /// Looking at the component took more than a component may take.
    PluginTooCostly = "E0514", 422, "The component takes too much to compile", "See `errors`: it says which limit. The same bytes are refused again.";
    /// The machine was not able to load it now.
    PluginNotLoaded = "E0515", 503, "The component could not be loaded now", "Nothing is wrong with the component. Try again when the machine has less to do; the detail says what was in the way.";
    /// Nobody granted the host that the provider is at.
    HostNotGranted = "E0517", 422, "A host is not granted to the provider plugin", "An operator grants it with `berth plugin grant`; the detail names the host.";
    /// Somebody paused the connection.
    ConnectionPaused = "E0518", 409, "The connection is paused", "Resume it with POST /api/booking-providers/{id}/resume; what has to be delivered to the provider waits until then.";
    /// The connection is over.
    ConnectionDisconnected = "E0519", 409, "The connection is disconnected", "Give it credentials of the same account with PATCH /api/booking-providers/{id}, or choose another connection.";
    /// The signature of a webhook is wrong.
    WebhookRefused = "E0520", 401, "The webhook's signature is not valid", "Check the secret at the provider; recreate the subscription.";
    /// A consent flow that is not there, any more.
    ConsentExpired = "E0521", 409, "The consent flow has expired", "Begin again: a flow may be finished once, within ten minutes.";
    /// Nobody consented, or the provider refused.
    ConsentRefused = "E0522", 422, "There is no consent", "Begin again; the detail is the provider's own reason.";
    /// The operator has registered no OAuth client.
    NoOAuthClient = "E0523", 422, "No OAuth client is registered for this provider", "An operator registers one with `berth plugin oauth-client set`.";
    /// Shutting down or starting.
    NotReady = "E0530", 503, "Berth is not ready", "Try again in a moment.";
    /// It took too long.
    TimedOut = "E0531", 503, "The request took too long", "Look whether it was done before you repeat it, or send an Idempotency-Key.";
    /// The database cannot be reached.
    DatabaseAway = "E0532", 503, "The database is away", "Wait for the seconds in Retry-After; /readyz says when it is back. Send an Idempotency-Key with what you repeat.";
    /// The database has no room, or may only be read.
    DatabaseFull = "E0533", 503, "The database cannot be written", "Nothing was lost; the operator makes room or lifts what makes it read-only, and it goes on by itself.";
    /// The body is wrapped in something that nobody here can take off.
    UnknownTransferCoding = "E0534", 501, "The transfer coding is not known", "Send the body with Content-Length, or with Transfer-Encoding: chunked alone.";
    /// The position is of another life of the feed.
    FeedBegunAnew = "E0540", 410, "The feed of events was begun anew", "Read the lists again for how things stand, then go on with `after=latest` and the epoch of that answer.";
    /// The position is older than what is kept.
    EventsForgotten = "E0541", 410, "Events after this position are not kept any more", "Read the lists again for how things stand, then go on without `after` (from the oldest event) or with `after=latest`.";
    /// The position was never given.
    PositionAhead = "E0542", 422, "This position is ahead of the feed", "Send `next` of the last answer as `after`, and its `epoch`, which says whether the feed was begun anew.";
    /// The tenant waits for events with too many requests.
    TooManyWaiting = "E0543", 429, "Too many requests wait for events", "Wait for the seconds in Retry-After, or ask without `wait`; one reader per program is enough.";
    /// This process has no room for another request that waits.
    NoRoomToWait = "E0544", 503, "There is no room to wait for events", "Wait for the seconds in Retry-After, or ask without `wait`.";
    /// What for, that is not known.
    UnknownPurpose = "E0545", 422, "There is no such purpose", "Name one of `purposes`.";
    /// A consent to a text that says something else.
    TextDoesNotFit = "E0546", 422, "The text is not the one for this consent", "Name a text of the same purpose, in the language in which it was read: GET /api/privacy/texts.";
    /// A consent to a text that nobody could read.
    TextNotPublished = "E0547", 422, "The text was not published", "Publish it first (POST /api/privacy/texts), and name its id.";
    /// The version that was asked for is none.
    UnknownVersion = "E0548", 400, "There is no such version of the interface", "Name one that the detail lists in Berth-Version, or leave the header out. See /docs/versions.";
    /// A provider is named, and which of several connections to it is meant is not.
    ProviderNotDecided = "E0552", 422, "Several connections are meant", "Give `connection_id`: one of `candidates`.";
    /// A provider is named to which there is no connection.
    NotConnected = "E0553", 422, "There is no connection to this provider", "Connect to it (POST /api/booking-providers); GET /api/booking-providers/available lists what there is.";
    /// Only a person can let Berth in.
    ConsentNeeded = "E0554", 422, "A person has to consent", "Begin with POST /api/booking-providers/oauth/start; then name the connection as `connection_id`.";
    /// A booking of a provider could be of several event types here, or of none.
    EventTypeNotDecided = "E0556", 422, "It is not known which event type it is of", "Give `event_type_id`: one of `candidates`.";
    /// The customer is part of another one now.
    CustomerMerged = "E0557", 410, "The customer is part of another one", "Ask for the customer that `customer_id` names; bookings and consents are there.";
    /// The tenant does not take bookings of this customer.
    CustomerBlocked = "E0558", 409, "The customer may not book", "Ask the business; a key with the scope bookings:override may book all the same, with `allow_blocked`.";
    /// What a provider has, or what is here, is not what a preview showed.
    ImportChanged = "E0559", 409, "It is not as the preview showed it", "Look at the preview again, and apply with its `digest`.";
    /// A booking that is cancelled, failed or over is a record.
    ScheduleInUse = "E0560", 409, "The schedule is in use", "Give those that `used_by` names another schedule, or none; then it can be removed.";
    /// See the table in the documentation.
    PreviewOver = "E0561", 409, "The preview does not hold any more", "Look again (`mode: preview`), and apply what that answers.";
    /// See the table in the documentation.
    BookingOver = "E0562", 409, "This booking is over", "What is cancelled, failed or past is kept as it was; book again for another time.";
    /// Nobody says who a member is at the provider.
    HostUnknown = "E0565", 422, "The provider does not know this member", "Connect their calendar over the booking's connection (POST /api/booking/calendar/integrations), or send `local_only: true`.";
    /// A page that is none of the tenant's sends what only its own may.
    OriginRefused = "E0567", 403, "This page may not send this", "The business names the page in `embed_origins` of its settings (PATCH /api/tenant), or shows its own.";
    /// A field that nobody sees was filled in.
    LooksAutomated = "E0568", 422, "This looks like a program", "Leave the field empty that the form says to leave empty.";
    /// A link that was used, or whose time is over.
    LinkOver = "E0569", 410, "The link is over", "Ask the business for another one.";
    /// Our fault.
    Internal = "E0599", 500, "Something went wrong in Berth", "Tell the operator the request id.";
}

/// One field that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON Pointer into the body (`/attendee/email`), or the parameter's name.
    pub field: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// What is wrong with a field, in one line; the whole has no name.
pub(crate) fn named(field: &str, message: &str) -> String {
    if field.is_empty() { message.to_owned() } else { format!("{field}: {message}") }
}

/// A refusal, complete for the caller. Never holds a cause that is not for them: log that where it is found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// What happened here.
    pub detail: String,
    /// What to do, if better than the code's own hint.
    pub hint: Option<String>,
    /// The fields that are wrong.
    pub errors: Vec<FieldError>,
    /// Seconds to wait.
    pub retry_after_seconds: Option<u64>,
    /// Further members of the problem document, for example `alternatives`.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// A problem with a detail.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            hint: None,
            errors: Vec::new(),
            retry_after_seconds: None,
            extra: serde_json::Map::new(),
        }
    }

    /// [`Code::Invalid`] with these fields.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors.first().map_or_else(String::new, |e| named(&e.field, &e.message));
        Self { errors, ..Self::new(Code::Invalid, detail) }
    }

    /// [`Code::MalformedParameter`] with this parameter.
    #[must_use]
    pub fn parameter(error: FieldError) -> Self {
        let detail = named(&error.field, &error.message);
        Self { errors: vec![error], ..Self::new(Code::MalformedParameter, detail) }
    }

    /// [`Code::NotFound`] for this kind of thing.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("No {what} with this id."))
    }

    /// The same with a better hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a time to wait.
    #[must_use]
    pub const fn with_retry_after_seconds(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut seen: Vec<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), Code::ALL.len());
    }

    #[test]
    fn the_whole_has_no_name() {
        let detail = |field: &str| Problem::invalid(vec![FieldError::new(field, "is odd")]).detail;
        assert_eq!((detail("/name"), detail("")), ("/name: is odd".to_owned(), "is odd".to_owned()));
    }
}
