"""Writes holidays.txt from the Python package holidays (see README.md): facts only, for the years below."""

import collections
import pathlib

import holidays

YEARS = range(2024, 2037)


def days(country, subdivision=None):
    """Dates and English names of public holidays."""
    supported = holidays.country_holidays(country).supported_languages
    language = "en_US" if "en_US" in supported else None
    found = holidays.country_holidays(country, subdiv=subdivision, years=YEARS, language=language)
    return {(day, name.replace("=", "-").strip()) for day, names in found.items() for name in names.split("; ")}


def block(title, found, out):
    by_name = collections.defaultdict(set)
    for day, name in found:
        by_name[name].add(day)
    out.append(title)
    for name in sorted(by_name):
        dates = sorted(by_name[name])
        each_year = {(day.month, day.day) for day in dates}
        if len(each_year) == 1 and len(dates) == len(YEARS):
            text = dates[0].strftime("%m%d")
        else:
            text = ",".join(day.strftime("%y%m%d") for day in dates)
        out.append(f"{name}={text}")


def main():
    out = [f"#{YEARS.start} {YEARS.stop - 1}"]
    for country, subdivisions in sorted(holidays.list_supported_countries(include_aliases=False).items()):
        national = days(country)
        block(country, national, out)
        for subdivision in sorted(subdivisions):
            own = days(country, subdivision)
            # Only what differs: what is added, and with a ! what is taken away.
            added, gone = own - national, national - own
            if added:
                block(f"{country}-{subdivision}", added, out)
            if gone:
                block(f"{country}-{subdivision}!", gone, out)
    path = pathlib.Path(__file__).with_name("holidays.txt")
    path.write_text("\n".join(out) + "\n", encoding="utf-8")


main()
