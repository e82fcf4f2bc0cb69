// A program as a product team writes it: against types that are generated from the description of the interface, compiled strictly. It sets up a
// business, asks for free times, books, moves and cancels, and ends with 1 where anything is not as the types say.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Booking = components["schemas"]["BookingView"];

declare const process: { env: Record<string, string | undefined> };
const [url, key] = [process.env["BERTH_URL"], process.env["BERTH_KEY"]];
if (!url || !key) throw new Error("BERTH_URL and BERTH_KEY are needed");
const berth = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

/** The answer, or what the interface says is wrong. */
function ok<T>(what: string, answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${what}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** Is it one booking? A series has `done` and `refused`. */
function single(made: components["schemas"]["BookingOrSeries"]): Booking {
  if ("done" in made) throw new Error("a series was not asked for");
  return made;
}

const me = ok("me", await berth.GET("/api/me"));
if (me.key.version !== "2026-11-30") throw new Error(`a new key is on ${me.key.version}`);

const listing = ok("listing", await berth.POST("/api/listings", {
  body: { slug: "studio", title: "Studio", time_zone: "Europe/Lisbon" },
}));
const member = ok("member", await berth.POST("/api/booking/team", {
  body: { name: "Ana", time_zone: "Europe/Lisbon" },
}));
ok("hours", await berth.POST("/api/booking/patterns", {
  body: {
    member_id: member.id,
    weekdays: ["Mon", "Tue", "Wed", "Thu", "Fri"],
    hours: { start: "09:00", end: "17:00" },
  },
}));
const eventType = ok("event type", await berth.POST("/api/booking/event-types", {
  body: {
    listing_id: listing.id, slug: "visit", title: "Visit", length_minutes: 30, member_ids: [member.id], booking_window_days: 730,
  },
}));

const answer = ok("free times", await berth.GET("/api/booking/availability", {
  params: {
    query: {
      event_type_id: eventType.id, from: "2027-03-01T00:00:00Z", to: "2027-03-03T00:00:00Z", time_zone: "Europe/Lisbon",
    },
  },
}));
const starts = answer.days.flatMap((day) => day.slots.map((slot) => slot.start));
const [first, second] = starts;
if (first === undefined || second === undefined) throw new Error("nothing is free");

const booking = single(ok("booking", await berth.POST("/api/booking", {
  params: { header: { "Idempotency-Key": "one" } },
  body: {
    event_type_id: eventType.id,
    start: first,
    attendee: { name: "Ada Nowak", email: "ada@example.com", time_zone: "Europe/Warsaw" },
  },
})));
if (booking.status !== "confirmed") throw new Error(`it is ${booking.status}`);
const path = { params: { path: { id: booking.id } } };
const moved = single(ok("move", await berth.POST("/api/booking/{id}/reschedule", { ...path, body: { start: second } })));
if (Date.parse(moved.start) !== Date.parse(second)) throw new Error(`it was moved to ${moved.start}`);
const listed = ok("list", await berth.GET("/api/booking", { params: { query: { listing_id: listing.id } } }));
// It may be asked for as a file of CSV, too.
if (typeof listed === "string") throw new Error("a file was not asked for");
if (listed.items.length !== 1) throw new Error(`${listed.items.length} bookings`);
const cancelled = single(ok("cancel", await berth.POST("/api/booking/{id}/cancel", { ...path, body: { reason: "ill" } })));
console.log(`${cancelled.id} was booked, moved and ${cancelled.status}`);

const refused = await berth.GET("/api/booking/{id}", { params: { path: { id: "0193b3f0-0000-7000-8000-000000000000" } } });
if (refused.error?.code !== "BERTH-E0404") throw new Error(`a booking that is not there: ${JSON.stringify(refused)}`);
