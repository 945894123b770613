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
# As in the product, see pipeline/src/classify: words that a page counts as having, bound, weight of no type.
FEWEST_WORDS, MOST_EVIDENCE, NOTHING = 8, 6.0, 3.0
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


class Tally:
    """Pages told right by the phrases of the configuration, by words, and by both as the product adds them."""

    def __init__(self):
        self.pages = self.phrases = self.words = self.both = 0

    def add(self, pages, types, index, w):
        for page, log_odds in zip(pages, torch.sparse.mm(matrix(pages, index), w)):
            evidence = (EVIDENCE * log_odds).clamp(-MOST_EVIDENCE, MOST_EVIDENCE).tolist()
            phrases = [page["phrases"].get(t, 0.0) for t in types]
            self.pages += 1
            self.phrases += strongest(phrases, types) == page["type"]
            self.words += types[int(log_odds.argmax())] == page["type"]
            self.both += strongest([p + e for p, e in zip(phrases, evidence)], types) == page["type"]
        return self

    def __str__(self):
        return f"{self.pages} pages: right by phrases {self.phrases}, by words {self.words}, by both {self.both}"


def strongest(weights, types):
    best = max(range(len(types)), key=weights.__getitem__)
    return types[best] if weights[best] >= NOTHING else "unknown"


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    pages = [json.loads(line) for name in sys.argv[1:] for line in open(name, encoding="utf-8")]
    seen, unseen = [p for p in pages if p["seen"]], [p for p in pages if not p["seen"]]
    types = sorted({p["type"] for p in seen})
    layouts = sorted({p["layout"] for p in seen})
    random.Random(SEED).shuffle(layouts)
    left = Tally()
    for k in range(FOLDS):
        left_out = set(layouts[k::FOLDS])
        index, w = fit([p for p in seen if p["layout"] not in left_out], types)
        left.add([p for p in seen if p["layout"] in left_out], types, index, w)
    print(f"{len(layouts)} layouts, each left out once:", left)
    index, w = fit(seen, types)
    if unseen:
        print("unseen layouts:", Tally().add(unseen, types, index, w))
    weights = {
        word: [round(FEATURE * EVIDENCE * float(v), 2) for v in w[i]]
        for word, i in index.items() if float(w[i].abs().max()) >= NEGLIGIBLE
    }
    path = MODELS / "page-types.json"
    path.write_text(json.dumps({"types": types, "weights": weights}, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(weights)} words, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
