"""The working behind one bar."""
