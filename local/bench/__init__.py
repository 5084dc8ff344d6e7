"""Benchmarks: every figure is a ratio beside a reference that ran in the same minutes on the same machine."""
