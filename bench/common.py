"""What the benchmarks with readers share."""

import os
import statistics
import threading
import time

import psycopg2


def connect(database):
    connection = psycopg2.connect(dbname=database)
    connection.autocommit = True
    return connection


class Reader(threading.Thread):
    """Asks the same question so many times a second; knows the longest that it waited."""

    def __init__(self, database, question, rate):
        super().__init__(daemon=True)
        self.database, self.question, self.rate = database, question, rate
        self.worst = 0.0
        self.reads = 0
        self.stopped = False

    def run(self):
        cursor = connect(self.database).cursor()
        next_start = time.monotonic()
        while not self.stopped:
            time.sleep(max(0.0, next_start - time.monotonic()))
            next_start = max(next_start + 1 / self.rate, time.monotonic())
            started = time.monotonic()
            cursor.execute(self.question)
            cursor.fetchall()
            self.worst = max(self.worst, time.monotonic() - started)
            self.reads += 1


def check_alive(readers):
    if not all(reader.is_alive() for reader in readers):
        raise RuntimeError("a reader has failed")


def under_readers(database, questions, rate, action):
    """Runs action() while one reader asks each question: seconds, worst read in ms, reads, MB of WAL."""
    cursor = connect(database).cursor()
    readers = [Reader(database, question, rate) for question in questions]
    for reader in readers:
        reader.start()
    while not all(reader.reads for reader in readers):
        check_alive(readers)
        time.sleep(0.1)
    for reader in readers:
        reader.worst, reader.reads = 0.0, 0
    cursor.execute("SELECT pg_current_wal_insert_lsn()")
    (lsn,) = cursor.fetchone()
    started = time.monotonic()
    action()
    seconds = time.monotonic() - started
    cursor.execute("SELECT pg_current_wal_insert_lsn() - %s::pg_lsn", (lsn,))
    wal = float(cursor.fetchone()[0]) / 1e6
    time.sleep(0.3)  # who waited has been answered
    check_alive(readers)
    for reader in readers:
        reader.stopped = True
    for reader in readers:
        reader.join()
    return {"seconds": seconds, "wal": wal, "worst": 1000 * max(r.worst for r in readers),
            "reads": sum(r.reads for r in readers)}


def median_ratio(ours, peer, key):
    return statistics.median(a[key] / b[key] for a, b in zip(ours, peer))


def load():
    print("load average:", *("%.2f" % value for value in os.getloadavg()), flush=True)
