"""What is around every answer: HTTP, compression, caching, origins."""
