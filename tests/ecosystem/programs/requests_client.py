"""`requests` and `http.server`: 1,000 requests on one persistent connection, and 50 MB in each direction."""

import hashlib

import requests
from http_server import BIG, MEGABYTE, serving
from stopwatch import stopwatch

with serving() as address, requests.Session() as session, stopwatch():
    session.trust_env = False
    digest = hashlib.sha1()
    for number in range(1000):
        digest.update(session.get(f"{address}/{number}", timeout=30).content)
    print("1000 answers", digest.hexdigest())
    with session.get(f"{address}/big", stream=True, timeout=30) as answer:
        digest = hashlib.sha1()
        for part in answer.iter_content(65536):
            digest.update(part)
        print(answer.headers["Content-Length"], digest.hexdigest())
    answer = session.post(f"{address}/", data=MEGABYTE * BIG, timeout=30)
    print(answer.status_code, answer.content)
