"""Seeded generator of the made-up part of the Jinan demo data (示范数据)."""
