"""Lesson 10: from a messy table to batches of numbers.

Before anything is learned, the data is made ready: corrupted and repeated rows are found and
reported; the rows are split into those that train, those that choose, and those that judge, at
70/15/15; numbers are brought to one scale; categories become vectors of 0 and 1; and the rows fall
into batches. What the scales and categories are is learned from the training rows only: the other
rows stand for a future that nobody has seen.

Shows L6, L7, L8, L9 and L10.
"""

import numpy as np

from chainrule.data import Table, batches, prepare, row_order


def parcels(rows, seed):
    """Parcels with weight, zone and charge, as somebody might have typed them."""
    rng = np.random.default_rng(seed)
    kilograms = (rng.permutation(rows) + 1) / 10
    zones = rng.choice(["near", "far", "abroad"], rows)
    extra = {"near": 0, "far": 120, "abroad": 400}
    charges = [100 * kg + 50 + extra[zone] for kg, zone in zip(kilograms, zones, strict=True)]
    return {"kilograms": kilograms.tolist(), "zone": zones.tolist(), "charge": charges}


def messy_table():
    """200 parcels and four repeats; one weight is unreadable and one zone is missing."""
    columns = parcels(200, seed=0)
    columns["kilograms"][20] = "twelve"
    columns["zone"][70] = ""
    for cells in columns.values():
        cells += cells[:4]
    return Table.of(columns, "parcels")


def main():
    print(__doc__)
    prepared = prepare(messy_table(), "charge", seed=0)
    print(prepared.report.text())

    train, kilograms = prepared.train, prepared.preparation.inputs[0]
    print("\nA row is now numbers (its weight also spread over two bins, where a line can bend):")
    for name, number in zip(prepared.preparation.features, train.numbers[0], strict=True):
        print(f"   {name:<26} {number:6.3f}")
    print(f"\nThe scale of kilograms, from {len(train)} training rows:")
    print(f"   (kilograms - {kilograms.mean:.3f}) / {kilograms.std:.3f}")
    for part in ("train", "validation", "test"):
        scaled = getattr(prepared, part).numbers[:, 0]
        mean = scaled.mean().round(3) + 0.0
        print(f"   {part:<10} mean {mean:+.3f}, deviation {scaled.std():.3f}")
    print("   Only the training rows come out at exactly 0 and 1; the others are not looked at.")

    sizes = [len(rows) for rows in batches(row_order(len(train), seed=0, epoch=1), 32)]
    print(f"\nBatches of 32: {sizes}. The last, smaller one counts.")

    brought = prepare(messy_table(), "charge", test=Table.of(parcels(50, seed=1), "next year"))
    split = brought.report.about("split")[0]
    print(f"\nA split that the data brings is kept, here 50 rows of next year.\n   {split}")


if __name__ == "__main__":
    main()
