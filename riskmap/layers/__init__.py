"""Reading: files into checked layers in one metric CRS. The only room that reads input."""
