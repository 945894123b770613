"""How wrong the reading of a whole page is, whatever order it comes in.

Two readers order tables and columns differently and neither order is wrong, so
words are compared as bags: those found exactly are set aside, the rest are paired
with what they resemble most. A wrong word is one error, a word that is only in
one of the two is one as well.
"""

import unicodedata
from collections import Counter

from rapidfuzz.distance import Levenshtein

ALIKE = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "−": "-", "\u00a0": " "})


def words(text):
    """Words as they stand, but for the shapes of quotes and dashes."""
    return unicodedata.normalize("NFC", text).translate(ALIKE).split()


def differences(truth, read):
    """-> ([words not found], [words that are not there])"""
    wanted, got = Counter(truth), Counter(read)
    return list((wanted - got).elements()), list((got - wanted).elements())


def errors(truth, read):
    """-> (wrong words, wrong characters)"""
    missing, extra = differences(truth, read)
    return max(len(missing), len(extra)), _paired(missing, extra)


def zone_is_right(truth, read):
    """Whether every line of the machine readable zone was read without a wrong character; None where there is no zone."""
    lines = ["".join(line.split()) for line in truth.splitlines() if line.count("<") > 1]
    got = "".join(read.split())
    return all(line in got for line in lines) if lines else None


def _paired(missing, extra):
    """Edits between the two bags, each word paired with its likest, the likest pairs first."""
    pairs = []
    for i, a in enumerate(missing):
        for k, b in enumerate(extra):
            longest = max(len(a), len(b))
            edits = Levenshtein.distance(a, b, score_cutoff=longest - 1)
            if edits < longest:
                pairs.append((edits / longest, i, k, edits))
    pairs.sort()
    left, right, total = set(range(len(missing))), set(range(len(extra))), 0
    for _, i, k, edits in pairs:
        if i in left and k in right:
            left.remove(i)
            right.remove(k)
            total += edits
    return total + sum(len(missing[i]) for i in left) + sum(len(extra[k]) for k in right)


def bare(text):
    """Capitals without space, for truths that were written so."""
    return "".join(text.translate(ALIKE).upper().split())


def in_rows(boxes):
    """The bare text of (x0, y0, x1, y1, text) boxes, row after row from left to right."""
    rows = []
    for box in sorted(boxes, key=lambda b: b[1] + b[3]):
        middle = (box[1] + box[3]) / 2
        if rows and middle < rows[-1][0][3] and middle - (rows[-1][0][1] + rows[-1][0][3]) / 2 < 0.5 * (box[3] - box[1]):
            rows[-1].append(box)
        else:
            rows.append([box])
    return bare("".join(box[4] for row in rows for box in sorted(row, key=lambda b: b[0])))


def distance(truth, read):
    return Levenshtein.distance(truth, read)
