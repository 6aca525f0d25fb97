"""Makes ostn15-5km.bin from OSTN15_OSGM15_DataFile.txt of Ordnance Survey's OSTN15 developer pack.

    python3 thin.py OSTN15_OSGM15_DataFile.txt

OSTN15 gives a shift in eastings and in northings for every kilometre. Every fifth of both is kept: rows from south to north,
in each the nodes from west to east, 141 by 251. A node is two big-endian 16-bit numbers of millimetres: the easting's shift less
80 m, and the northing's shift plus 90 m. It prints how far a shift read between the kept nodes is from OSTN15's own, over the
land and 2 km of sea around it.
"""

import math
import pathlib
import struct
import sys

COLUMNS, ROWS, STEP = 701, 1251, 5
EAST_BASE, NORTH_BASE = 80_000, -90_000
# The flags of the sea from 2 km out, and of what is outside OSTN15.
AT_SEA = {15, 16}

east, north, flags = [], [], []
with open(sys.argv[1]) as lines:
    next(lines)
    for line in lines:
        fields = line.split(",")
        east.append(round(float(fields[3]) * 1000))
        north.append(round(float(fields[4]) * 1000))
        flags.append(int(fields[6]))
assert len(east) == COLUMNS * ROWS

kept = [row * COLUMNS + column for row in range(0, ROWS, STEP) for column in range(0, COLUMNS, STEP)]
nodes = b"".join(struct.pack(">HH", east[at] - EAST_BASE, north[at] - NORTH_BASE) for at in kept)
pathlib.Path(__file__).with_name("ostn15-5km.bin").write_bytes(nodes)


def between(shifts, column, row):
    """The shift at a node of OSTN15, from the four kept ones around it."""
    west, south = min(column // STEP * STEP, COLUMNS - 1 - STEP), min(row // STEP * STEP, ROWS - 1 - STEP)
    t, u = (column - west) / STEP, (row - south) / STEP
    at = south * COLUMNS + west
    low = (1 - t) * shifts[at] + t * shifts[at + STEP]
    at += STEP * COLUMNS
    return (1 - u) * low + u * ((1 - t) * shifts[at] + t * shifts[at + STEP])


away = sorted(
    math.hypot(between(east, column, row) - east[at], between(north, column, row) - north[at])
    for row in range(ROWS)
    for column in range(COLUMNS)
    if flags[at := row * COLUMNS + column] not in AT_SEA
)
print(f"mean {sum(away) / len(away):.1f} mm, 95% within {away[len(away) * 95 // 100]:.1f} mm, "
      f"99% within {away[len(away) * 99 // 100]:.1f} mm, at most {away[-1]:.1f} mm")
