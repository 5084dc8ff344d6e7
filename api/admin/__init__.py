"""Keys, tenants, dead letters and reference data, for administrators."""
