"""Writes contractions: what is to be packed, then the tiles."""

from __future__ import annotations

from chainrule.compiler.products.axes import LEFT, RIGHT, Product
from chainrule.compiler.products.costs import plan
from chainrule.compiler.products.dots import Dots
from chainrule.compiler.products.outer import OuterProducts
from chainrule.compiler.products.packing import Packing, joined
from chainrule.compiler.products.tiles import Tiles
from chainrule.compiler.writer import Writer


def write_contract(writer: Writer) -> None:
    """The product, and the members after it."""
    product = Product(writer)
    if product.empty:
        return
    chosen = plan(product)
    writer.notes["tile"] = str(chosen)
    lanes = chosen.lanes
    if RIGHT in chosen.packs:
        width = chosen.vectors * lanes
        Packing(product, RIGHT, product.columns, chosen.panels, width, lanes).write()
    if LEFT in chosen.packs:
        width = chosen.tiles.size
        Packing(product, LEFT, product.rows, chosen.tiles, width, lanes).write()
    if len(chosen.packs) == 2:
        product.inner = joined(product.inner)
    multiplier = Dots if chosen.form == "dots" else OuterProducts
    Tiles(product, chosen, multiplier(product, chosen)).write()
