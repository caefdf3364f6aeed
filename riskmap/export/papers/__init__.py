"""Papers that are signed, posted and carried: PDF sheets and documents."""
