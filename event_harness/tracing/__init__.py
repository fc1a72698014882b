"""The way of each event with its times: what sessions record, logs, results and failures, joined."""
