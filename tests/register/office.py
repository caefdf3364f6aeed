"""An officer at LibreOffice Calc: opens workbooks, fills in cells, saves them as the program does."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PROGRAM = shutil.which("soffice") or "soffice"
_BASIC = r"""
Sub Fill(orders As String)
  Dim files, reader, parts, line, last, doc, sheet, cursor, row, column, head, key, top
  files = createUnoService("com.sun.star.ucb.SimpleFileAccess")
  reader = createUnoService("com.sun.star.io.TextInputStream")
  reader.setInputStream(files.openFileRead(ConvertToURL(orders)))
  reader.setEncoding("UTF-8")
  Dim hidden(0) As New com.sun.star.beans.PropertyValue  ' shown: hidden documents lose their panes
  hidden(0).Name = "Hidden" : hidden(0).Value = False
  Dim kind(0) As New com.sun.star.beans.PropertyValue
  kind(0).Name = "FilterName" : kind(0).Value = "Calc MS Excel 2007 XML"
  last = ""
  Do While Not reader.isEOF()
    line = reader.readLine()
    If Len(line) > 0 Then
    parts = Split(line, Chr(9))
    If parts(0) <> last Then
      If last <> "" Then doc.storeToURL(ConvertToURL(last), kind()) : doc.close(True)
      last = parts(0)
      doc = StarDesktop.loadComponentFromURL(ConvertToURL(last), "_blank", 0, hidden())
      sheet = doc.Sheets.getByIndex(0)
      cursor = sheet.createCursor()
      cursor.gotoEndOfUsedArea(False)
    End If
    If parts(1) <> "" Then
    top = -1
    For row = 0 To 12
      For column = 0 To cursor.RangeAddress.EndColumn
        If sheet.getCellByPosition(column, row).String = "项目编号" Then top = row : key = column
      Next column
    Next row
    For column = 0 To cursor.RangeAddress.EndColumn
      If sheet.getCellByPosition(column, top).String = parts(2) Then head = column
    Next column
    For row = top + 1 To cursor.RangeAddress.EndRow
      If sheet.getCellByPosition(key, row).String = parts(1) Then
        sheet.getCellByPosition(head, row).setFormula(parts(3))
      End If
    Next row
    End If
    End If
  Loop
  If last <> "" Then doc.storeToURL(ConvertToURL(last), kind()) : doc.close(True)
End Sub
"""
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_DONE = f"""{_XML}<oor:items xmlns:oor="http://openoffice.org/2001/registry"
 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Setup/Office"><prop oor:name="ooSetupInstCompleted" oor:op="fuse">
<value>true</value></prop></item></oor:items>
"""
_LIB = 'xmlns:library="http://openoffice.org/2000/library"'


def fill(orders: Iterable[tuple[Path, str, str, str]], home: Path) -> None:
    """Fill in cells: workbook, project number, heading, what is typed; no number: saved alone."""
    basic = home / "user" / "basic"
    (basic / "Standard").mkdir(parents=True, exist_ok=True)
    code = _BASIC.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    (basic / "Standard" / "Desk.xba").write_text(
        f'{_XML}<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Desk" '
        f'script:language="StarBasic">{code}</script:module>',
        encoding="utf-8",
    )
    (basic / "Standard" / "script.xlb").write_text(
        f'{_XML}<library:library {_LIB} library:name="Standard" library:readonly="false" '
        'library:passwordprotected="false"><library:element library:name="Desk"/></library:library>',
        encoding="utf-8",
    )
    (basic / "script.xlc").write_text(
        f'{_XML}<library:libraries {_LIB} xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<library:library library:name="Standard" xlink:href="$(USER)/basic/Standard/script.xlb/" '
        'xlink:type="simple" library:link="false"/></library:libraries>',
        encoding="utf-8",
    )
    (home / "user" / "registrymodifications.xcu").write_text(_DONE, encoding="utf-8")
    lines = home / "orders.txt"
    lines.write_text("\n".join("\t".join(map(str, one)) for one in orders), encoding="utf-8")
    subprocess.run(
        [PROGRAM, f"-env:UserInstallation={home.as_uri()}", "--headless", "--norestore",
         f'macro:///Standard.Desk.Fill("{lines}")'],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
