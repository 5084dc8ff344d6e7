"""The live stream: messages over interruptions, without holes and without repeats."""
