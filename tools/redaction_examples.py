"""Labelled examples of secrets that other tools publish, for tools/redaction-quality.

Which sets count was laid down before any was measured: those that label single lines or examples
(or count them by file), in data that can be read without running a program, and that say what is a
secret and not only what is a key of one vendor's form. Every set that was measured is reported.

* noseyparker: rules have examples and negative_examples;
* kingfisher: the same, without the examples that noseyparker has, and almost no negative ones;
* semgrep: generic/secrets of semgrep-rules, where `ruleid:` and `ok:` stand above a line;
* detect-secrets: the tests of plugins, with a flag or the value that is to be found;
* ripsecrets: lines with a secret each, and lines with none;
* leaky-repo: files, with how many lines in each have secrets (risk) and how many tell something
  (informative). Of the lines with a finding, those beyond both numbers are wrong.

Left out are what is an identifier by its label and no secret, labels that mean an IP address, and
the examples that a set before has. One half is open and may be looked at, the other half is not:
only totals are read. Halves are made by a hash of the vendor's name, which is the first word of a
file's name, so that no vendor is in both; files for no vendor are split by example.
"""

import ast
import collections
import csv
import hashlib
import io
import pathlib
import re

SETS = {
    "noseyparker": "praetorian-inc/noseyparker",
    "kingfisher": "mongodb/kingfisher",
    "semgrep": "semgrep/semgrep-rules",
    "detect-secrets": "Yelp/detect-secrets",
    "ripsecrets": "sirwart/ripsecrets",
    "leaky-repo": "Plazmaz/leaky-repo",
}
RULES = {"noseyparker": "crates/noseyparker/data/default/builtin/rules", "kingfisher": "data/rules"}
# First words of files that are for no vendor.
NO_VENDOR = {"generic", "keyword", "none", "random", "basic", "detected", "high", "credentials"}
SECRET_CATEGORIES = {"secret", "token", "key", "webhook"}

Label = collections.namedtuple("Label", "lower upper truth kind")


class Example:
    """A text with the places of its labels, or with how many lines of it are labelled."""

    def __init__(self, dataset, source, name, text, labels, counts=None):
        self.dataset = dataset
        self.name = name
        self.text = text
        self.labels = labels
        self.counts = counts
        word = re.split(r"[-_.]", source)[0].lower()
        group = text if word in NO_VENDOR else word.encode()
        digest = hashlib.sha256(b"capsulefs examples " + group).digest()
        self.is_open = digest[0] % 2 == 0


def whole(text, truth, kind, value=None):
    """The label of a whole example, or of the value in it."""
    data = text.encode()
    if value and value in text:
        start = data.index(value.encode())
        return [Label(start, start + len(value.encode()), truth, kind)]
    return [Label(0, len(data), truth, kind)]


def load(git, place_of):
    """All the examples, each once."""
    readers = {"noseyparker": rules, "kingfisher": rules, "semgrep": annotated,
               "detect-secrets": plugin_tests, "ripsecrets": lines, "leaky-repo": counted}
    result, seen = [], set()
    for dataset, reader in readers.items():
        place, head = place_of(SETS[dataset])

        def files(under, place=place, head=head):
            for path in git("ls-tree", "-r", "-z", "--name-only", head, under,
                            where=place).split(b"\0"):
                if path:
                    name = path.decode()
                    yield name, git("show", f"{head}:{name}", where=place)
        for example in reader(dataset, files):
            key = re.sub(rb"\s+", b" ", example.text.strip())
            if key not in seen:
                seen.add(key)
                result.append(example)
    return result


def rules(dataset, files):
    """Examples in the rules of noseyparker and kingfisher."""
    import yaml  # Of python3-yaml; nothing else here needs it.
    for path, content in files(RULES[dataset]):
        if not path.endswith(".yml"):
            continue
        stem = pathlib.PurePath(path).stem
        for rule in yaml.safe_load(content)["rules"]:
            categories = set(rule.get("categories") or ())
            if categories and not categories & SECRET_CATEGORIES or rule.get("visible") is False:
                continue
            kind = kind_of(categories, stem)
            for field, truth in (("examples", True), ("negative_examples", False)):
                for text in rule.get(field) or ():
                    yield Example(dataset, stem, "example.txt", text.encode(),
                                  whole(text, truth, kind))


def kind_of(categories, stem):
    """What a rule is for, by its categories."""
    if "hashed" in categories or "hash" in categories:
        return "hashes"
    if "generic" in categories or stem == "generic":
        return "generic"
    return "of a vendor, by its surroundings" if "fuzzy" in categories else "of a vendor"


def annotated(dataset, files):
    """Lines below an annotation in the tests of semgrep's rules."""
    mark = re.compile(rb"\b(todo)?(ruleid|ok): *([\w., -]+)")
    for path, content in files("generic/secrets"):
        if re.search(rb"^rules:", content, re.MULTILINE):
            continue
        labels, start, truth, names = [], 0, None, b""
        for line in re.split(rb"(?<=\n)", content):
            found = mark.search(line)
            if found:
                if not found[1]:
                    truth = truth or found[2] == b"ruleid"
                    names += found[3]
            else:
                if truth is not None and not re.search(rb"(client-id|key-id|public-key)\b", names):
                    kind = "of gitleaks' rules" if "/gitleaks/" in path else "others"
                    labels.append(Label(start, start + len(line), truth, kind))
                truth, names = None, b""
            start += len(line)
        stem = pathlib.PurePath(path)
        yield Example(dataset, stem.stem, stem.name, content, labels)


class Constants:
    """Values of expressions of Python that are made of constants."""

    def __init__(self, tree):
        self.names = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.names[node.targets[0].id] = node.value

    def value(self, node):
        """The value; ValueError where it is not made of constants."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self.value(one) for one in node.elts]
        if isinstance(node, ast.Name) and node.id in self.names:
            return self.value(self.names[node.id])
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
            left, right = self.value(node.left), self.value(node.right)
            return left + right if isinstance(node.op, ast.Add) else left * right
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format":
            return self.value(node.func.value).format(
                *[self.value(one) for one in node.args],
                **{one.arg: self.value(one.value) for one in node.keywords})
        raise ValueError(ast.dump(node))


def plugin_tests(dataset, files):
    """Parameters of the tests of detect-secrets' plugins."""
    for path, content in files("tests/plugins"):
        stem = pathlib.PurePath(path).stem.removesuffix("_test")
        if stem == "ip_public":
            continue
        tree = ast.parse(content)
        constants = Constants(tree)
        pairs = keyword_cases(tree) if stem == "keyword" else flag_cases(tree)
        for suffix, pair in pairs:
            try:
                text, wanted = (constants.value(one) for one in pair)
            except (ValueError, TypeError):
                continue
            value = wanted if isinstance(wanted, str) else None
            yield Example(dataset, stem, f"example.{suffix}", text.encode(),
                          whole(text, bool(wanted), stem, value))


def flag_cases(tree):
    """The pairs of a text and whether it is to be flagged."""
    for node in ast.walk(tree):
        if (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "parametrize"
                and getattr(node.args[0], "value", "").endswith("should_flag")
                and isinstance(node.args[1], ast.List)):
            for case in node.args[1].elts:
                if isinstance(case, ast.Tuple):
                    yield "txt", case.elts


def keyword_cases(tree):
    """The pairs of a line and the value in it, or none."""
    suffixes = {"CONFIG": "conf", "GOLANG": "go", "COMMON": "c", "C": "cpp", "QUOTES": "py"}
    for node in tree.body:
        name = node.targets[0].id if isinstance(node, ast.Assign) else ""
        if name.endswith("_TEST_CASES"):
            for case in node.value.elts:
                yield suffixes[name.split("_")[0]], case.elts


def lines(dataset, files):
    """Files of ripsecrets with a secret in each line, in each file, or none."""
    for path, content in files("test"):
        parts = pathlib.PurePath(path).parts
        if parts[1] == "one_per_file":
            yield Example(dataset, parts[-1], "example.txt", content,
                          [Label(0, len(content), True, parts[-1])])
            continue
        for line in content.splitlines():
            if line:
                yield Example(dataset, parts[-1], "example.txt", line,
                              [Label(0, len(line), parts[1] != "none", parts[-1])])


def counted(dataset, files):
    """Files of leaky-repo with how many of their lines are labelled."""
    content = dict(files("."))
    table = content[".leaky-meta/secrets.csv"].decode()
    rows = [line for line in table.splitlines() if line.strip() and not line.startswith("#")]
    for name, risk, informative in csv.reader(io.StringIO("\n".join(rows))):
        if name in content:
            yield Example(dataset, name.replace("/", "+"), pathlib.PurePath(name).name,
                          content[name], [], (int(risk), int(informative)))


def judge(example, findings, scores):
    """Counts what the findings (first byte, end, kind) found; the misses and the wrong ones."""
    misses, wrong = [], []
    if example.counts:
        starts = [found.end() for found in re.finditer(rb"\n", example.text)]
        hit = {}
        for lower, _, kind in findings:
            hit.setdefault(sum(1 for start in starts if start <= lower), kind)
        risk, informative = example.counts
        right = min(len(hit), risk)
        scores[example.dataset, "lines"].update(
            true=risk, found=right, wrong=max(0, len(hit) - risk - informative))
        if right < risk:
            misses.append((1, f"{risk - right} lines of {risk}"))
        return misses, wrong
    for label in example.labels:
        kind = next((kind for lower, upper, kind in findings
                     if lower < label.upper and label.lower < upper), None)
        line = example.text[:label.lower].count(b"\n") + 1
        names = {(True, True): "found", (False, True): "wrong"}
        scores[example.dataset, label.kind].update(
            ["true" if label.truth else "false"])
        if kind:
            scores[example.dataset, label.kind].update([names[label.truth, True]])
            scores["kind of the finding", kind].update([names[label.truth, True]])
        if label.truth and not kind:
            misses.append((line, f"{example.dataset}, {label.kind}"))
        elif kind and not label.truth:
            wrong.append((line, f"{example.dataset}, {label.kind}: {kind}"))
    return misses, wrong


def report(scores):
    """Prints the figures: by set, by set and kind of the label, by kind of the finding."""
    sets = collections.defaultdict(collections.Counter)
    for (dataset, _), counts in scores.items():
        if dataset in SETS:
            sets[dataset].update(counts)
            sets["all"].update(counts)
    print(f"{'set: kind':52} {'true':>6} {'found':>6} {'recall':>7} {'false':>6} {'wrong':>6} "
          f"{'precis.':>7}")
    for dataset in SETS:
        print_row(dataset, sets[dataset])
    print_row("all", sets["all"])
    print()
    for (dataset, kind), counts in sorted(scores.items()):
        print_row(f"{dataset}: {kind}", counts)


def print_row(name, counts):
    """One row."""
    judged = counts["found"] + counts["wrong"]
    recall = f"{counts['found'] / counts['true']:7.3f}" if counts["true"] else "      -"
    precision = f"{counts['found'] / judged:7.3f}" if judged else "      -"
    print(f"{name:52} {counts['true']:6} {counts['found']:6} {recall} {counts['false']:6} "
          f"{counts['wrong']:6} {precision}")
