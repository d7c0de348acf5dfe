"""A strict S3 for tests: moto's server, which checks every signature and every permission.

Starts with a bucket `bucket` and a key that may do everything, and says where it is as a line of JSON. Then each line of JSON on
standard input is one deed, answered by a line: {"put": KEY, "text": TEXT}, {"fill": FORMAT, "count": N}, {"down": true}, {"up": true}.
Ends with its input.
"""

import json
import logging
import sys
import urllib.request

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

logging.disable(logging.CRITICAL)


def client(service, key):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(s3={"addressing_style": "path"}),
    )


def start(port):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    return server


def may(user, actions):
    iam.create_user(UserName=user)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=json.dumps(policy))
    return iam.create_access_key(UserName=user)["AccessKey"]


server = start(0)
port = server.get_host_and_port()[1]
anybody = {"AccessKeyId": "anybody", "SecretAccessKey": "anything"}
iam = client("iam", anybody)
client("s3", anybody).create_bucket(Bucket="bucket")
everything = may("everything", "*")
listing = may("listing", "s3:ListBucket")
s3 = client("s3", everything)
# From here on nothing is answered without a valid signature.
reset = f"http://127.0.0.1:{port}/moto-api/reset-auth"
urllib.request.urlopen(urllib.request.Request(reset, data=b"0", headers={"Content-Type": "text/plain"}))
keys = {name: [key["AccessKeyId"], key["SecretAccessKey"]] for name, key in [("everything", everything), ("listing", listing)]}
print(json.dumps({"port": port, **keys}), flush=True)

for line in sys.stdin:
    deed = json.loads(line)
    if "put" in deed:
        s3.put_object(Bucket="bucket", Key=deed["put"], Body=deed["text"].encode())
    elif "fill" in deed:
        for number in range(deed["count"]):
            s3.put_object(Bucket="bucket", Key=deed["fill"] % number, Body=str(number).encode())
    elif "down" in deed:
        server.stop()
        server._server.server_close()
    elif "up" in deed:
        server = start(port)
    print("{}", flush=True)
