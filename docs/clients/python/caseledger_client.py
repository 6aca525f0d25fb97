"""A client of Caseledger's bus: sends commands, asks, follows events.

Written from `schemas/asyncapi.yaml` and the README alone, as any other service would write its own. Names and forms are
theirs; nothing here knows how Caseledger is built.
"""

import asyncio
import json
import time
import uuid
from datetime import datetime, timezone

import nats
import nats.errors

EVENTS_STREAM = "CASELEDGER_EVENTS"
ANSWER_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class Unavailable(Exception):
    """Not known to be recorded when the time was up: send it again with the same id, or call it with `again=True`."""


class Refused(Exception):
    """A query or a replay was rejected. `problem` says why (RFC 9457)."""

    def __init__(self, problem):
        super().__init__(problem["detail"])
        self.problem = problem


class Caseledger:
    """One client's connection. Use it with `async with`."""

    def __init__(self, nats_url, client, user, password):
        self.client = client
        self._url = nats_url
        self._login = {"user": user, "password": password}
        self._nats = None

    @classmethod
    def from_ready_file(cls, path, client):
        """A connection as `caseledger dev --ready-file` describes it."""
        with open(path, encoding="utf-8") as file:
            ready = json.load(file)
        login = ready["clients"][client]
        return cls(ready["nats_url"], client, login["user"], login["password"])

    async def __aenter__(self):
        self._nats = await nats.connect(self._url, name=self.client, max_reconnect_attempts=-1, **self._login)
        return self

    async def __aexit__(self, *_):
        await self._nats.close()

    # Commands

    def command(self, name, data, subject=None, command_id=None):
        """A command, ready to be sent as often as it takes: `(id, name, body)`.

        The id is what makes a repeat harmless. Keep it until the result is there; over a restart too, if it matters.
        """
        # In the order of time where this Python can make such ids (3.14): the log stays as fast as it grows.
        command_id = str(command_id or getattr(uuid, "uuid7", uuid.uuid4)())
        event = {
            "specversion": "1.0",
            "id": command_id,
            "type": f"caseledger.{name}.v1",
            "source": f"/clients/{self.client}",
            "time": datetime.now(timezone.utc).isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        if subject is not None:
            event["subject"] = subject
        return command_id, name, json.dumps(event).encode()

    async def call(self, command, within=30.0, again=False):
        """Calls a command and returns its result, accepted or rejected.

        A repeat says that it is one: then a rejection is recorded, and no earlier copy can be accepted later. `again`: it was called
        before, and that ended as `Unavailable`.
        """
        _, name, body = command
        headers = {"Caseledger-Repeated": "true"} if again else None

        async def attempt(_pause):
            nonlocal headers
            this_time, headers = headers, {"Caseledger-Repeated": "true"}
            return await self._ask(f"caseledger.call.{self.client}.{name}", body, this_time)

        return await self._until_settled(attempt, within)

    async def send(self, command, within=60.0):
        """Sends a command durably and returns its result.

        The acknowledgement of NATS is not enough: the command counts once its result is there. Where the result does not come, or came
        while the connection was away, the query `Result` tells; where that knows of nothing, the command is sent again.
        """
        command_id, name, body = command
        results = await self._nats.subscribe(f"caseledger.result.{self.client}.{command_id}")

        async def attempt(pause):
            await self._ask(f"caseledger.command.{self.client}.{name}", body)
            try:
                message = await results.next_msg(timeout=max(pause, ANSWER_SECONDS))
                return json.loads(message.data)
            except asyncio.TimeoutError:
                return await self.query("Result", {"command_id": command_id})

        try:
            return await self._until_settled(attempt, within)
        finally:
            await results.unsubscribe()

    async def _until_settled(self, attempt, within):
        """Repeats until the answer is one: `accepted` or `rejected`."""
        give_up = time.monotonic() + within
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                result = await attempt(pause)
                if result["status"] != "unavailable":
                    return result
            except (asyncio.TimeoutError, nats.errors.NoRespondersError, nats.errors.ConnectionClosedError):
                pass  # No answer is no knowledge: the same id will tell.
            if time.monotonic() + pause > give_up:
                raise Unavailable("the command is not known to be recorded: send it again with the same id")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    # Questions

    async def query(self, name, question):
        """Asks `Case` or `Result`."""
        return await self._ask(f"caseledger.query.{self.client}.{name}", json.dumps(question).encode())

    async def case(self, **reference_or_id):
        """One case, by `reference=` or `id=`."""
        answer = await self.query("Case", reference_or_id)
        if answer["status"] == "rejected":
            raise Refused(answer["problem"])
        if answer["status"] == "unavailable":
            raise Unavailable("the case can't be looked up at the moment: ask again")
        return answer["case"]

    def jetstream(self):
        """JetStream as this client may use it: its own consumers."""
        return self._nats.jetstream()

    async def _ask(self, subject, body, headers=None):
        reply = await self._nats.request(subject, body, timeout=ANSWER_SECONDS, headers=headers)
        return json.loads(reply.data)

    # Events

    async def replay(self, after, service=None):
        """Yields the events after a position of the log, to its end, in order."""
        head = None
        while head is None or after < head:
            question = {"after": after}
            if service is not None:
                question["service"] = service
            page = await self._ask(f"caseledger.replay.{self.client}", json.dumps(question).encode())
            if page["status"] == "rejected":
                raise Refused(page["problem"])
            if page["status"] == "unavailable":
                raise Unavailable("the log can't be read at the moment: ask again")
            for event in page["events"]:
                yield event
            after, head = page["up_to"], page["head"]

    async def pull(self, batch=100, wait=2.0):
        """Yields lists of `(event, acknowledge)` from this client's durable consumer; an empty list where nothing is waiting.

        The consumer keeps what comes while the client is away. What is not acknowledged comes again.
        """
        consumer = await self.jetstream().pull_subscribe_bind(consumer=self.client, stream=EVENTS_STREAM)
        while True:
            try:
                messages = await consumer.fetch(batch, timeout=wait)
            except asyncio.TimeoutError:
                messages = []
            yield [(json.loads(message.data), message.ack) for message in messages]
