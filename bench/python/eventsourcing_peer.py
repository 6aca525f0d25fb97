"""The work of the benchmark with the Python library eventsourcing: seed CASES, or run CLIENTS CASES WARM_UP SECONDS.

Clients are threads. A command loads a case, decides, and saves one event; where another has won it is tried again.
Prints one JSON object.
"""

import json
import random
import sys
import threading
import time
from uuid import NAMESPACE_OID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError

PRIOR_EVENTS = 5


def case_id(number):
    return uuid5(NAMESPACE_OID, f"bench-{number}")


def description(number):
    return (
        f"Case {number}: the hole by the bus stop has grown since last week, and a cyclist fell there this morning. Please "
        "look at it before the school term begins; the lollipop lady has put a cone into it, but the wind moves that about."
    )


class Case(Aggregate):
    @event("Registered")
    def __init__(self, number, description):
        self.number = number
        self.description = description
        self.closed = False

    @staticmethod
    def create_id(number, description):
        return case_id(number)

    @event("Updated")
    def update(self, description):
        if self.closed:
            raise ValueError("the case is closed")
        self.description = description


class Cases(Application):
    pass


def prior(number):
    case = Case(number=number, description=description(number))
    for _ in range(PRIOR_EVENTS - 1):
        case.update(description=description(number))
    return case


def seed(app, cases):
    """The first case as the library saves it; the others are that one's rows with their own ids."""
    app.save(prior(0))
    others = [str(case_id(number)) for number in range(1, cases)]
    with app.factory.datastore.transaction(commit=True) as cursor:
        cursor.execute(
            "INSERT INTO cases_events (originator_id, originator_version, topic, state) "
            "SELECT other, originator_version, topic, state FROM cases_events, unnest(%s::uuid[]) AS other",
            (others,),
        )


class Client(threading.Thread):
    def __init__(self, app, number, cases, begin, end):
        super().__init__()
        self.app, self.cases, self.begin, self.end = app, cases, begin, end
        self.random = random.Random(number)
        self.latencies, self.conflicts, self.failure = [], 0, None

    def run(self):
        try:
            while True:
                sent = time.monotonic()
                if sent >= self.end:
                    return
                number = self.random.randrange(self.cases)
                conflicts = 0
                while True:
                    case = self.app.repository.get(case_id(number))
                    case.update(description=description(number))
                    try:
                        self.app.save(case)
                        break
                    except IntegrityError:
                        conflicts += 1
                answered = time.monotonic()
                if self.begin <= answered < self.end:
                    self.latencies.append(answered - sent)
                    self.conflicts += conflicts
        except Exception as failure:
            self.failure = failure


def run(app, clients, cases, warm_up, seconds):
    begin = time.monotonic() + warm_up
    threads = [Client(app, number, cases, begin, begin + seconds) for number in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(max(0, begin - time.monotonic()))
    before = time.process_time()
    time.sleep(max(0, begin + seconds - time.monotonic()))
    cpu = time.process_time() - before
    for thread in threads:
        thread.join()
    for thread in threads:
        if thread.failure:
            raise thread.failure
    latencies = sorted(latency for thread in threads for latency in thread.latencies)

    def quantile(part):
        return latencies[min(len(latencies) - 1, int(part * len(latencies)))] * 1e3 if latencies else 0.0

    return {
        "commands": len(latencies),
        "seconds": seconds,
        "p50": quantile(0.5),
        "p99": quantile(0.99),
        "p999": quantile(0.999),
        "conflicts": sum(thread.conflicts for thread in threads),
        "cpu": cpu,
    }


def main():
    app = Cases()
    call, *arguments = sys.argv[1:]
    if call == "seed":
        seed(app, int(arguments[0]))
    else:
        clients, cases, warm_up, seconds = arguments
        print(json.dumps(run(app, int(clients), int(cases), float(warm_up), float(seconds))))
    app.close()


main()
