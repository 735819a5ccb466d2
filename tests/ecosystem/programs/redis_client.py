"""`redis` and a real redis-server on the given port: single commands, pipelines, publish and subscribe, values of 10 MB."""

import sys
import threading

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from stopwatch import stopwatch

BIG = bytes(range(256)) * (10 * 4096)


def publish_and_subscribe(database):
    with database.pubsub() as listening:
        listening.subscribe("news")
        print(listening.get_message(timeout=5)["type"])
        print(listening.get_message(timeout=0.05))
        database.publish("news", b"something happened")
        print(listening.get_message(timeout=5)["data"])
        teller = threading.Thread(target=database.publish, args=("news", b"later"))
        teller.start()
        print(listening.get_message(timeout=5)["data"])
        teller.join()


def main(port):
    with redis.Redis(host="127.0.0.1", port=port) as database:
        database.flushall()
        for number in range(1000):
            database.set(f"key {number}", number)
        print(sum(int(database.get(f"key {number}")) for number in range(1000)))
        with database.pipeline(transaction=False) as pipeline:
            for number in range(10_000):
                pipeline.incrby("counter", number)
            print(pipeline.execute()[-1])
        with database.pipeline() as pipeline:
            print(pipeline.set("a", 1).incr("a").get("a").execute())
        for number in range(3):
            database.set("big", BIG[number:])
            print(len(database.get("big")), database.get("big") == BIG[number:])
        publish_and_subscribe(database)
        print(database.blpop(["nothing"], timeout=0.05))
    with redis.Redis(host="127.0.0.1", port=port, socket_timeout=0.05, retry=Retry(NoBackoff(), 0)) as impatient:
        try:
            impatient.blpop(["nothing"], timeout=1)
        except redis.TimeoutError as error:
            print(type(error).__name__, error)


with stopwatch():
    main(int(sys.argv[1]))
