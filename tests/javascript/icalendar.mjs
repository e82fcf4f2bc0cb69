// Reads calendars with ical.js and node-ical: a JSON array of cases in, { "ical.js": […], "node-ical": […] } out.
// Of each case: its events by UID, as [start, end] in seconds, their organisers' names, and the offset at the instants that were asked for.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";
import nodeIcal from "node-ical";

const cases = JSON.parse(readFileSync(0, "utf8"));
const seconds = (date) => date.getTime() / 1000;

function offset(zone, at) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(new Date(at * 1000));
  const of = (type) => Number(parts.find((part) => part.type === type).value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second")) / 1000 - at;
}

function offsets(one) {
  try {
    return one.instants.map((at) => offset(one.zone, at));
  } catch {
    return null; // The zone is not known here.
  }
}

function byIcalJs(one) {
  const calendar = new ICAL.Component(ICAL.parse(one.text));
  const events = {};
  for (const event of calendar.getAllSubcomponents("vevent")) {
    const time = (name) => event.getFirstPropertyValue(name).toUnixTime();
    events[event.getFirstPropertyValue("uid")] = [time("dtstart"), time("dtend"), event.getFirstProperty("organizer").getParameter("cn")];
  }
  // It reads zones from the calendar.
  return { events, offsets: "of the calendar" };
}

function byNodeIcal(one) {
  const events = {};
  for (const event of Object.values(nodeIcal.sync.parseICS(one.text))) {
    if (event.type === "VEVENT") events[event.uid] = [seconds(event.start), seconds(event.end), null];
  }
  return { events, offsets: offsets(one) };
}

process.stdout.write(JSON.stringify({ "ical.js": cases.map(byIcalJs), "node-ical": cases.map(byNodeIcal) }));
