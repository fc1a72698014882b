"""The usual way to test an asynchronous system, written anew, to measure event-harness against.

A processor takes the keys as the event has them. A listener stores whole results in a table, by key. A test
reads the table until the result is there or 15 seconds have passed. All of its weaknesses occur in published
samples; none was added.
"""
