"""`urllib` and `http.server`: 1,000 requests, a connection for each, and 50 MB in each direction."""

import hashlib
import urllib.request

from http_server import BIG, MEGABYTE, serving
from stopwatch import stopwatch

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with serving() as address, stopwatch():
    digest = hashlib.sha1()
    for number in range(1000):
        with opener.open(f"{address}/{number}") as answer:
            digest.update(answer.read())
    print("1000 answers", digest.hexdigest())
    with opener.open(f"{address}/big") as answer:
        body = answer.read()
    print(len(body), hashlib.sha1(body).hexdigest())
    with opener.open(f"{address}/", data=MEGABYTE * BIG, timeout=30) as answer:
        print(answer.status, answer.read())
