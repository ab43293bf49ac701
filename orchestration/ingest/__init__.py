"""Loading: from landing files to the Parquet lake, plain functions without Dagster."""
