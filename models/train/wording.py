"""What the training lines say: sentences, labels, amounts, identifiers, MRZ.

Numbers and identifiers are random strings, so that no language model forms over
them; words get accents added and taken away at random for the same reason.
"""

import random
import re

import fonts
from alphabet import ALPHABET
from paperwork import BODIES, LABELS, MONTHS, PHRASES, SHORT_ENGLISH, SHORT_SPANISH

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CURRENCIES = ["€", "€", "€", "€", "EUR", "EUR", "$", "USD", "£", "GBP", "zł", "CHF", "¥"]
FOREIGN = "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽåäöæøÅÄÖÆØőűŐŰăâîșțĂÂÎȘȚąćęłńśźżĄĆĘŁŃŚŹŻçÇãõÃÕàèìòùêôûëïüñÑ"
ACCENTED = dict(zip("aeiounAEIOUN", "áéíóúñÁÉÍÓÚÑ"))
PLAIN = {v: k for k, v in ACCENTED.items()} | {"ü": "u", "Ü": "U"}
WORD_LISTS = [  # name, every n-th word of it, weight in tests
    ("spanish", 1, 50), ("american-english", 1, 18), ("polish", 20, 6), ("portuguese", 3, 7),
    ("french", 3, 7), ("ngerman", 3, 6), ("italian", 1, 4), ("catalan", 3, 4),
]
SPANISH_IN_TRAINING = 90  # weight of Spanish words in training lines
PHRASE_SHARE = 0.12
ACCENTED_SHARE, ACCENTED_IN_TRAINING = 0.23, 0.17  # of Spanish words that are drawn for their accents; with more, a blurred i became í
CONFUSED = ["0OoDQ", "1Il|i!7", "5S$", "8B&3", "2Z7", "6Gb", "9gq", ".,:;'", "-–—_", "íìîiï", "óòôoöõ", "ñnň", "áàâaäãå", "éèêeë", "úùûuü", "cCç", "ºª°*", "«<", "»>", "vy", "rn m", "uv"]


class Wording:
    """Draws line texts from one random stream; `held` takes its own half of the words."""

    def __init__(self, rng: random.Random, held=False):
        self.rng = rng
        self.lists, self.weights, self.accented = [], [], []
        for name, every, weight in WORD_LISTS:
            kept = [w for i, w in enumerate(fonts.words(name)) if i % every == 0 and 0 < len(w) < 18 and "'" not in w]
            kept = [w for i, w in enumerate(kept) if (i % 20 == 7) == held and all(c in ALPHABET for c in w)]
            self.lists.append(kept)
            self.weights.append(weight if held or name != "spanish" else SPANISH_IN_TRAINING)
        self.kinds = self.KINDS if held else self.PRACTICE
        self.accented_below = PHRASE_SHARE + (ACCENTED_SHARE if held else ACCENTED_IN_TRAINING)
        self.accented = [w for w in self.lists[0] if any(c in PLAIN for c in w)]

    # -- small pieces -------------------------------------------------------
    def digits(self, n):
        return "".join(self.rng.choices(DIGITS, k=n))

    def letters(self, n, of=CAPITALS):
        return "".join(self.rng.choices(of, k=n))

    def language(self):
        return self.rng.choices(self.lists, self.weights)[0]

    def word(self, of=None):
        r = self.rng
        if of is None or of is self.lists[0]:
            k = r.random()
            if k < PHRASE_SHARE:
                return r.choice(PHRASES)
            w = r.choice(self.accented) if k < self.accented_below else r.choice(self.lists[0] if of is None else of)
        else:
            w = r.choice(of)
        k = r.random()
        if k < 0.06:  # an accent where none belongs, or none where it does
            spots = [i for i, c in enumerate(w) if c in ACCENTED or c in PLAIN]
            if spots:
                i = r.choice(spots)
                w = w[:i] + (ACCENTED.get(w[i]) or PLAIN[w[i]]) + w[i + 1:]
        elif k < 0.09:
            i = r.randrange(len(w))
            w = w[:i] + r.choice(FOREIGN) + w[i + 1:]
        return w

    # -- numbers ------------------------------------------------------------
    def amount(self):
        r = self.rng
        whole, cents = str(int(10 ** r.uniform(0, 6.2))), self.digits(2)
        group, point = r.choice([(".", ","), (".", ","), (".", ","), (",", "."), ("", ","), ("", "."), (" ", ","), ("'", ".")])
        if group and len(whole) > 3:
            head = len(whole) % 3
            parts = ([whole[:head]] if head else []) + [whole[i:i + 3] for i in range(head, len(whole), 3)]
            whole = group.join(parts)
        s = whole + (point + cents if r.random() < 0.9 else "")
        k = r.random()
        s = "-" + s if k < 0.08 else "+" + s if k < 0.1 else "(" + s + ")" if k < 0.11 else s + "-" if k < 0.12 else s
        k = r.random()
        if k < 0.42:
            return s + r.choice([" ", "", " "]) + r.choice(CURRENCIES)
        return r.choice(["$", "€", "£", "€ ", "$ ", "EUR "]) + s if k < 0.5 else s

    def small_number(self):
        r = self.rng
        return r.choice([
            lambda: str(r.randint(0, 99)), lambda: f"{r.randint(0, 100)}{r.choice(['%', ' %', ',00%', ',5 %', '.00', 'º', 'ª', '.º', ' kWh', ' h', ' kg'])}",
            lambda: f"{r.randint(0, 99)}{r.choice('.,')}{self.digits(r.randint(1, 4))}", lambda: str(r.randint(1900, 2040)),
            lambda: f"{r.randint(1, 20)}/{r.randint(1, 20)}", lambda: ".".join(self.digits(1) for _ in range(r.randint(2, 4))),
            lambda: ",".join(self.digits(r.randint(1, 2)) for _ in range(r.randint(2, 4))), lambda: f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}" + r.choice(["", f":{r.randint(0, 59):02d}"]),
        ])()

    def date(self):
        r = self.rng
        d, m, y, k = r.randint(1, 31), r.randint(1, 12), r.randint(1930, 2040), r.random()
        if k < 0.5:
            s = r.choice(["/", "/", "-", ".", " "])
            return f"{d:02d}{s}{m:02d}{s}{y if r.random() < 0.75 else f'{y % 100:02d}'}"
        if k < 0.6:
            return f"{y}-{m:02d}-{d:02d}"
        if k < 0.8:
            return f"{d} de {r.choice(MONTHS)} de {y}"
        if k < 0.86:
            return f"{r.choice(MONTHS)} {d}, {y}"
        return f"{d:02d} {r.choice(MONTHS)[:3].upper()} {y}" if k < 0.94 else f"{r.choice(MONTHS)} {y}".capitalize()

    def spaced(self, s, chance=0.7):
        return " ".join(s[i:i + 4] for i in range(0, len(s), 4)) if self.rng.random() < chance else s

    def iban(self):
        country = self.rng.choice(["ES", "ES", "ES", "ES", "PL", "DE", "FR", "PT", "IT", "GB", "NL"])
        return self.spaced(country + self.digits(22 if country == "ES" else self.rng.choice([18, 20, 22, 24])))

    def dni(self):
        s = self.digits(8)
        if self.rng.random() < 0.1:
            s = f"{s[:2]}.{s[2:5]}.{s[5:]}"
        return s + self.rng.choice(["", "", "", "-", " "]) + self.letters(1, "TRWAGMYFPDXBNJZSQVHLCKE")

    def identifier(self):
        r = self.rng
        return r.choice([
            self.dni, self.dni,
            lambda: self.letters(1, "XYZ") + r.choice(["", "", "-"]) + self.digits(7) + r.choice(["", "", "-"]) + self.letters(1),
            lambda: self.letters(1, "ABCDEFGHJNPQRSUVW") + r.choice(["", "", "-"]) + self.digits(8),
            lambda: self.letters(1, "ABCDEFGHJNPQRSUVW") + r.choice(["", "-"]) + self.digits(7) + self.letters(1, "ABCDEFGHIJ"),
            lambda: self.letters(3) + self.digits(6), lambda: self.digits(4) + " " + self.letters(3, "BCDFGHJKLMNPRSTVWXYZ"),
            lambda: self.spaced("ES" + self.digits(16) + self.letters(2) + r.choice(["", self.digits(1) + "F"]), 0.3),
            lambda: r.choice(["FAC", "F", "A", "INV", "FV", "R", "EXP", "ALB", "N"]) + r.choice(["-", "/", " ", ""]) + str(r.randint(2010, 2035)) + r.choice(["-", "/", "."]) + self.digits(r.randint(2, 6)),
            lambda: self.digits(r.randint(1, 16)), lambda: self.digits(5), lambda: self.spaced(self.digits(16), 0.8),
            lambda: f"{self.digits(2)}/{self.digits(8)}/{self.digits(2)}", lambda: " ".join([self.digits(4), self.digits(4), self.digits(2), self.digits(10)]),
            lambda: self.letters(4) + r.choice(["ES", "PT", "DE"]) + self.letters(2, CAPITALS + DIGITS) + r.choice(["", "XXX", self.letters(3)]),
            lambda: self.letters(r.randint(4, 18), CAPITALS + DIGITS), lambda: self.letters(r.randint(6, 20), "0123456789abcdef"),
            lambda: self.letters(r.randint(5, 12), CAPITALS + CAPITALS.lower() + DIGITS),
        ])()

    def code(self):
        """What claims and contracts are found by, mostly behind a short label; in training only."""
        r = self.rng
        series = lambda n: self.letters(r.randint(1, n))
        year = str(r.randint(2015, 2032))
        s = r.choice([
            lambda: self.digits(8) + r.choice(["-", " ", " - ", ""]) + self.letters(1, "TRWAGMYFPDXBNJZSQVHLCKE"),
            lambda: self.letters(1, "XYZ") + r.choice(["-", " ", ""]) + self.digits(7) + r.choice(["-", " ", ""]) + self.letters(1),
            lambda: self.letters(1, "ABEFGHJNUVW") + r.choice(["-", " ", ""]) + self.digits(8),
            lambda: self.spaced("ES" + self.digits(22), 0.8),
            lambda: self.spaced("ES" + self.digits(16) + self.letters(2) + r.choice(["", "", "0F", "1P"]), 0.4),
            lambda: series(4) + r.choice("-/ ") + year + r.choice("-/.") + self.digits(r.randint(3, 7)),
            lambda: year + r.choice("-/") + self.digits(r.randint(3, 6)) + r.choice(["", "-" + self.letters(1), "/" + series(2)]),
            lambda: series(3) + r.choice(["-", "", "/", "."]) + self.digits(r.randint(4, 10)),
            lambda: f"{self.digits(2)}{r.choice(['/', ' ', '-', ' / '])}{self.digits(r.choice((7, 8)))}{r.choice(['/', ' ', '-', ' / '])}{self.digits(2)}",
            lambda: self.letters(3) + self.digits(6), lambda: self.digits(9), lambda: self.digits(r.randint(9, 13)),
        ])()
        k = r.random()
        if k < 0.35:
            label = r.choice(["DNI", "NIF", "N.I.F.", "CIF", "C.I.F.", "NIE", "DNI/NIF", "D.N.I.", "IBAN", "CUPS", "Nº", "N.º", "Núm.", "Factura", "Contrato", "Póliza", "Ref.", "Expediente", "Siniestro", "Cuenta"])
            return label + r.choice([": ", ": ", " ", ":", " nº ", ". "]) + s
        return r.choice("(,") + s + r.choice(["),", ")", ","]) if k < 0.4 else s

    def phone(self):
        gap = self.rng.choice([" ", ".", "-", " "])
        return self.rng.choice(["+34 ", "", "", "(+34) ", "+44 ", "00 "]) + gap.join([self.digits(n) for n in self.rng.choice([(3, 3, 3), (3, 2, 2, 2), (2, 3, 2, 2)])])

    def mail(self):
        r = self.rng
        a, b = (re.sub("[^a-z]", "", r.choice(self.language()).lower()) or "info" for _ in range(2))
        return r.choice([f"{a}@{b}.es", f"{a}.{b}@{b}.com", f"www.{b}.com", f"https://{b}.es/{a}", f"{a}_{self.digits(2)}@{b}.org", f"http://www.{a}-{b}.es"])

    def name(self):
        r = self.rng
        n = " ".join((r.choice(PHRASES[-60:]) if r.random() < 0.3 else self.word(self.language())).capitalize() for _ in range(r.randint(2, 4)))
        return n.upper() if r.random() < 0.4 else f"{n.split(' ', 1)[-1]}, {n.split(' ')[0]}" if r.random() < 0.1 else n

    def address(self):
        r = self.rng
        street = r.choice(["C/ ", "C/", "Calle ", "Avda. ", "Av. ", "Plaza ", "Pza. ", "Paseo ", "Ctra. ", "Camino ", "Rda. ", "Urb. ", "Polígono ", "P.º "])
        street += " ".join(self.word(self.language()).capitalize() for _ in range(r.randint(1, 3)))
        tail = r.choice(["", f", {r.randint(1, 9)}º {self.letters(1, 'ABCDE')}", f" {r.randint(1, 9)}.ª", f", {r.randint(1, 9)}-{self.letters(1, 'ABCD')}", f" - {self.digits(5)} " + self.word().capitalize()])
        return street + r.choice([", ", " ", " nº ", ", n.º "]) + str(r.randint(1, 250)) + tail

    def mrz(self):
        """One line of a machine readable zone (ICAO 9303), check digits random."""
        r = self.rng
        name = lambda: re.sub("[^A-Z]", "", r.choice(self.language()).upper()) or "EZ"
        fill = lambda s, n: (s + "<" * n)[:n]
        country = r.choice(["ESP", "ESP", "ESP", "POL", "PRT", "FRA", "D<<", "GBR", "ITA", "UTO", "MAR", "COL", "ROU", "CHN"])
        names = name() + "<" + name() + "<<" + name() + r.choice(["", "<" + name()])
        number = "".join(self.letters(1) if r.random() < 0.3 else self.digits(1) for _ in range(9))
        born = self.digits(7) + r.choice("MF<") + self.digits(7)
        return r.choice([
            lambda: fill("P<" + country + names, 44),
            lambda: fill(number + self.digits(1) + country + born + r.choice([self.digits(8) + self.letters(1), ""]), 42) + self.digits(2),
            lambda: fill("ID" + country + self.letters(3) + self.digits(6) + self.digits(1) + self.dni()[:8] + self.letters(1), 30),
            lambda: fill(r.choice(["I<", "IX", "IR"]) + country + number + self.digits(1) + r.choice(["", "X" + self.digits(7) + self.letters(1)]), 30),
            lambda: fill(born + country, 29) + self.digits(1),
            lambda: fill(names, 30), lambda: fill("I<" + country + names, 36),
            lambda: fill(number + self.digits(1) + country + born, 35) + self.digits(1),
        ])()

    def mrz_of(self, length):
        """One of `length` characters: 30 on cards, 36 and 44 in passports."""
        line = ""
        while len(line) != length:
            line = self.mrz()
        return line

    # -- whole lines --------------------------------------------------------
    def sentence(self, n):
        r, of, out = self.rng, self.language(), []
        for i in range(n):
            k = r.random()
            if k < 0.86:
                w = self.word(of)
            elif k < 0.97:
                w = r.choice([self.amount, self.date, self.identifier, self.small_number, self.small_number, lambda: r.choice("—–-&/|•·+=*#§©®º…×")])()
            else:
                w = r.choice(["de", "la", "el", "y", "a", "en", "o", "1", "2", "I", "s/n", "the", "of", "p.", "art.", "nº", "Dª"])
            if i == 0 or r.random() < 0.15:
                w = w[:1].upper() + w[1:]
            k = r.random()
            if k < 0.13:
                w += r.choice(",,,,..;:")
            elif k < 0.155:
                a, b = r.choice(["()", "()", "«»", '""', "“”", "‘’", "¿?", "¡!", "[]", "''", "„”", "<>", "{}"])
                w = a + w + b
            elif k < 0.18:
                w += r.choice("-/") + self.word(of)
            elif k < 0.19:
                w += r.choice(["'s", "’s", "®", "*", "¹", "²", "³", "™"])
            out.append(w)
        s = " ".join(out) + (r.choice("....:;?!,…-") if r.random() < 0.3 else "")
        k = r.random()
        return s.upper() if k < 0.2 else s.title() if k < 0.25 else s

    def initials(self):
        """Abbreviations by full stops, numerals of headings, page numbers; in training only."""
        r = self.rng
        dotted = lambda: r.choice(BODIES) if r.random() < 0.5 else "".join(c + "." for c in self.letters(r.randint(1, 4)))
        return r.choice([
            dotted, dotted, lambda: dotted() + ",", lambda: dotted() + "/" + dotted(),
            lambda: r.choice("I II III IV V VI VII VIII IX X XI XII".split()) + r.choice([".", ".-", ")", "", ". -"]),
            lambda: f"{r.randint(1, 30)}{r.choice(['.', ')', '.-', 'º', 'ª', '.º', '.ª'])}", lambda: f"- {r.randint(1, 30)} -",
            lambda: f"({r.choice(['IBAN', 'BIC', 'NIF', 'TAE', 'TIN', 'IVA', 'CUPS', '€', 'EUR', '%', 'a', 'los'])})" + r.choice(["", ":", ",", "."]),
        ])()

    def prose(self):
        """Running text as contracts and letters have it, short words and all; in training only."""
        r, out = self.rng, []
        of, short = (self.lists[0], SHORT_SPANISH) if r.random() < 0.85 else (self.lists[1], SHORT_ENGLISH)
        for _ in range(r.randint(2, 16)):
            k = r.random()
            if k < 0.45:
                w = r.choice(short)
            elif k < 0.86:
                w = self.word(of)
            elif k < 0.92:
                w = self.initials()
            else:
                w = r.choice([self.amount, self.date, self.small_number, self.code])()
            k = r.random()
            if k < 0.08:
                w += r.choice(",,,.;:")
            elif k < 0.11:
                w = r.choice("«(\"¿") + w
            elif k < 0.14:
                w += r.choice(["»", ")", '"', "/a", "/as", "/" + r.choice(short), "-" + r.choice(short)])
            out.append(w if r.random() < 0.88 else w[:1].upper() + w[1:])
        s = " ".join(out)
        return s.upper() if r.random() < 0.12 else s

    def confusable(self):
        r = self.rng
        group = r.choice(CONFUSED) if r.random() < 0.7 else "".join(r.sample(CONFUSED, 2))
        s = "".join(r.choice(group) if r.random() < 0.6 else r.choice(DIGITS + CAPITALS + CAPITALS.lower()) for _ in range(r.randint(3, 14)))
        return s if r.random() < 0.7 else s[: len(s) // 2] + " " + s[len(s) // 2:]

    def random_characters(self):
        r = self.rng
        return "".join(" " if r.random() < 0.12 else r.choice(ALPHABET[1:]) for _ in range(r.randint(2, 16)))

    def labelled(self):
        r = self.rng
        value = r.choice([self.amount, self.amount, self.date, self.identifier, self.name, self.iban, self.small_number, self.address, lambda: ""])()
        label = r.choice(LABELS)
        if r.random() < 0.2:
            label = label.upper()
        return label + r.choice([":", ": ", " ", ". ", " : ", "   "]) + value

    def columns(self):
        r = self.rng
        cells = [r.choice([self.amount, self.small_number, self.date, self.identifier, lambda: self.sentence(r.randint(1, 3))])() for _ in range(r.randint(2, 4))]
        return " ".join(cells)

    KINDS = [  # what the fixed test lines draw
        ("sentence", 34), ("label", 7), ("labelled", 11), ("columns", 6), ("amount", 8), ("date", 5), ("iban", 3), ("identifier", 7),
        ("small_number", 3), ("phone", 1), ("mail", 1.5), ("name", 4), ("address", 2.5), ("mrz", 5), ("confusable", 3), ("random_characters", 2),
    ]

    PRACTICE = [  # what training draws: as above, with more of what fields are made of
        ("sentence", 16), ("prose", 18), ("initials", 1), ("label", 7), ("labelled", 14), ("columns", 8), ("amount", 10), ("date", 8), ("iban", 6), ("identifier", 9), ("code", 7),
        ("small_number", 4), ("phone", 1), ("mail", 1.5), ("name", 5), ("address", 3), ("mrz", 9), ("confusable", 3), ("random_characters", 2.5),
    ]

    def line(self, longest=105):
        r = self.rng
        kind = r.choices([k for k, _ in self.kinds], [w for _, w in self.kinds])[0]
        if kind == "sentence":
            s = self.sentence(max(1, int(r.expovariate(1 / 4.0))) if r.random() < 0.88 else r.randint(8, 13))
        elif kind == "label":
            s = r.choice(LABELS + PHRASES[-150:])
            k = r.random()
            s = s.upper() if k < 0.25 else s + ":" if k < 0.4 else s
        else:
            s = getattr(self, kind)()
        return " ".join(s[:longest].split()) or "0"
