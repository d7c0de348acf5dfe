import type { ChatPostMessageArguments, ChatUpdateArguments, ViewsOpenArguments } from "@slack/web-api";
import type { Manifest } from "@slack/web-api/dist/types/request/manifest";

// The judge has to see faults: the line below each of these remarks must be an error.
// @ts-expect-error
export const style: ChatPostMessageArguments = { channel: "C", text: "x", blocks: [{ type: "actions", elements: [{ type: "button", action_id: "a", text: { type: "plain_text", text: "x" }, style: "blue" }] }] };
// @ts-expect-error
export const scope: Manifest = { display_information: { name: "x" }, oauth_config: { scopes: { bot: ["files:wrte"] } } };
