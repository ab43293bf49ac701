"""What a BI user reads: the site of dbt's docs, and the pages made from the contract."""
