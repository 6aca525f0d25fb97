"""Makes wards.geojson and areas.geojson: the boundaries of a town that does not exist.

    python3 make.py

Ansterbrook is drawn as a map of letters, a letter for each of 12 statistical areas and two of them to a ward. Each square of
the map is about 670 m wide and 780 m high; its corners are moved a little, always the same way, so that no edge runs along a
degree. Neighbours share their corners exactly. Market Place (I, J) lies in a hole of Ringmoor (E, F), which has a second part
in the south-east; Gallowfield (G, H) has two parts as well. The codes are far above any that the Office for National
Statistics has given out: E05999001 and on for wards, E01999001 and on for areas. It is laid over fields and villages of
Leicestershire; nothing of it is taken from a map.
"""

import json
import math
import pathlib

MAP = [
    "AABBCCCC",
    "AAABBCDD",
    "AEEEEFDD",
    "GEIIJFFH",
    "GEEEEFHH",
    "KKKLLLHF",
]
WEST, NORTH, WIDTH, HEIGHT = -1.02, 52.62, 0.01, 0.007
WARDS = ["Abbot's Hay", "Cold Furlong", "Ringmoor", "Gallowfield", "Market Place", "Kiln Lane"]
LETTERS = "ABCDEFGHIJKL"
HERE = pathlib.Path(__file__).parent


def corner(column, row):
    """Longitude and latitude of a corner of the map, in five decimals (about a metre)."""
    east = 0.22 * math.sin(3.1 * column + 1.7 * row)
    south = 0.22 * math.cos(2.3 * column - 2.9 * row)
    return [round(WEST + (column + east) * WIDTH, 5), round(NORTH - (row + south) * HEIGHT, 5)]


def rings(letters):
    """The rings around all squares with these letters, each with its inside to the left (counter-clockwise outside)."""
    edges = set()
    for row, line in enumerate(MAP):
        for column, letter in enumerate(line):
            if letter in letters:
                around = [(column, row), (column, row + 1), (column + 1, row + 1), (column + 1, row)]
                edges.update(zip(around, around[1:] + around[:1]))
    # An edge between two squares of the same area runs both ways, and goes.
    edges = {(a, b) for a, b in edges if (b, a) not in edges}
    found = []
    while edges:
        start, at = min(edges)
        ring = [start, at]
        edges.remove((start, at))
        while at != start:
            (step,) = [edge for edge in edges if edge[0] == at]
            edges.remove(step)
            at = step[1]
            ring.append(at)
        found.append(ring)
    return found


def turns_left(ring):
    """Whether a ring of the map's corners is an outer one. Rows go south, so what is positive on paper is negative here."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:])) < 0


def geometry(letters):
    """A Polygon, or a MultiPolygon where there are several parts. A hole here is always of the part that begins furthest west."""
    outer = sorted(ring for ring in rings(letters) if turns_left(ring))
    holes = [ring for ring in rings(letters) if not turns_left(ring)]
    drawn = [[[corner(*at) for at in ring]] for ring in outer]
    drawn[0] += [[corner(*at) for at in ring] for ring in holes]
    if len(drawn) == 1:
        return {"type": "Polygon", "coordinates": drawn[0]}
    return {"type": "MultiPolygon", "coordinates": drawn}


def write(file, code, name, areas):
    features = [
        {"type": "Feature", "properties": {code: number, name: called}, "geometry": geometry(letters)}
        for number, called, letters in areas
    ]
    lines = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    (HERE / file).write_text('{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n")


pairs = [LETTERS[at : at + 2] for at in range(0, len(LETTERS), 2)]
write("wards.geojson", "WD25CD", "WD25NM", [(f"E059990{n:02}", WARDS[n - 1], pair) for n, pair in enumerate(pairs, 1)])
write(
    "areas.geojson", "LSOA21CD", "LSOA21NM",
    [(f"E019990{n:02}", f"Ansterbrook 00{(n + 1) // 2}{'AB'[(n + 1) % 2]}", letter) for n, letter in enumerate(LETTERS, 1)],
)
