"""A contractor's side of Caseledger's bus: reads its feed of jobs, keeps them, and reports what became of them.

Written from `schemas/asyncapi.yaml`, `schemas/feed/` and the README alone, as a contractor would write its own.
"""

import asyncio
import base64
import json
import sqlite3
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

sys.path.insert(0, str(Path(__file__).parent.parent / "python"))
from caseledger_client import Caseledger  # noqa: E402

FEEDS_STREAM = "CASELEDGER_FEEDS"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class Key:
    """The private key whose public half the council has in the contractor's client entry."""

    def __init__(self, private):
        self._private = X25519PrivateKey.from_private_bytes(base64.b64decode(private))

    def public(self):
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def open(self, message):
        """What the message tells, or None where it tells nothing but its own members."""
        sealed = message["data"].get("content")
        if sealed is None:
            return None
        info = f"caseledger feed 1 {message['id']}".encode()
        return json.loads(SUITE.decrypt(base64.b64decode(sealed), self._private, info))

    @staticmethod
    def make():
        return base64.b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode()


class Jobs:
    """The contractor's own list of jobs, in a file that outlives the program.

    A message is taken in together with its place in the feed: one that was seen before changes nothing.
    """

    def __init__(self, path):
        self._db = sqlite3.connect(path)
        self._db.executescript(
            """
            CREATE TABLE IF NOT EXISTS jobs (
                case_id TEXT, number INTEGER, attempt INTEGER, reference TEXT, code TEXT, due TEXT, content TEXT,
                state TEXT CHECK (state IN ('new', 'again', 'reporting', 'done', 'cancelled')), command TEXT,
                PRIMARY KEY (case_id, number)
            );
            CREATE TABLE IF NOT EXISTS feed (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), sequence INTEGER);
            INSERT OR IGNORE INTO feed VALUES (1, 0);
            """
        )

    def sequence(self):
        return self._db.execute("SELECT sequence FROM feed").fetchone()[0]

    def take(self, message, content):
        """Takes in a message that is new."""
        data, seen = message["data"], self.sequence()
        if data["sequence"] != seen + 1:
            # NATS keeps a feed for 90 days: who was away for longer asks the council for its open jobs.
            raise RuntimeError(f"message {data['sequence']} follows {seen}: something is missing")
        name, key = message["type"].split(".")[2], (data["case_id"], data["job"]["number"])
        with self._db:
            if name == "JobCancelled":
                self._db.execute("UPDATE jobs SET state = 'cancelled', command = NULL WHERE (case_id, number) = (?, ?)", key)
            elif name == "JobChanged":
                self._db.execute(
                    "UPDATE jobs SET code = ?, due = ?, content = ? WHERE (case_id, number) = (?, ?)",
                    (data["code"], data.get("due"), json.dumps(content), *key),
                )
            else:
                # A job that is taken up again is the same job at its next attempt; what was under way before no longer counts.
                state = "new" if name == "JobRaised" else "again"
                self._db.execute(
                    "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                    (*key, data["job"]["attempt"], data["reference"], data["code"], data.get("due"), json.dumps(content), state),
                )
            self._db.execute("UPDATE feed SET sequence = ?", (data["sequence"],))

    def to_do(self):
        rows = self._db.execute(
            "SELECT case_id, number, attempt, reference, code, command FROM jobs WHERE state IN ('new', 'again', 'reporting') ORDER BY due"
        )
        return rows.fetchall()

    def reporting(self, case_id, number, command):
        """Keeps the report before it is sent, so that the same one is sent again after a break."""
        with self._db:
            self._db.execute(
                "UPDATE jobs SET state = 'reporting', command = ? WHERE (case_id, number) = (?, ?)",
                (json.dumps([command[0], command[1], command[2].decode()]), case_id, number),
            )

    def settled(self, case_id, number, attempt, state):
        with self._db:
            self._db.execute(
                "UPDATE jobs SET state = ?, command = NULL WHERE (case_id, number, attempt) = (?, ?, ?)",
                (state, case_id, number, attempt),
            )


class Contractor:
    """Reads the feed and reports."""

    def __init__(self, caseledger, key, jobs):
        self.caseledger, self.key, self.jobs = caseledger, key, jobs

    @classmethod
    def from_ready_file(cls, path, client, jobs):
        """As `caseledger dev --ready-file` describes it: there the private key stands beside the password."""
        with open(path, encoding="utf-8") as file:
            private = json.load(file)["clients"][client]["feed_key"]
        return cls(Caseledger.from_ready_file(path, client), Key(private), jobs)

    async def read(self):
        """Takes in what waits in the feed, and tells it."""
        consumer = await self.caseledger.jetstream().pull_subscribe_bind(consumer=self.caseledger.client, stream=FEEDS_STREAM)
        while True:
            try:
                messages = await consumer.fetch(100, timeout=2.0)
            except asyncio.TimeoutError:
                return
            for message in messages:
                event = json.loads(message.data)
                # What was seen before may be sealed for a key that is gone.
                if event["data"]["sequence"] > self.jobs.sequence():
                    content = self.key.open(event)
                    self.jobs.take(event, content)
                    self.tell(event, content)
                # Only now: what was not taken in comes again.
                await message.ack()

    @staticmethod
    def tell(event, content):
        data = event["data"]
        name, job = event["type"].split(".")[2], data["job"]
        words = [f"{data['sequence']:4}", f"{name:12}", data["reference"], data["code"], f"attempt {job['attempt']}"]
        words += [f"due {data['due']}"] if "due" in data else []
        words += [data.get("reopened") or data.get("cancelled") or ""]
        if content:
            place = content.get("place", {})
            words += [place.get("description", place.get("postcode", "")), content.get("reason", "")]
            words += content.get("precautions", [])
        print("  ".join(word for word in words if word), flush=True)

    async def report_done(self, code_of):
        """Reports every job that is to do as done. `code_of` says with which of the contractor's codes."""
        for case_id, number, attempt, reference, code, kept in self.jobs.to_do():
            if kept is None:
                job = {"number": number, "attempt": attempt}
                actor = {"kind": "contractor", "id": self.caseledger.client, "assurance": "signed_in"}
                data = {"job": job, "code": code_of(code), "actor": actor, "channel": "system"}
                command = self.caseledger.command("ReportJobDone", data, subject=case_id)
                self.jobs.reporting(case_id, number, command)
            else:
                # Sent before a break, perhaps: the same id acts once.
                command_id, name, body = json.loads(kept)
                command = (command_id, name, body.encode())
            result = await self.caseledger.send(command)
            told = "done" if result["status"] == "accepted" else result["problem"]["errors"][0]["code"]
            print(f"{reference}  attempt {attempt}  {told}", flush=True)
            # What was taken up again or cancelled since is told by the feed; there is nothing to report.
            over = told in ("job_reopened_since", "job_not_with_contractor", "case_closed", "case_cancelled")
            # Anything else somebody has to mend, a code that the council does not know, say. The answer to this id stands: the next
            # report has another.
            self.jobs.settled(case_id, number, attempt, "done" if told == "done" else "cancelled" if over else "new")
