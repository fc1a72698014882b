"""The well-known way of testing an asynchronous system, written anew, to be measured beside ours.

A processor that takes events as they come, a listener that puts whole results into a table under their keys,
and a test that reads the table until the result is there or 15 seconds have passed. Each of its weaknesses is
one that is found in the field; none is put in.
"""
