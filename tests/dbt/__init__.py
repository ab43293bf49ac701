"""The dbt project on small homes of its own: rules end to end, snapshot, macros."""
