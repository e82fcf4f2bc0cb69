"""How bodies are written that are no JSON."""

import schemathesis


@schemathesis.serializer("application/wasm", "application/octet-stream", "text/calendar", "text/csv", "*/*")
def as_it_is(context, value):
    """Text and bytes are sent as they are, and whatever else is made up as its text."""
    return value if isinstance(value, (bytes, str)) else str(value)
