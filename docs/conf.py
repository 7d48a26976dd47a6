"""The site that `make docs` builds into build/docs. Nothing is fetched, then or when it is read."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # the numbers do not depend on it; small products are quicker

from chainrule import __version__

project = "chainrule"
author = "the chainrule authors"
copyright = "the chainrule authors, Apache-2.0"
version = release = __version__

extensions = ["myst_parser", "live.directives", "api.directive"]
exclude_patterns = ["decisions/README.md"]  # the same list, for those who read the folder
default_role = "py:obj"
suppress_warnings = ["myst.header"]  # parts of other files begin at any depth

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

autodoc_typehints = "none"
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "chainrule"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
