"""What a test session with many events needs on AWS: limits, cost, and a simulation of its way."""
