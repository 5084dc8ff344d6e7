"""`python -m api`: serves the API with the settings of the environment."""

import sys

from service.memory import frugal

if __name__ == "__main__":
    frugal()
    from api.service import ApiService  # polars' allocator reads how frugal it is to be when it is loaded
    from service.base import main

    sys.exit(main(ApiService))
