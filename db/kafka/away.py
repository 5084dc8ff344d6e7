"""What is raised where Kafka does not answer."""

from pipeline.errors import DataProcessingError


class KafkaAway(DataProcessingError):
    """Kafka does not answer in time, or not with what was asked for."""
