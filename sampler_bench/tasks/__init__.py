"""What is asked: tasks, ways of asking, suites, and worlds to learn, from TOML files."""

from sampler_bench.tasks.catalog import Catalog, builtin_folder, load_task
from sampler_bench.tasks.definitions import (
    MOST_ASKED,
    Arm,
    Document,
    Message,
    Paraphrase,
    Suite,
    Task,
    World,
)

__all__ = [
    "MOST_ASKED",
    "Arm",
    "Catalog",
    "Document",
    "Message",
    "Paraphrase",
    "Suite",
    "Task",
    "World",
    "builtin_folder",
    "load_task",
]
