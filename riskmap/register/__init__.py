"""The list (研判一张单) and the table (管控一张表)."""
