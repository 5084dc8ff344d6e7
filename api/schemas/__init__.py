"""The shapes of answers, for the OpenAPI document only: answers are rendered from frames."""
