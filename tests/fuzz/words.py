"""Words for random command lines: what is asked for, what nearly is, and what should act nowhere."""
# ruff: noqa: SIM905  lists of words are read as words

MARKUP = r"[/b] [red]x[/red] [low,high] [a $\frac$ <b> | `id` $(id) %s {} {0} * ?".split()
CODES = ["\x1b[31mred", "\x9b31m", "\u202egnirts", "a\nb", "a\tb", "\ufeff", "\u0301", "é", "日本", "🎲"]
LONG = ["x" * 300, "x" * 5000, "9" * 5000]
ODD = ["", " ", "a b", "-", "--", "=1+1", "'", '"', "\\", "~", "~root", "nul", "(overall)", "skill"]
NASTY = MARKUP + CODES + LONG + ODD
NO_TEXT = ["\udcff", "a\udc80b", "a\0b"]

FEW = (*"0 1 2 3 -1 -0 +1 007".split(), "-" + "9" * 25)
MANY = ("9" * 25, "1" + "0" * 400)
NO_INTEGERS = ["", "1 2", "9" * 5000, *"x 1.5 1e 1e3 0x10 -- nan inf".split()]
INTEGER = {
    "numbers",
    "samples",
    "port",
    "replicas",
    "digits",
    "depth",
    "threads",
    "size",
    "seed",
    "page",
    "max_tokens_total",
}  # take these

PREFIXES = ["", *"1 12 123 1234567 0 00 x 1x -1 １ ٣".split(), "1" * 400]
BOUNDS = ("", *"0 1 100 1e3 10_000 -5 1e e5 1e99999 1e30 x 1.5".split(), "9" * 30)
TASKS = tuple("even-6 twin-primes-3 powers-of-2-6 odd monty-hall dice-uniform quick twin-prime-3".split())
MODELS = [*"orcle sieve-4x sieve- sieve--1 a/b/c / . runs/good propose-and-check-x".split(), "x\x1by"]
RUNS = "runs/good runs/mutant runs/other runs runs/empty runs/text runs/newer results nowhere".split()
FILES = ["/dev/null", "/dev/null/x", "/proc/x", "runs/text/file", "a/" * 2000, "x" * 256, "é" * 200, ":"]
URLS = "s3:// s3:///x file:// memory://x nonsense://x http:// http://127.0.0.1:1/x ://".split()
PLACES = [*RUNS, *FILES, *URLS, "new", "new/deeper", ""]

VALUES = {  # what an option or argument is drawn from, by its name
    **dict.fromkeys(["run", "runs", "before", "after"], (*RUNS[:2] * 10, *PLACES)),
    **dict.fromkeys(["numbers", "samples", "digits", "depth", "threads", "page"], FEW),
    **dict.fromkeys(["port", "replicas", "size", "seed"], FEW + MANY),
    **dict.fromkeys(["lo", "hi"], BOUNDS),
    **dict.fromkeys(["suite", "task", "soft_targets"], TASKS),
    "out": PLACES,
    "tasks": ["mine", "runs", "nowhere", "/dev/null", ""],
    "model": MODELS,
    "arm": "direct cot direkt reasoning-7".split(),
    "with_model": MODELS,
    "with_arm": "direct cot direkt".split(),
    "with_decoder": "feasible ancestral x".split(),
    "decoder": "feasible ancestral:temperature=0 ancestral:temperature=x ancestral: : twisted:a=1".split(),
    "timeout": "1 0 -1 x nan inf".split(),
    "base_url": ["", *"nonsense ftp://x http // 127.0.0.1:1 javascript:x".split()],
    "push": ["", "a/b/c", "--", "é"],
    "log": (*FILES, *URLS, "runs/good/scores.parquet", "runs/good/manifest.json", "runs/text/file"),
    "ray": "127.0.0.1:1 ray://127.0.0.1:1 127.0.0.1:x [::1]:1".split(),
    "prefix": PREFIXES,
    "number": ["12 ", *"123456 101 100 0 000000 1e5".split(), *PREFIXES],
    "tuple_": "primes twin-primes safe-primes n,n+2 n,n+2,n+4 2n 0n+2,n n, , n+n n-2,n".split(),
    "form": ["", *"parquet csv json CSV".split()],
    "api_key": ["x", "a b", "é"],
    "vllm_arg": ["--x", "--api-key=x"],
    **dict.fromkeys(["chat_template_kwargs", "extra_body"], ("", "x", "[]", "3", '{"a": 1}', "{" * 9999)),
    **dict.fromkeys(["max_tokens_total", "price_in", "price_out"], FEW),
    "config": ["", "nowhere.toml", "runs/text/file", "runs/mutant/manifest.json", "/dev/null", "runs"],
    **dict.fromkeys(["world", "worlds"], ("evn-6", "nowhere", "even-7", "jukebocks", "é", "x" * 300)),
    **dict.fromkeys(["parameters", "budgets", "tokens"], (*FEW, "400k", "1.5M", "k", "1.5")),
    "engine": ["vllm", "sglang", ""],
    "lora": ["", "=", "a=", "a=nowhere", "a=runs", "oracle=/dev/null", "\x1b[31m=x"],
}
