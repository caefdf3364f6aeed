"""Open a GeoPackage's project in QGIS: every object is drawn, the print layout exports its pages.

Run by ``sh tests/qgis.sh`` with the Python that QGIS brings:
``QT_QPA_PLATFORM=offscreen python3 tests/qgis_opens.py FILE.gpkg FOLDER``. Prints one JSON document;
exit 1 when anything is wrong.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsExpressionContextUtils,
    QgsLayoutExporter,
    QgsProject,
    QgsRenderContext,
)

PAGES = 3


def undrawn(layer):
    """Count the objects for which the layer's style has no symbol."""
    context = QgsRenderContext()
    scopes = QgsExpressionContextUtils.globalProjectLayerScopes(layer)
    context.expressionContext().appendScopes(scopes)
    renderer = layer.renderer().clone()
    renderer.startRender(context, layer.fields())
    n = 0
    for one in layer.getFeatures():
        context.expressionContext().setFeature(one)
        n += not renderer.willRenderFeature(one, context)
    renderer.stopRender(context)
    return n


def main():
    """Open, look, export."""
    app = QgsApplication([], False)
    app.initQgis()
    package, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    project = QgsProject.instance()
    faults = []
    if not project.read(f"geopackage:{package}?projectName=riskmap"):
        faults.append(f"not read: {project.error()}")
    if not project.crs().isValid():
        faults.append("the project has no CRS")
    objects = 0
    for layer in project.mapLayers().values():
        if not layer.isValid():
            faults.append(f"{layer.id()}: not valid")
        elif layer.type() == 0:
            objects += layer.featureCount()
            if lost := undrawn(layer):
                faults.append(f"{layer.id()}: {lost} of {layer.featureCount()} objects not drawn")
            names = [layer.attributeAlias(i) for i in range(1, layer.fields().count())]
            if not any(any(ord(letter) > 0x2FFF for letter in name) for name in names):
                faults.append(f"{layer.id()}: no Chinese aliases")
    layouts = project.layoutManager().printLayouts()
    pages = 0
    for layout in layouts:
        atlas = layout.atlas()
        atlas.beginRender()
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = int(os.environ.get("DOTS", "40"))
        going = atlas.first()
        while going and pages < PAGES:
            path = folder / f"page{pages}.png"
            if QgsLayoutExporter(layout).exportToImage(str(path), settings) != 0:
                faults.append(f"{path.name}: not exported")
            pages += path.is_file() and path.stat().st_size > 2_000
            going = atlas.next()
        atlas.endRender()
    if not pages:
        faults.append("no page of the atlas was exported")
    said = {"crs": project.crs().authid(), "layers": len(project.mapLayers()), "objects": objects}
    sys.stdout.write(json.dumps({**said, "pages": pages, "faults": faults}, ensure_ascii=False))
    app.exitQgis()
    sys.exit(1 if faults else 0)


main()
