"""Reads lines with a network and counts what is wrong."""

import torch
from rapidfuzz.distance import Levenshtein

from alphabet import decode
from lines import collate

SPANISH_ACCENTED = set("áéíóúüñÁÉÍÓÚÜÑ")


@torch.no_grad()
def read_lines(network, lines, batch=16):
    """[(truth, read)] of [(image, text)]; `network` is a module or any callable on a tensor."""
    order = sorted(range(len(lines)), key=lambda i: lines[i][0].shape[1])
    out = [None] * len(lines)
    for k in range(0, len(order), batch):
        ids = order[k:k + batch]
        x, _, _ = collate([lines[i] for i in ids])
        best = network(torch.from_numpy(x)).argmax(2).T.tolist()
        for i, classes in zip(ids, best):
            out[i] = (lines[i][1], " ".join(decode(classes).split()))
    return out


def score(pairs):
    """Character error rate, share of exact lines, recall of Spanish accented letters."""
    errors = sum(Levenshtein.distance(t, p) for t, p in pairs)
    wanted = hit = 0
    for truth, read in pairs:
        if SPANISH_ACCENTED & set(truth):
            found = {i for op in Levenshtein.opcodes(truth, read) if op.tag == "equal" for i in range(op.src_start, op.src_end)}
            spots = [i for i, c in enumerate(truth) if c in SPANISH_ACCENTED]
            wanted += len(spots)
            hit += sum(i in found for i in spots)
    return {
        "lines": len(pairs), "cer": round(errors / max(1, sum(len(t) for t, _ in pairs)), 5),
        "exact": round(sum(t == p for t, p in pairs) / max(1, len(pairs)), 4),
        "accents": round(hit / wanted, 4) if wanted else None, "accented": wanted,
    }


def forgiving(pairs):
    """Without case and space, for truths written in capitals."""
    return [("".join(t.upper().split()), "".join(p.upper().split())) for t, p in pairs]
