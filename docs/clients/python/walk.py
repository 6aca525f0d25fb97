"""Registers a customer, submits, updates, closes and reopens a missed bin, and prints what comes back.

    python walk.py READY_FILE [EXAMPLES]

READY_FILE is what `caseledger dev --ready-file` writes; EXAMPLES is `schemas/examples/commands`.
"""

import asyncio
import json
import sys
from pathlib import Path

from caseledger_client import Caseledger

EXAMPLES = Path(__file__).resolve().parents[3] / "schemas" / "examples" / "commands"


def example(folder, command, **put_in):
    """The data of a command, as the contract's example has it."""
    data = json.loads((folder / f"{command}.v1.json").read_text(encoding="utf-8"))
    return data | put_in


def show(what, result):
    print(f"{what:17} {result['status']}", json.dumps({k: v for k, v in result.items() if k != "status"}))
    if result["status"] != "accepted":
        sys.exit(1)
    return result


async def walk(ready_file, examples):
    async with (
        Caseledger.from_ready_file(ready_file, "website") as website,
        Caseledger.from_ready_file(ready_file, "contact-centre") as contact_centre,
    ):
        register = website.command("RegisterCustomer", example(examples, "RegisterCustomer"))
        customer = show("RegisterCustomer", await website.call(register))["aggregate_id"]

        data = example(examples, "SubmitRequest", customer_id=customer)
        submit = website.command("SubmitRequest", data)
        submitted = show("SubmitRequest", await website.send(submit))
        case, reference = submitted["aggregate_id"], submitted["reference"]

        # Whoever is not sure repeats: the same id, and nothing happens twice.
        assert await website.send(submit) == submitted, "a repeated command gave another result"

        update = website.command("UpdateRequest", example(examples, "UpdateRequest"), subject=case)
        show("UpdateRequest", await website.call(update))

        # An officer decides; only the contact centre speaks for officers.
        close = contact_centre.command("CloseRequest", example(examples, "CloseRequest"), subject=case)
        show("CloseRequest", await contact_centre.call(close))
        print(json.dumps(await website.case(reference=reference)))

        reopen = website.command("ReopenRequest", example(examples, "ReopenRequest"), subject=case)
        show("ReopenRequest", await website.send(reopen))
        print(json.dumps(await website.case(id=case)))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    asyncio.run(walk(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) == 3 else EXAMPLES))
