"""CSV files as offices save them, read as text: nothing is guessed, no leading zero is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from riskmap.errors import LayerError, Problem
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ENCODINGS: Final = ("utf-8-sig", "gb18030")
"""Those of text editors and of Chinese Excel."""


def read_texts(path: Path) -> pd.DataFrame:
    r"""Read a CSV file with a header as a table of texts.

    Parameters
    ----------
    path
        The file, in UTF-8 or GB 18030.

    Returns
    -------
    DataFrame
        Texts without outer blanks, empty where nothing stands; the row ``i`` stands in line
        ``i + 2`` of a file whose cells hold no line breaks.

    Raises
    ------
    LayerError
        When there is no such file, or it is no table; with the one problem.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("id, name\n007,济南\n", encoding="gb18030")
    ...     read_texts(file).to_dict("list")
    {'id': ['007'], 'name': ['济南']}
    """
    import pandas as pd

    for encoding in ENCODINGS:
        try:
            table = pd.read_csv(path, dtype=str, encoding=encoding, keep_default_na=False)
            break
        except UnicodeDecodeError:
            continue
        except FileNotFoundError:
            raise _unusable(path, "file", text("no such file"), text("check the path")) from None
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            why = text("not a CSV table: {why}", why=str(error).strip())
            mend = text("save it as CSV with a header")
            raise _unusable(path, "csv", why, mend) from None
    else:
        raise _unusable(path, "encoding", text("unknown encoding"), text("save it as UTF-8"))
    if not isinstance(table.index, pd.RangeIndex):
        message = text("rows have more values than the header")
        mend = text("one value a column; quote values with commas")
        raise _unusable(path, "csv", message, mend)
    if table.empty:
        raise _unusable(path, "empty", text("no rows"), text("give at least one row"))
    table.columns = table.columns.astype(str).str.strip()
    for name in table.columns:
        table[name] = table[name].fillna("").str.strip()
    return table


def _unusable(path: Path, rule: str, message: Text, mend: Text) -> LayerError:
    problem = Problem(
        severity="unusable", role="", rule=rule, message=message, mend=mend, file=path.name
    )
    return LayerError(text("{n} problem(s) in the tables", n=1), (problem,))
