"""Random regular expressions, their counts held against ``re.fullmatch`` of all numbers of 1 to 4 digits."""

import random
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator

from sampler_bench.errors import InputError
from sampler_bench.targets import DIGITS, END, Pattern

LONGEST = 4
MAX_LENGTH = 120
NUMBERS = {
    digits: [str(number) for number in range(10 ** (digits - 1), 10**digits)]
    for digits in range(1, LONGEST + 1)
}
CLASSES = [
    "[0-9]",
    "[0-4]",
    "[^7]",
    "[13579]",
    "[^0-4]",
    r"[\d]",
    r"[^\d]",
    r"[\w-]",
    "[a-z]",
    "[^a-z]",
    "[2a]",
    r"[^\W3]",
]
ESCAPES = [r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\x31", r"\N{DIGIT TWO}"]
REPEATS = ["*", "+", "?", "{2}", "{0}", "{1,}", "{2,}", "{0,1}", "{1,2}", "{,2}", "{2,3}", "{3}"]
ANCHORS = ["^", "$", r"\A", r"\Z", r"\b", r"\B"]
FLAGS = ["(?i)", "(?s)", "(?m)", "(?a)", "(?x)", "(?ims)", "(?u)"]
LOOKS = ["(?=", "(?!", "(?<=", "(?<!"]
REFUSED = [r"\1", "(?P=name)", "(?(1)2|3)", "(?>", "+"]


class Writer:
    """Writes expressions of a random kind: some short, some deep, some full of look-around."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.looks = rng.choice([0, 0.15, 0.3])
        self.anchors = rng.choice([0, 0, 0.05, 0.1])
        self.alternatives = rng.choice([0.1, 0.3])
        self.repeats = rng.choice([0.2, 0.4, 0.6])
        self.narrow = rng.random() < 0.5  # few different digits, so that more depends on what is looked at
        self.irregular = rng.choice([0] * 8 + [0.05])
        self.groups = 0
        self.loops = 3  # repeated groups at most: with more, ``re`` may go on for hours

    def expression(self) -> str:
        flags = self.rng.choice(FLAGS) if self.rng.random() < 0.1 else ""
        inside = self.choice(self.rng.randint(1, 4))
        return flags + self.rng.choice(["{}", "{}", "(?:{})*", "{}.*", ".*(?:{})"]).replace("{}", inside)

    def choice(self, depth: int) -> str:
        options = [self.sequence(depth)]
        while self.rng.random() < self.alternatives:
            options.append("" if self.rng.random() < 0.2 else self.sequence(depth))
        return "|".join(options)

    def sequence(self, depth: int) -> str:
        return "".join(self.item(depth) for _ in range(self.rng.choice([1, 1, 2, 2, 3, 4])))

    def item(self, depth: int) -> str:
        draw = self.rng.random()
        if draw < self.anchors:
            return self.rng.choice(ANCHORS)
        if draw < self.anchors + 0.02:
            return "(?#12)"
        if draw < self.anchors + self.irregular + 0.02:
            return self.rng.choice(REFUSED)
        if depth and self.rng.random() < self.looks:
            return self.looped(self.look(depth - 1), 0.1)
        if depth and self.rng.random() < 0.4:
            return self.looped(self.group(depth - 1), self.repeats)
        return self.repeated(self.single(), self.repeats)

    def looped(self, item: str, share: float) -> str:
        self.loops -= 1
        return self.repeated(item, share if self.loops >= 0 else 0)

    def repeated(self, item: str, share: float) -> str:
        if self.rng.random() >= share:
            return item
        return item + self.rng.choice(REPEATS) + self.rng.choice(["", "", "?"])

    def look(self, depth: int) -> str:
        kind = self.rng.choice(LOOKS)
        inside = self.fixed(depth) if "<" in kind and self.rng.random() < 0.9 else self.choice(depth)
        return f"{kind}{inside})"

    def fixed(self, depth: int) -> str:
        """An expression of fixed width, as look-behind must be; its options are of the same width."""
        width = self.rng.randint(0, 3)
        return "|".join(self.of_width(width, depth) for _ in range(self.rng.choice([1, 1, 2])))

    def of_width(self, width: int, depth: int) -> str:
        parts = [self.single() for _ in range(width)]
        if width == 2 and self.rng.random() < 0.2:
            parts = [self.single() + "{2}"]
        if depth and self.rng.random() < self.looks:
            parts.insert(self.rng.randint(0, len(parts)), self.look(depth - 1))
        if self.rng.random() < self.anchors:
            parts.insert(self.rng.randint(0, len(parts)), self.rng.choice(ANCHORS))
        if depth and self.rng.random() < 0.2:
            parts.insert(0, "(?:" + "|".join(self.of_width(0, depth - 1) for _ in range(2)) + ")")
        return "".join(parts)

    def group(self, depth: int) -> str:
        self.groups += 1
        opening = self.rng.choice(["(", "(", "(?:", "(?:", f"(?P<g{self.groups}>", "(?i:", "(?-s:"])
        return f"{opening}{self.choice(depth)})"

    def single(self) -> str:
        if self.narrow:
            return self.rng.choice(["1", "2", ".", ".", "[12]", "[^1]"])
        draw = self.rng.random()
        if draw < 0.3:
            return self.rng.choice(DIGITS)
        if draw < 0.6:
            return "."
        if draw < 0.62:
            return self.rng.choice(["a", "_", "-", " ", "é"])
        return self.rng.choice(CLASSES if draw < 0.85 else ESCAPES)


def random_patterns(seed: int, trials: int) -> Iterator[str]:
    """Expressions of all kinds, some of them wrong; the same for the same seed."""
    rng = random.Random(seed)
    while trials:
        pattern = Writer(rng).expression()
        if len(pattern) <= MAX_LENGTH:
            trials -= 1
            yield pattern


def check_patterns(seed: int, trials: int) -> dict:
    """Hold random expressions against ``re``, at each of 1 to 4 digits.

    Returns
    -------
    dict
        How many are ``accepted`` and ``refused``; how many of those accepted no number fits, ``empty``; and
        what is ``wrong``, a list of sentences.
    """
    figures = {"accepted": 0, "refused": 0, "empty": 0, "wrong": []}
    for pattern in random_patterns(seed, trials):
        try:
            said = {differences(pattern, digits) for digits in NUMBERS}
        except InputError:
            figures["refused"] += 1
            continue
        except Exception as error:  # what else may be raised is what is looked for
            said = {f"{pattern!r}: {error!r}"}
        figures["accepted"] += 1
        figures["empty"] += said == {"empty"}
        figures["wrong"] += sorted(said - {"", "empty"})
    return figures


def differences(pattern: str, digits: int) -> str:
    """What of a pattern's truth is not as ``re.fullmatch`` says: a sentence, "" or, rightly, "empty"."""
    try:
        target = Pattern(digits, pattern)
    except InputError as error:
        if "is empty" not in str(error):
            raise
        target = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        matches = re.compile(pattern).fullmatch
    members = [number for number in NUMBERS[digits] if matches(number)]
    if target is None:
        return "empty" if not members else f"{pattern!r} is not empty: {members[0]} matches"
    counted = count_prefixes(members)
    # All prefixes but the longest: those are the numbers themselves.
    for prefix in ["", *(number for length in range(1, digits) for number in NUMBERS[length])]:
        found = target.count(prefix)
        if found != counted[prefix]:
            return f"{pattern!r}: {found} of {digits} digits begin {prefix!r}, not {counted[prefix]}"
    asked = random.Random(pattern).sample(NUMBERS[digits], min(9, 10**digits - 1)) + members[:9]
    wrong = next((number for number in asked if target.contains(number) != (number in members)), None)
    if wrong is not None:
        return f"{pattern!r}: contains({wrong}) is wrong"
    law = [counted[digit] / len(members) for digit in DIGITS]
    if target.conditional("").p[:END].tolist() != law:
        return f"{pattern!r}: conditional('') is {target.conditional('').p[:END]}, not {law}"
    return ""


def count_prefixes(members: list[str]) -> Counter:
    """How many members start with each prefix: the longest first, then the shorter ones from them."""
    layer = counted = Counter(members)
    for _ in members[0] if members else "":
        shorter = Counter()
        for prefix, count in layer.items():
            shorter[prefix[:-1]] += count
        layer, counted = shorter, counted | shorter
    return counted


def main() -> None:
    """SEED TRIALS: print the figures, and how long it took."""
    seed, trials = int(sys.argv[1]), int(sys.argv[2])
    began = time.perf_counter()
    figures = check_patterns(seed, trials)
    wrong = figures.pop("wrong")
    print(figures, f"wrong: {len(wrong)}", f"{time.perf_counter() - began:.1f} s")
    print(*wrong[:20], sep="\n")


if __name__ == "__main__":
    main()
