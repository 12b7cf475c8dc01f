"""From a plan to records: plan -> execute -> store. Knows models and targets, never metrics."""
