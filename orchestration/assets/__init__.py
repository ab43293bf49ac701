"""The assets of the main job, in the order of the data: raw, warehouse, publication."""
