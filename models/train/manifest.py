"""Writes ../manifest.toml: what the product loads, its hashes, and what was measured.

Metrics come from the JSON that evaluate.py and evaluate_det.py left in the work folder.
"""

import hashlib
import json

from alphabet import MODELS
from fonts import WORK

VERSION = "1"
FILES = {
    "text-detection.rten": "detection, input [batch, 1, H, W] with H and W multiples of 32, probability of text at full resolution",
    "text-recognition.rten": "recognition, input [batch, 1, 40, width], log-probabilities [width / 4, batch, 238]",
    "alphabet.txt": "237 characters; class 0 is the CTC blank",
    "page-types.json": "evidence for each document type by words and pairs of words",
}
HEADER = """# The files that the product loads, by hash and size, and how they were measured.
# Written by models/train/manifest.py; see MODEL_CARD.md for what the figures mean.
version = "{version}"
licence = "Apache-2.0 OR MIT"
origin = "own work, trained on synthetic text only"
"""


def measured(name):
    """{test set: {figure: value}} of the last evaluation, empty when there is none."""
    path = WORK / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def figures(table, values):
    lines = [f"\n[metrics.{table}]"]
    for name, value in values.items():
        if value is not None and name != "accented":
            lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"


def main():
    out = HEADER.format(version=VERSION)
    for name, what in FILES.items():
        data = (MODELS / name).read_bytes()
        out += f'\n[[file]]\nname = "{name}"\nwhat = "{what}"\nsize_bytes = {len(data)}\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
    for kind in ("recognition", "detection"):
        for name, values in measured(f"eval-{kind}.json").items():
            if isinstance(values, dict):
                out += figures(f'{kind}."{name}"', values)
    (MODELS / "manifest.toml").write_text(out, encoding="utf-8")


if __name__ == "__main__":
    main()
