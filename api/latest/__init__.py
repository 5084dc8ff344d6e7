"""Latest prices: kept in this process, aged as they are shown."""
