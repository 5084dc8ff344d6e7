"""`python -m api`: serves the API with the settings of the environment."""

import sys

from api.service import ApiService
from service.base import main

if __name__ == "__main__":
    sys.exit(main(ApiService))
