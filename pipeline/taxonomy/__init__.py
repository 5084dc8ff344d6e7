"""What an instrument is: commodity, region and tier, by rules that are data (`docs/taxonomy.md`)."""

from pipeline.taxonomy.checks import check_rules
from pipeline.taxonomy.classify import CLASSIFIED, classify

__all__ = ["CLASSIFIED", "check_rules", "classify"]
