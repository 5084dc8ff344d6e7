"""Documents as the exchanges publish them, with made-up prices: what the demo sends and the benchmarks read."""
