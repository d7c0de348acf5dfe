// The official JavaScript SDK of CloudEvents: makes requests that a hook must take, and says of others whether they carry events.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { CloudEvent, HTTP } = createRequire(pathToFileURL(process.cwd() + "/"))("cloudevents");

// It writes attributes into headers as they are, so those of binary mode are plain.
const names = ["A234-1234-1234", "1", "a:b:c", "x".repeat(900)];
const strange = ["10 %", 'say "yes"', "é ü 漢字 🚕"];

function* made() {
  for (const id of [...names, ...strange]) {
    for (const data of [{ order: 1 }, "text", undefined]) {
      const event = new CloudEvent({ id, source: "https://github.com/cloudevents", type: "order.placed", subject: "s", tracestate: "x", data });
      const modes = names.includes(id) ? [HTTP.binary, HTTP.structured] : [HTTP.structured];
      for (const write of modes) {
        const { headers, body } = write(event);
        yield { headers, body: body ?? "", meant: [event.type, event.source, event.id] };
      }
    }
  }
}

function taken({ headers, body }) {
  try {
    for (const event of [HTTP.toEvent({ headers, body })].flat()) {
      event.validate();
    }
    return true;
  } catch {
    return false;
  }
}

const requests = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify({ made: [...made()], taken: requests.map(taken) }));
