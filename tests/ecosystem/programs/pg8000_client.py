"""`pg8000` and a real PostgreSQL server on the given port: 1,000 queries, 20,000 rows in each direction, a value of 10 MB, and errors."""

import io
import sys
import warnings

import pg8000.dbapi
import pg8000.native
from stopwatch import stopwatch

BIG = bytes(range(256)) * (10 * 4096)


def main(port):
    access = {"user": "tester", "host": "127.0.0.1", "port": port, "password": "a test", "database": "postgres"}
    with pg8000.native.Connection(**access, timeout=30) as database:
        database.run("CREATE TEMPORARY TABLE numbers (number integer, word text, bytes bytea)")
        print(sum(database.run("SELECT CAST(:n AS integer) * 2", n=number)[0][0] for number in range(1000)))
        rows = io.StringIO("".join(f"{number},word {number}\n" for number in range(20_000)))
        database.run("COPY numbers (number, word) FROM STDIN WITH (FORMAT CSV)", stream=rows)
        print(database.row_count, sum(number for number, _ in database.run("SELECT number, word FROM numbers")))
        database.run("INSERT INTO numbers (bytes) VALUES (:bytes)", bytes=BIG)
        print(database.run("SELECT bytes FROM numbers WHERE bytes IS NOT NULL")[0][0] == BIG)
        try:
            database.run("SELECT 1 / 0")
        except pg8000.native.DatabaseError as error:
            print(error.args[0]["M"])
        print(database.run("SELECT 'goes on'"))
    try:
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves a refused connection to the garbage collector
        pg8000.native.Connection(**access | {"password": "wrong"})
    except pg8000.native.DatabaseError as error:
        print(error.args[0]["M"])
    connection = pg8000.dbapi.connect(**access, timeout=0.1)
    try:
        connection.cursor().execute("SELECT pg_sleep(2)")
    except OSError as error:
        print(type(error).__name__, error)
    connection._sock.close()


with stopwatch():
    main(int(sys.argv[1]))
