"""Tesseract and the product on the same pictures of pages, side by side.

    python compare_tesseract.py [--dossier PROGRAM] [--models FOLDER] [--samples FOLDER] [--pages N] [--json FILE] [--words]

Both get the same PNG of every page and one core; seconds are processor time of the
whole program, so that a busy machine does not distort them. `models` are the seconds
that finding and recognising text took of the product's, by the clock: on a quiet
machine only. Zones of cards and passports (`zones`) are right when every character of
all their lines is, as the recogniser read them. Sample pages come with the words that
were typeset (`text/` beside `truth/`); receipts with the text of their lines.
What counts as an error is in `page_scores.py`.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2

import page_scores
import receipts
from page_pictures import sample_pages

ROOT = Path(__file__).resolve().parents[2]
SIDES = ("dossier", "tesseract")


def on_one_core(command, **environment):
    """-> (what it printed, processor seconds of it and its children)."""
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(
            command, stdout=out, stderr=subprocess.DEVNULL, env={**os.environ, **environment},
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{command[0]} ended with {child.returncode}")
        out.seek(0)
        return out.read().decode("utf-8"), used.ru_utime + used.ru_stime


class Readers:
    """The two programs, each from a picture file to text."""

    def __init__(self, program, models):
        self.program, self.models = program, ["--models", models] if models else []
        listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout.split()
        self.languages = "spa" if "spa" in listed else "eng"
        self.models_seconds = 0.0  # of the last page that the product read
        self.turns = ["--psm", "1"] if "osd" in listed else []  # finds out how the page lies, as the product does

    def dossier(self, picture):
        out, seconds = on_one_core([self.program, *self.models, "read", "--json", picture])
        files = json.loads(out)["files"]
        self.models_seconds = sum(file["timings_ms"]["ocr"] for file in files) / 1000
        return "\n".join(page["text"] for file in files for page in file["pages"]), seconds

    def tesseract(self, picture):
        return on_one_core(["tesseract", picture, "-", "-l", self.languages, *self.turns], OMP_THREAD_LIMIT="1")


def read_with_both(readers, picture, dpi, folder):
    """-> {side: (text, seconds)} of one picture, written with its resolution."""
    path = str(Path(folder) / "page.png")
    picture.save(path, dpi=(dpi, dpi))
    return {side: getattr(readers, side)(path) for side in SIDES}


@dataclass(frozen=True)
class Compared:
    """One page: how much it says, what each side got wrong in what time, and its zone."""

    words: int
    characters: int
    sides: dict  # {side: (wrong words, wrong characters, seconds)}
    models_s: float
    zone_is_right: bool | None = None  # None without one


def compare_samples(readers, samples, most, tell):
    """{rendering: [Compared]}"""
    found = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for page in sample_pages(samples):
            if most and len(found[page.rendering]) >= most:
                continue
            truth = page_scores.words(page.text)
            both = read_with_both(readers, page.picture(), page.dpi, folder)
            scores = {side: (*page_scores.errors(truth, page_scores.words(text)), s) for side, (text, s) in both.items()}
            zone = page_scores.zone_is_right(page.text, both["dossier"][0])
            found[page.rendering].append(Compared(len(truth), sum(map(len, truth)), scores, readers.models_seconds, zone))
            if tell and page.seen:
                print("  missed and put instead:", *page_scores.differences(truth, page_scores.words(both["dossier"][0])))
            print(page.name, {side: f"{score[0]}/{len(truth)}" for side, score in scores.items()}, flush=True)
    return found


def compare_receipts(readers, most):
    """The same of real receipts, which have no word error rate: see page_scores.in_rows."""
    from PIL import Image

    found = []
    with tempfile.TemporaryDirectory() as folder:
        for page, boxes in receipts.pages():
            if most and len(found) >= most:
                break
            truth = page_scores.in_rows(boxes)
            picture = Image.fromarray(cv2.cvtColor(page, cv2.COLOR_GRAY2RGB))
            both = read_with_both(readers, picture, 200, folder)
            scores = {side: (0, page_scores.distance(truth, page_scores.bare(text)), s) for side, (text, s) in both.items()}
            found.append(Compared(0, len(truth), scores, readers.models_seconds))
    return found


def summary(pages):
    """Rates over all pages of one kind."""
    count, words, characters = len(pages), sum(p.words for p in pages), sum(p.characters for p in pages)
    zones = [p.zone_is_right for p in pages if p.zone_is_right is not None]
    out = {"pages": count, "words": words, "models_s": sum(p.models_s for p in pages) / count, "zones": len(zones), "zones_right": sum(zones)}
    for side in SIDES:
        wrong, off, seconds = (sum(p.sides[side][k] for p in pages) for k in range(3))
        out[side] = {"wer": wrong / words if words else None, "cer": off / characters, "seconds": seconds / count}
    return out


def table(rows):
    percent = lambda v: "–" if v is None else f"{100 * v:.2f} %"
    lines = ["| pages | n | words | WER dossier | WER tesseract | CER dossier | CER tesseract | s dossier | models | s tesseract | zones right |", "|---" * 11 + "|"]
    for name, row in rows.items():
        d, t = row["dossier"], row["tesseract"]
        zones = f"{row['zones_right']} of {row['zones']}" if row["zones"] else "–"
        lines.append(
            f"| {name} | {row['pages']} | {row['words'] or '–'} | {percent(d['wer'])} | {percent(t['wer'])} "
            f"| {percent(d['cer'])} | {percent(t['cer'])} | {d['seconds']:.2f} | {row['models_s']:.2f} | {t['seconds']:.2f} "
            f"| {zones} |"
        )
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--dossier", default=str(ROOT / "target/release/dossier"), help="the program")
    p.add_argument("--models", help="folder of models instead of those in the program")
    p.add_argument("--samples", type=Path, default=ROOT / "sample_docs", help="a folder that the sample generator wrote")
    p.add_argument("--pages", type=int, default=0, help="at most so many of each kind")
    p.add_argument("--words", action="store_true", help="print what the program got wrong, on layouts that are not held out")
    p.add_argument("--json", type=Path, help="where to leave the figures")
    args = p.parse_args()
    readers = Readers(args.dossier, args.models)
    rows = {kind: summary(pages) for kind, pages in sorted(compare_samples(readers, args.samples, args.pages, args.words).items())}
    real = compare_receipts(readers, args.pages)
    if real:
        rows["real receipts"] = summary(real)
    print(table(rows))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
