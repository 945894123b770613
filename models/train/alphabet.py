"""The recogniser's characters, read from the file that the product reads too."""

from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent
ALPHABET = (MODELS / "alphabet.txt").read_text(encoding="utf-8").rstrip("\n")
CLASSES = len(ALPHABET) + 1  # class 0 is the CTC blank
CLASS_OF = {character: i + 1 for i, character in enumerate(ALPHABET)}


def encode(text):
    """Class numbers of a text; every character must be in the alphabet."""
    return [CLASS_OF[c] for c in text]


def decode(classes):
    """Greedy CTC: best class per column in, text out."""
    out, previous = [], 0
    for c in classes:
        if c != previous and c:
            out.append(ALPHABET[c - 1])
        previous = c
    return "".join(out)
