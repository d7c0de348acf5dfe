"""Lists the instants of cron expressions with cronsim.

Usage: judge_cron.py CASES, a JSON list of [expression, zone, after, until, count] with seconds since 1970. Prints a list of lists of
seconds.
"""

import datetime
import itertools
import json
import pathlib
import sys
import zoneinfo

from cronsim import CronSim


def instants(expression, zone, after, until, count):
    start = datetime.datetime.fromtimestamp(after, zoneinfo.ZoneInfo(zone))
    found = (int(at.timestamp()) for at in CronSim(expression, start))
    return list(itertools.islice(itertools.takewhile(lambda at: at <= until, found), count))


cases = json.loads(pathlib.Path(sys.argv[1]).read_text())
print(json.dumps([instants(*case) for case in cases]))
