"""Reads every block and view of a corpus with slack_sdk's models and wants them back unchanged."""

import json
import sys

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View


def read_block(block):
    read = Block.parse(block)
    assert read is not None, f"not read: {block}"
    written = read.to_dict()
    assert written == block, f"read as {written}\nwritten as {block}"


def read_view(view):
    written = View(**view).to_dict()
    assert written == view, f"read as {written}\nwritten as {view}"
    for block in view["blocks"]:
        read_block(block)


def text(length):
    return {"type": "plain_text", "text": "x" * length, "emoji": True}


def button(**fields):
    return {"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": text(1), **fields}]}


# The judge has to see faults: none of these may pass.
FAULTS = [
    {"type": "header", "text": text(151)},
    {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}},
    button(text=text(76)),
    button(value="x" * 2001),
    button(style="blue"),
    {"type": "image", "slack_file": {"id": "F1"}},
    {"type": "poster", "text": text(1)},
    {"type": "header", "text": text(1), "colour": "red"},
]


def refused(block):
    try:
        read_block(block)
    except Exception:  # however the models refuse
        return True
    return False


def main():
    for fault in FAULTS:
        assert refused(fault), f"not refused: {fault}"
    with open(sys.argv[1], encoding="utf-8") as file:
        corpus = json.load(file)
    for message in corpus["messages"]:
        for block in message["blocks"]:
            read_block(block)
    for view in corpus["views"]:
        read_view(view)
    print(f"{len(corpus['messages'])} messages, {len(corpus['views'])} views")


main()
