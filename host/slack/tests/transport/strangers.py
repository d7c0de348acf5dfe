"""slack_sdk signs, verifies and posts: what it does is what ours is compared with. Reads a JSON document, writes one."""
import json
import sys
import time

from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.signature import Clock, SignatureVerifier


class Fixed(Clock):
    def __init__(self, seconds):
        self.seconds = seconds

    def now(self):
        return self.seconds


def sign(task):
    verifier = SignatureVerifier(task["secret"])
    return [verifier.generate_signature(timestamp=str(task["at"]), body=body) for body in task["bodies"]]


def verify(task):
    verdicts = []
    for one in task["requests"]:
        verifier = SignatureVerifier(task["secret"], clock=Fixed(task["at"]))
        try:
            verdicts.append(verifier.is_valid(one["body"], one["timestamp"], one["signature"]))
        except ValueError:  # it raises on a timestamp that is no integer
            verdicts.append(False)
    return verdicts


def post(task):
    client = WebClient(token=task["token"], base_url=task["url"])
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=5))
    start = time.monotonic()
    for number in range(task["posts"]):
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"post {number}"}}]
        client.chat_postMessage(channel="C0GATES", text=f"post {number}", blocks=blocks)
    return time.monotonic() - start


task = json.load(sys.stdin)
print(json.dumps({"sign": sign, "verify": verify, "post": post}[task["do"]](task)))
