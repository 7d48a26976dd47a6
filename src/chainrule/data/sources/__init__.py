"""One file for each kind of source; `chainrule.data.read_table` chooses among them."""
