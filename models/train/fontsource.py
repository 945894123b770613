"""Text faces from the npm registry (`fontsource.txt`), under the Open Font License, Apache 2.0 or the Ubuntu Font Licence, for training only.

    python fontsource.py        into TRAIN_FONTS/npm

A package holds each face in parts; those with the Latin letters and with their further
accents become one TrueType file.
"""

import io
import tarfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fontTools.merge import Merger
from fontTools.ttLib import TTFont, TTLibError

from fonts import ROOT

LISTED = Path(__file__).with_name("fontsource.txt")
FOLDER = ROOT / "npm"
PART, FURTHER_PART = "-latin-", "-latin-ext-"
WEIGHTS = ("-400-", "-700-")
LAYOUT_TABLES = ("GSUB", "GPOS", "GDEF", "kern")  # of the further part: they speak of glyphs that it lacks


def packages():
    """[(name, version)]"""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


def faces(package):
    """{file name: bytes} of the faces in a package of the registry."""
    name, version = package
    address = f"https://registry.npmjs.org/@fontsource/{name}/-/{name}-{version}.tgz"
    with urllib.request.urlopen(address, timeout=60) as answer, tarfile.open(fileobj=io.BytesIO(answer.read())) as archive:
        wanted = [m for m in archive if m.isfile() and m.name.endswith(".woff") and PART in m.name and any(w in m.name for w in WEIGHTS)]
        return {Path(m.name).name: archive.extractfile(m).read() for m in wanted}


def merged(part, further):
    """One font of both parts; of the first alone when they don't go together."""
    fonts = [opened(part)]
    if further:
        more = opened(further)
        for table in set(LAYOUT_TABLES) & set(more.keys()):
            del more[table]
        fonts.append(more)
    if len(fonts) == 1:
        return fonts[0]
    try:
        return Merger().merge([stored(font) for font in fonts])
    except (TTLibError, AssertionError, AttributeError, KeyError, ValueError):
        return fonts[0]


def opened(woff):
    font = TTFont(io.BytesIO(woff))
    font.flavor = None
    return font


def stored(font):
    out = io.BytesIO()
    font.save(out)
    out.seek(0)
    return out


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    count = 0
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(faces, packages()):
            for name, part in found.items():
                if FURTHER_PART in name:
                    continue
                font = merged(part, found.get(name.replace(PART, FURTHER_PART)))
                font.save(FOLDER / name.replace(PART, "-").replace(".woff", ".ttf"))
                count += 1
    print(count, "faces of", len(packages()), "packages")


if __name__ == "__main__":
    main()
