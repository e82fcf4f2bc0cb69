"""Expands recurrence rules with dateutil: a JSON array of cases in, a JSON array out: instants, or null for what took too long."""

import json
import signal
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

SECONDS_PER_CASE = 0.25


# Is a case under way? A timer that runs out between two of them concerns none.
is_timed = False


def too_long(*_):
    if is_timed:
        raise TimeoutError


def occurrences(case):
    parts = dict(part.split("=") for part in case["rule"].split(";"))
    finer_than_a_day = parts["FREQ"] in ("HOURLY", "MINUTELY")
    zone = ZoneInfo(case["zone"])
    # What dateutil cannot say, since it knows no clock changes: an end in UTC, and a count of what clocks show.
    count = int(parts.pop("COUNT")) if finer_than_a_day and "COUNT" in parts else None
    until = parts.get("UNTIL", "")
    until = datetime.strptime(parts.pop("UNTIL"), "%Y%m%dT%H%M%S%z") if until.endswith("Z") else None
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        rule = rrulestr(text, dtstart=datetime.fromisoformat(case["dtstart"]))
    except ValueError as refused:
        # dateutil sees when hours or minutes can never meet the interval.
        if "generates an empty set" not in str(refused):
            raise
        return []
    start, end = (datetime.fromisoformat(case[name]) for name in ("from", "to"))
    locals_ = rule if count is not None else rule.xafter(start.replace(tzinfo=None) - timedelta(days=2), inc=True)
    found = set()
    for local in locals_:
        # In a gap fold=0 is the offset before it, in a fold the first pass (PEP 495).
        at = local.replace(tzinfo=zone, fold=0).astimezone(timezone.utc)
        shown = at.astimezone(zone).replace(tzinfo=None) == local
        if at >= end + timedelta(days=2) or count == 0:
            break
        if finer_than_a_day and not shown:
            continue
        if count is not None:
            count -= 1
        # Half-open, like ours.
        if start <= at < end and (until is None or at <= until):
            found.add(at)
    return [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in sorted(found)]


# Time of this process alone: a machine that is busy elsewhere makes no rule slower.
signal.signal(signal.SIGVTALRM, too_long)
answers = []
for case in json.load(sys.stdin):
    answer = None
    # dateutil follows a rule that never comes to the year 9999.
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_PER_CASE)
    try:
        is_timed = True
        answer = occurrences(case)
        is_timed = False
    except TimeoutError:
        is_timed = False
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    answers.append(answer)
json.dump(answers, sys.stdout)
