"""Pictures of a training as data: each can be drawn as SVG or PNG, its numbers given as CSV."""

from chainrule.explain.pictures.diagram import Arrow as Arrow
from chainrule.explain.pictures.diagram import Box as Box
from chainrule.explain.pictures.diagram import Diagram as Diagram
from chainrule.explain.pictures.drawing import Drawing as Drawing
from chainrule.explain.pictures.marks import Bars as Bars
from chainrule.explain.pictures.marks import Cells as Cells
from chainrule.explain.pictures.marks import Line as Line
from chainrule.explain.pictures.marks import Points as Points
from chainrule.explain.pictures.panels import Panels as Panels
from chainrule.explain.pictures.picture import Axis as Axis
from chainrule.explain.pictures.picture import Picture as Picture
