"""The schema of everything a run stores. Parquet holds it; the schema version stands in its metadata."""

import pyarrow as pa

from sampler_bench.targets import SYMBOLS

SCHEMA_VERSION = 4  # of a run folder
READABLE = (2, 3, 4)  # 2 has the truth in every record, and a file for each unit; 3 lacks what is in ADDED
LITTLE = 0.05  # mass on digits where a number is to begin, below which laws there say little of numbers
OVERALL = "(overall)"  # in the task column of scores: the whole suite. No task has this name

_METADATA = {"sampler_bench_schema": str(SCHEMA_VERSION)}
_PROBABILITIES = pa.list_(pa.float64(), SYMBOLS)  # the digits 0..9, then END

# One row a prefix of a number: the true next-symbol law p and the model's q. Stored apart, see below.
CONDITIONALS = pa.schema(
    [
        ("task", pa.string()),
        ("task_version", pa.int64()),
        ("model", pa.string()),
        ("arm", pa.string()),
        ("paraphrase", pa.string()),
        ("decoder", pa.string()),
        ("number_id", pa.int64()),
        ("position", pa.int64()),  # digits already written
        ("prefix", pa.string()),
        ("weight", pa.float64()),  # of the number; a task's numbers sum to 1
        ("p", _PROBABILITIES),
        ("method", pa.string()),
        ("bound", pa.float64()),  # nats
        ("q", _PROBABILITIES),
        ("traces", pa.int64()),  # chain-of-thought traces averaged over; 0 for none
        ("forced", pa.int64()),  # those among them that came to no answer by themselves
        ("ess", pa.float64()),  # effective number of traces
        ("blind", pa.bool_()),  # whether the control phrase stood in place of the task's
        ("traces_of", pa.string()),  # the task whose traces they were; empty for this one
        ("q_by_trace", pa.list_(pa.float64())),  # the law after each trace, one after the other
    ],
    metadata=_METADATA,
)

# One row an answer: a response holds one, or as many as its arm asks for. The first carries its cost.
SAMPLES = pa.schema(
    [
        ("task", pa.string()),
        ("task_version", pa.int64()),
        ("model", pa.string()),
        ("arm", pa.string()),
        ("paraphrase", pa.string()),
        ("decoder", pa.string()),
        ("sample_id", pa.int64()),
        ("response_id", pa.int64()),
        ("seed", pa.int64()),
        ("prompt_hash", pa.string()),
        ("thinking", pa.string()),  # of a reasoning model
        ("text", pa.string()),
        ("answer", pa.string()),  # null where none was found
        ("parse", pa.string()),  # "found" or "none"
        ("valid", pa.bool_()),
        ("log_weight", pa.float64()),  # null for a decoder without weights
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("forward_passes", pa.int64()),
        ("seconds", pa.float64()),  # wall time of the requests
        (
            "blind",
            pa.bool_(),
        ),  # traces for a control, as in conditionals
    ],
    metadata=_METADATA,
)

_ROW = [
    ("suite", pa.string()),
    ("task", pa.string()),
    ("model", pa.string()),
    ("arm", pa.string()),
    ("decoder", pa.string()),
]

# One row a figure (long form).
SCORES = pa.schema(
    [
        *_ROW,
        ("metric", pa.string()),
        ("unit", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),  # 95 % interval
        ("high", pa.float64()),
        ("paraphrase_low", pa.float64()),  # least and greatest value of the arm's paraphrases
        ("paraphrase_high", pa.float64()),
        ("n", pa.int64()),
        ("floor", pa.float64()),  # what a perfect sampler has with as many numbers or samples
        ("floor_low", pa.float64()),  # 95 % of its draws lie between
        ("floor_high", pa.float64()),
        ("p", pa.float64()),  # of the test that the sampler is perfect
        ("p_adjusted", pa.float64()),  # Holm, over the tests of this task, model, arm and decoder
        ("like_oracle", pa.bool_()),  # cannot be told from a perfect sampler; null where that is not asked
        ("calibrated", pa.string()),  # on what known quantities: "luck", "own-luck", "luck+own-luck" or none
    ],
    metadata=_METADATA,
)

# One row a point of a curve (long form): figures by place along an axis.
CURVES = pa.schema(
    [
        *_ROW,
        # position, digits-left, decades-left (whole part of log10 of N(u)), leading-digit or last-digit
        ("axis", pa.string()),
        ("at", pa.int64()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("n", pa.int64()),
    ],
    metadata=_METADATA,
)

# One row a task and prefix: what does not depend on the model.
TRUTHS = pa.schema(
    [CONDITIONALS.field(name) for name in ("task", "prefix", "p", "method", "bound")], metadata=_METADATA
)
TRUTH = ("p", "method", "bound")  # the columns that conditionals have from there

ADDED = {"blind": False, "traces_of": "", "q_by_trace": []}  # columns, as they are where a run lacks them
LONG_TEXTS = ("prompt_hash", "thinking", "text")  # of samples: what no score is made of
RECORDS = {"conditionals": CONDITIONALS, "samples": SAMPLES}
MEASURED = {  # what is stored of them
    "conditionals": pa.schema([each for each in CONDITIONALS if each.name not in TRUTH], metadata=_METADATA),
    "samples": SAMPLES,
}
UNIT = pa.field("unit", pa.string())  # in a table of many units: the id of the one that a record is of
SCORED = {"scores": SCORES, "curves": CURVES}


def completed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table's columns of a schema, in its order, with those that it lacks as an older version made it."""
    for name in ADDED:
        if name in schema.names and name not in table.column_names:
            kind = schema.field(name).type
            table = table.append_column(name, pa.array([ADDED[name]] * len(table), kind))
    return table.select(schema.names)
