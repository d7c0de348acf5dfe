"""The official Python SDK of CloudEvents: makes requests that a hook must take, and says of others whether they carry an event."""

import json
import sys

from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

NAMES = ["A234-1234-1234", "1", "10 %", 'say "yes"', "é ü 漢字 🚕", "a:b:c", "%41", "x" * 1000, "a,b;c=d", "'\\'"]
SOURCES = ["/shop", "https://github.com/cloudevents", "mailto:a@example.org", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "1-555-123-4567", "a:b"]


def made():
    for at, name in enumerate(NAMES):
        attributes = {"id": name, "source": SOURCES[at % len(SOURCES)], "type": f"type {name}"[:900], "subject": name, "tracestate": name}
        if at % 2:
            attributes["datacontenttype"] = "application/json"
        for data in [{"order": at}, None, "text"]:
            event = CloudEvent(dict(attributes), data)
            for write in [http.to_binary_event, http.to_structured_event]:
                message = write(event)
                yield {
                    "headers": message.headers,
                    "body": message.body.decode(),
                    "meant": [event.get_type(), event.get_source(), event.get_id()],
                }


def taken(request):
    # It knows no batches.
    if "batch" in request["headers"].get("content-type", ""):
        return None
    message = http.HTTPMessage(request["headers"], request["body"].encode())
    try:
        if message.headers.get("content-type", "").startswith("application/cloudevents"):
            http.from_structured(message, JSONFormat(), CloudEvent)
        else:
            http.from_binary(message, JSONFormat(), CloudEvent)
        return True
    except Exception:
        return False


with open(sys.argv[1]) as file:
    requests = json.load(file)
print(json.dumps({"made": list(made()), "taken": [taken(request) for request in requests]}))
