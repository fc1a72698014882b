"""Reads the results table and the failure queues."""
