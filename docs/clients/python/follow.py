"""Follows the events of one service, from where it stopped the last time.

    python follow.py READY_FILE CLIENT SERVICE POSITION_FILE [--once]

Prints a line for each event. POSITION_FILE remembers how far it came; with --once it stops when it has caught up.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from caseledger_client import Caseledger


class Follower:
    """Handles each event of one service once, in order, without a gap.

    `serviceposition` counts the events of a service up by one: one that was seen is dropped, one that is missing is asked for.
    """

    def __init__(self, caseledger, service, position_file):
        self.caseledger = caseledger
        self.service = service
        self.file = Path(position_file)
        self.seen = {"position": 0, "serviceposition": 0}
        if self.file.exists():
            self.seen = json.loads(self.file.read_text(encoding="utf-8"))

    async def follow(self, once):
        await self.catch_up()  # What the consumer no longer has leaves no gap to see: ask once.
        async for batch in self.caseledger.pull():
            for event, acknowledge in batch:
                if event["service"] == self.service:
                    await self.take(event)
                await acknowledge()
            if once and not batch:
                return

    async def take(self, event):
        place = int(event["serviceposition"])
        if place > self.seen["serviceposition"] + 1:
            print(f"# gap: after {self.seen['serviceposition']} came {place}", file=sys.stderr)
            await self.catch_up()
        self.handle(event)

    async def catch_up(self):
        async for event in self.caseledger.replay(self.seen["position"], self.service):
            self.handle(event)

    def handle(self, event):
        place = int(event["serviceposition"])
        if place <= self.seen["serviceposition"]:
            return
        if place != self.seen["serviceposition"] + 1:
            sys.exit(f"event {place} follows {self.seen['serviceposition']}: the log may have been rolled back, ask its operator")
        name = event["type"].split(".")[2]
        print(f"{place:6} {event['time']} {name:20} {event['subject']}", flush=True)
        # A service that keeps a database writes its effect and this position in one transaction.
        self.remember({"position": int(event["position"]), "serviceposition": place})

    def remember(self, seen):
        new = self.file.with_suffix(".new")
        with open(new, "w", encoding="utf-8") as file:
            json.dump(seen, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.file)
        self.seen = seen


async def main(ready_file, client, service, position_file, once):
    async with Caseledger.from_ready_file(ready_file, client) as caseledger:
        await Follower(caseledger, service, position_file).follow(once)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--once"]
    if len(arguments) != 4:
        sys.exit(__doc__)
    asyncio.run(main(*arguments, once="--once" in sys.argv))
