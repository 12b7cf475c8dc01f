"""A Ray cluster of three nodes, each a process of this machine with one core. Ends with its standard input.

Prints its address. For each line it reads, the node that was added last is killed, and a line printed.
"""

import sys

from ray.cluster_utils import Cluster

NODES = 3
NODE = {"num_cpus": 1, "object_store_memory": 10**8}


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    nodes = [cluster.add_node(**NODE) for _ in range(NODES - 1)]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        print("killed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
