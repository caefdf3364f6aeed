"""The papers as workbooks."""
