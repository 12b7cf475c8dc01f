"""What is asked: tasks, ways of asking, and suites, from TOML files."""

from sampler_bench.tasks.catalog import Catalog, builtin_folder, load_task
from sampler_bench.tasks.definitions import MOST_ASKED, Arm, Message, Paraphrase, Suite, Task

__all__ = [
    "MOST_ASKED",
    "Arm",
    "Catalog",
    "Message",
    "Paraphrase",
    "Suite",
    "Task",
    "builtin_folder",
    "load_task",
]
