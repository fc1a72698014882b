"""Explains a missing result: `probes/` ask, `path.py` joins and `causes.py` decides, `report.py` tells."""
