"""Makes a contractor's key pair: the private key into FILE, the public one, for the council, on standard output.

    python make_key.py FILE
"""

import os
import sys

from feed import Key

if len(sys.argv) != 2:
    sys.exit(__doc__)
private = Key.make()
with os.fdopen(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
    file.write(private + "\n")
print(Key(private).public())
