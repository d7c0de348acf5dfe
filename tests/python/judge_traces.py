"""Reads trace requests with the classes of opentelemetry-proto and prints what they say as JSON.

Usage: judge_traces.py FOLDER, which holds one request a file (*.pb).
"""

import json
import pathlib
import sys

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status


def value(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def attributes(pairs):
    found = {pair.key: value(pair.value) for pair in pairs}
    assert len(found) == len(pairs), "an attribute twice"
    return found


def known(message):
    """Every field, at every depth, is one that upstream has under that number and type."""
    assert not UnknownFieldSet(message), f"unknown fields in {type(message).__name__}"
    for field, content in message.ListFields():
        if field.message_type is not None:
            for part in content if field.is_repeated else [content]:
                known(part)


spans, services, instances = [], set(), set()
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.pb")):
    request = ExportTraceServiceRequest.FromString(path.read_bytes())
    known(request)
    for group in request.resource_spans:
        resource = attributes(group.resource.attributes)
        assert resource["service.version"], "no version"
        services.add(resource["service.name"])
        instances.add(resource["service.instance.id"])
        for span in (span for scope in group.scope_spans for span in scope.spans):
            assert len(span.trace_id) == 16 and len(span.span_id) == 8 and len(span.parent_span_id) in (0, 8)
            spans.append(
                {
                    "trace": span.trace_id.hex(),
                    "id": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "name": span.name,
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "attributes": attributes(span.attributes),
                    "status": Status.StatusCode.Name(span.status.code),
                    "message": span.status.message,
                }
            )
print(
    json.dumps(
        {
            "traces": sorted({span["trace"] for span in spans}),
            "services": sorted(services),
            "instances": sorted(instances),
            "spans": spans,
        }
    )
)
