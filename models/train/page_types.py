"""Learns what the words of a page say about its type; writes `page-types.json` of the models.

    dossier eval SET --page-words SET.jsonl          (for each labelled set)
    python page_types.py SET.jsonl …

One logistic regression for each type against all others, over words and pairs of
words that stand in several layouts. The intercepts are left out: a page without
known words says nothing. Only pages of layouts that may be looked at are learned
from; the others are scored, as are the learned ones by layouts left out.
"""

import collections
import json
import math
import random
import sys

import torch

from alphabet import MODELS

FEWEST_LAYOUTS = 4  # a word of fewer layouts says more about these than about the type
RIDGE = 0.3
FOLDS, SEED = 5, 1
FEWEST_WORDS = 8  # as in the product, see pipeline/src/classify/words.rs
FEATURE = 4.0  # a known word's weight before it is shared among the words of a page
EVIDENCE = 1.5  # what one unit of log odds counts for beside the phrases
NEGLIGIBLE = 0.1
# What the sample generator puts on its paper and real paper has not.
ARTEFACTS = {"muestra", "specimen", "example", "zzza", "buzon", "post"}


def known(page, index):
    return [index[w] for w in page["words"] if w in index]


def matrix(pages, index):
    rows, columns, values = [], [], []
    for row, page in enumerate(pages):
        words = known(page, index)
        rows += [row] * len(words)
        columns += words
        values += [FEATURE / math.sqrt(max(FEWEST_WORDS, len(words)))] * len(words)
    return torch.sparse_coo_tensor([rows, columns], values, (len(pages), len(index)), dtype=torch.float32)


def fit(pages, types):
    """({word: column}, weights [words, types])"""
    layouts = collections.defaultdict(set)
    for page in pages:
        for word in page["words"]:
            if ARTEFACTS.isdisjoint(word.split()):
                layouts[word].add(page["layout"])
    index = {w: i for i, w in enumerate(sorted(w for w, seen in layouts.items() if len(seen) >= FEWEST_LAYOUTS))}
    x = matrix(pages, index)
    y = torch.tensor([[float(page["type"] == t) for t in types] for page in pages])
    size = collections.Counter(page["layout"] for page in pages)
    share = torch.tensor([size[page["layout"]] ** -0.5 for page in pages])
    share /= share.mean()
    w = torch.zeros(len(index), len(types), requires_grad=True)
    b = torch.full((len(types),), -2.0, requires_grad=True)
    optimiser = torch.optim.LBFGS([w, b], max_iter=60, history_size=8, line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        z = torch.sparse.mm(x, w) + b
        error = torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none").sum(1)
        total = (error * share).mean() + RIDGE * (w**2).sum() / len(pages)
        total.backward()
        return total

    optimiser.step(loss)
    return index, w.detach()


def share_right(pages, types, index, w):
    """By the largest evidence of words alone."""
    evidence = torch.sparse.mm(matrix(pages, index), w)
    right = sum(types[int(e.argmax())] == page["type"] for page, e in zip(pages, evidence))
    return right, len(pages)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    pages = [json.loads(line) for name in sys.argv[1:] for line in open(name, encoding="utf-8")]
    seen, unseen = [p for p in pages if p["seen"]], [p for p in pages if not p["seen"]]
    types = sorted({p["type"] for p in seen})
    layouts = sorted({p["layout"] for p in seen})
    random.Random(SEED).shuffle(layouts)
    right = total = 0
    for k in range(FOLDS):
        left_out = set(layouts[k::FOLDS])
        index, w = fit([p for p in seen if p["layout"] not in left_out], types)
        r, n = share_right([p for p in seen if p["layout"] in left_out], types, index, w)
        right, total = right + r, total + n
    print(f"layouts left out: {right} of {total} pages by their words alone")
    index, w = fit(seen, types)
    if unseen:
        print("unseen layouts: {} of {} pages by their words alone".format(*share_right(unseen, types, index, w)))
    weights = {
        word: [round(FEATURE * EVIDENCE * float(v), 2) for v in w[i]]
        for word, i in index.items() if float(w[i].abs().max()) >= NEGLIGIBLE
    }
    path = MODELS / "page-types.json"
    path.write_text(json.dumps({"types": types, "weights": weights}, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(weights)} words, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
