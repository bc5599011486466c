"""What a graph costs as it grows: python tests/benchmarks/graph_cost.py

Builds a chain y ← sin(y) + x of 10², 10³ and 10⁴ nodes on numbers, so that the cost is that of
the graph itself, and prints the time of each part in total and per node. Linear growth shows as
a constant time per node.
"""

import argparse
import time
from collections.abc import Callable

import nnscratch as nn
from nnscratch.graph import Graph, Input


def chain(nodes: int) -> Graph:
    node = x = Input("x")
    for _ in range(nodes // 2):
        node = nn.Sin()(node) + x
    return Graph([x], node)


def best_of(repeats: int, run: Callable[[], object]) -> float:
    """The shortest time of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    print(f"{'':>9}{'milliseconds':^36}{'microseconds per node':^36}")
    print("    nodes" + 2 * f"{'build':>12}{'forward':>12}{'backward':>12}")
    for nodes in options.sizes:
        graph = chain(nodes)
        graph.forward(0.5)
        seconds = [
            best_of(options.repeats, lambda nodes=nodes: chain(nodes)),
            best_of(options.repeats, lambda graph=graph: graph.forward(0.5)),
            best_of(options.repeats, lambda graph=graph: graph.backward(1.0)),
        ]
        cells = [f"{1e3 * s:12.2f}" for s in seconds]
        cells += [f"{1e6 * s / nodes:12.2f}" for s in seconds]
        print(f"{nodes:9}" + "".join(cells))


if __name__ == "__main__":
    main()
