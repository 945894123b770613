"""Real receipts with a box and a text for each line; measured on, never trained on.

A folder of NAME.jpg and NAME.csv: x1,y1,…,x4,y4,text a line, text in capitals.
"""

import os
from pathlib import Path

import cv2

from alphabet import ALPHABET
from degrade import HEIGHT

FOLDER = Path(os.environ.get("REAL_PAGES", Path(__file__).resolve().parents[3] / "shared/real-pages")) / "sroie"


def pages():
    """(grey page, [(x0, y0, x1, y1, text)]) of each receipt; nothing where they are not at hand."""
    for path in sorted(FOLDER.glob("*.csv")):
        page = cv2.imread(str(path.with_suffix(".jpg")), cv2.IMREAD_GRAYSCALE)
        if page is None:
            continue
        boxes = []
        for row in path.read_text(encoding="utf-8", errors="replace").splitlines():
            parts = row.split(",", 8)
            if len(parts) == 9 and parts[8].strip():
                x, y = [int(v) for v in parts[0:8:2]], [int(v) for v in parts[1:8:2]]
                boxes.append((max(0, min(x)), max(0, min(y)), max(x), max(y), parts[8].strip()))
        yield page, boxes


def lines():
    """[(image of 40 rows, text)] cut by the true boxes."""
    out = []
    for page, boxes in pages():
        for x0, y0, x1, y1, text in boxes:
            piece = page[y0:y1, x0:x1]
            text = "".join(c for c in text if c in ALPHABET)
            if piece.shape[0] < 6 or piece.shape[1] < 3 or not text:
                continue
            width = min(2400, max(10, int(HEIGHT * piece.shape[1] / piece.shape[0])))
            out.append((cv2.resize(piece, (width, HEIGHT), interpolation=cv2.INTER_LINEAR), text))
    return out
