"""Print the three tables."""

from tests.extremes import layers, losses, optimizers


def main() -> None:
    for table in (layers.table, losses.table, optimizers.table):
        print(table(), end="\n\n")


if __name__ == "__main__":
    main()
