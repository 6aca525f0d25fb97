"""A day at the contractor's: reads the feed, does every job, reports it done.

    python work.py READY_FILE CLIENT JOBS_FILE [--read-only]

JOBS_FILE keeps the jobs, so that the program can be away for as long as it likes. With --read-only nothing is reported.
"""

import asyncio
import sys

from feed import Contractor, Jobs

# The contractor's codes that report each kind of work done, as the council's catalogue knows them.
DONE = {"MISSED-BIN": "COLLECTED", "SURFACE": "REPAIRED", "LIGHT": "REPAIRED", "DRAIN": "CLEARED", "GRAFFITI": "CLEANED"}
DONE |= {"ANIMAL": "REMOVED", "FLY-TIP": "CLEARED", "LITTER": "CLEANED", "CONTAINER": "DELIVERED", "GARDEN-START": "STARTED"}


async def main(ready_file, client, jobs_file, read_only):
    contractor = Contractor.from_ready_file(ready_file, client, Jobs(jobs_file))
    async with contractor.caseledger:
        await contractor.read()
        if not read_only:
            await contractor.report_done(lambda code: DONE.get(code, "COLLECTED"))


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--read-only"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    asyncio.run(main(*arguments, read_only="--read-only" in sys.argv))
