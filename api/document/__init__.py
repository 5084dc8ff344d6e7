"""What describes the API: the OpenAPI document, its pages, the pages of errors."""
