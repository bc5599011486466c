"""Print the tally."""

from collections import Counter

from tests.torch_samples.study import NAMES, tally


def main() -> None:
    """A line for each operator and module, then the reasons."""
    agreed, without, refused = 0, Counter[str](), Counter[str]()
    print(f"{'operator or module':<48}agreed  not to be said  refused")
    for name in NAMES:
        done = tally(name)
        print(f"{name:<48}{done.agreed:>6}{done.without.total():>16}{done.refused.total():>9}")
        agreed += done.agreed
        without += done.without
        refused.update({f"{name}: {text}": n for text, n in done.refused.items()})
    print(
        f"\n{agreed} samples agree, {without.total()} cannot be said, {refused.total()} are refused"
    )
    for title, reasons in (("cannot be said", without), ("refused", refused)):
        print(f"\n{title}")
        for reason, n in reasons.most_common():
            print(f"{n:>6}  {reason}")


if __name__ == "__main__":
    main()
