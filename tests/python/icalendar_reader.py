"""Reads calendars with the package icalendar: a JSON array of cases in, a JSON array out.

Of each case: its events by UID, as [start, end, name of the organiser] in seconds, and the offset at the instants that were asked for.
"""

import json
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Calendar


def read(case):
    events = {}
    for event in Calendar.from_ical(case["text"]).walk("VEVENT"):
        times = [event[name].dt.astimezone(timezone.utc).timestamp() for name in ("DTSTART", "DTEND")]
        events[str(event["UID"])] = [*times, event["ORGANIZER"].params["CN"]]
    try:
        zone = ZoneInfo(case["zone"])
        shown = [datetime.fromtimestamp(at, zone).utcoffset().total_seconds() for at in case["instants"]]
    except ZoneInfoNotFoundError:
        shown = None
    return {"events": events, "offsets": shown}


json.dump({"icalendar": [read(case) for case in json.load(sys.stdin)]}, sys.stdout)
